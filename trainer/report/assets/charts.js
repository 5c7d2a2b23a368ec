/*
 * Reads values from the charts, by pointer and by keyboard. Each chart comes with its points in the units of its view
 * box and with their texts, so nothing is computed here but which point is the nearest. Text only ever becomes text.
 */
'use strict';

function svgElement(name, attributes) {
  const made = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  return made;
}

/** Makes the charts that the page has now readable. */
window.attachCharts = () => {
  const charts = [...document.querySelectorAll('figure')].flatMap((figure) => {
    const source = figure.querySelector('.chart-data');
    if (!source) return [];
    const { frame, lines } = JSON.parse(source.textContent);
    return [
      {
        frame,
        lines,
        /** All places where some line has a point. */
        places: [...new Set(lines.flatMap(({ points }) => points.map(([x]) => x)))].sort((a, b) => a - b),
        group: figure.dataset.group,
        svg: figure.querySelector('svg'),
        cursor: figure.querySelector('.cursor'),
        scrub: figure.querySelector('.scrub'),
        tip: figure.querySelector('.tip'),
      },
    ];
  });

  const nearest = (sorted, x, of) =>
    sorted.reduce((best, item) => (Math.abs(of(item) - x) < Math.abs(of(best) - x) ? item : best));

  /** The points that are shown for a place: of each line the nearest one, if it is near. */
  function readingsAt({ lines, frame: [left, right] }, x) {
    return lines
      .filter(({ points }) => points.length > 0)
      .map(({ name, colour, points }) => ({ name, colour, point: nearest(points, x, ([px]) => px) }))
      .filter(({ point: [px] }) => Math.abs(px - x) < Math.max(12, (right - left) / 40));
  }

  function mark({ cursor, frame: [, , top, bottom] }, x, readings) {
    cursor.replaceChildren(
      svgElement('line', { x1: x, x2: x, y1: top, y2: bottom }),
      ...readings.map(({ colour, point: [px, py] }) =>
        svgElement('circle', { class: `s${colour}`, cx: px, cy: py, r: 4 }),
      ),
    );
  }

  function showTip(chart, x, readings) {
    const { tip, svg, lines } = chart;
    const rows = readings.map(({ name, colour, point: [, , , value] }) => {
      const row = document.createElement('div');
      const swatch = document.createElement('span');
      swatch.className = `swatch s${colour}`;
      row.append(...(lines.length > 1 ? [swatch, `${name}  ${value}`] : [value]));
      return row;
    });
    const place = document.createElement('b');
    place.textContent = readings[0].point[2];
    tip.replaceChildren(place, ...rows);
    tip.hidden = false;
    const scale = svg.clientWidth / svg.viewBox.baseVal.width;
    const beyond = x * scale + 14 + tip.offsetWidth > svg.clientWidth;
    tip.style.left = `${beyond ? x * scale - 14 - tip.offsetWidth : x * scale + 14}px`;
  }

  /** Shows a place in a chart, and without its values in the others of its group. */
  function show(chart, at) {
    const x = nearest(chart.places, at, (place) => place);
    for (const other of charts) {
      if (other !== chart && other.group === chart.group) mark(other, x, readingsAt(other, x));
    }
    const readings = readingsAt(chart, x);
    mark(chart, x, readings);
    showTip(chart, x, readings);
    chart.scrub.value = String(chart.places.indexOf(x));
    const values = readings.map(({ name, point: [, , , value] }) => `${readings.length > 1 ? `${name} ` : ''}${value}`);
    chart.scrub.setAttribute('aria-valuetext', `${readings[0].point[2]}: ${values.join(', ')}`);
  }

  function hide(chart) {
    chart.tip.hidden = true;
    for (const other of charts) if (other.group === chart.group) other.cursor.replaceChildren();
  }

  for (const chart of charts) {
    const { svg, scrub, places } = chart;
    if (places.length === 0) continue;
    scrub.max = String(places.length - 1);
    scrub.hidden = false;
    svg.addEventListener('pointermove', ({ clientX }) => {
      const { left, width } = svg.getBoundingClientRect();
      show(chart, ((clientX - left) / width) * svg.viewBox.baseVal.width);
    });
    svg.addEventListener('pointerleave', () => hide(chart));
    const read = () => show(chart, places[Number(scrub.value)]);
    scrub.addEventListener('input', read);
    scrub.addEventListener('focus', read);
    scrub.addEventListener('blur', () => hide(chart));
    scrub.addEventListener('keydown', ({ key }) => key === 'Escape' && hide(chart));
  }
};
