/*
 * Maps of images: by pointer and by keyboard, the picture of a point and what it is.
 */
'use strict';

/** Makes the maps that the page has now readable. */
window.attachMaps = () => {
  for (const figure of document.querySelectorAll('figure')) {
    const source = figure.querySelector('.map-data');
    if (!source) continue;
    const points = JSON.parse(source.textContent);
    const svg = figure.querySelector('svg');
    const cursor = figure.querySelector('.cursor');
    const scrub = figure.querySelector('.scrub');
    const tip = figure.querySelector('.tip');
    const showPoint = (index) => {
      const [x, y, words, picture] = points[index];
      cursor.replaceChildren(svgElement('circle', { cx: x, cy: y, r: 6 }));
      const image = document.createElement('img');
      image.src = picture;
      image.alt = '';
      tip.replaceChildren(...(picture === '' ? [] : [image]), words);
      tip.hidden = false;
      const scale = svg.clientWidth / svg.viewBox.baseVal.width;
      const left =
        x * scale + 14 + tip.offsetWidth > svg.clientWidth ? x * scale - 14 - tip.offsetWidth : x * scale + 14;
      tip.style.left = `${left}px`;
      tip.style.top = `${Math.min(y * scale, svg.clientHeight - tip.offsetHeight)}px`;
      scrub.value = String(index);
      scrub.setAttribute('aria-valuetext', `image ${index + 1} of ${points.length}: ${words}`);
    };
    const hidePoint = () => {
      tip.hidden = true;
      cursor.replaceChildren();
    };
    scrub.max = String(points.length - 1);
    scrub.hidden = false;
    svg.addEventListener('pointermove', ({ clientX, clientY }) => {
      const { left, top, width } = svg.getBoundingClientRect();
      const unit = svg.viewBox.baseVal.width / width;
      const [px, py] = [(clientX - left) * unit, (clientY - top) * unit];
      const distance = ([x, y]) => Math.hypot(x - px, y - py);
      const index = points.reduce((best, point, i) => (distance(point) < distance(points[best]) ? i : best), 0);
      if (distance(points[index]) < 24) showPoint(index);
      else hidePoint();
    });
    svg.addEventListener('pointerleave', hidePoint);
    scrub.addEventListener('input', () => showPoint(Number(scrub.value)));
    scrub.addEventListener('focus', () => showPoint(Number(scrub.value)));
    scrub.addEventListener('blur', hidePoint);
    scrub.addEventListener('keydown', ({ key }) => key === 'Escape' && hidePoint());
  }
};
