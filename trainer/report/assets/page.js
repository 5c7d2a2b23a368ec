/*
 * Starts the page. A live one asks its server what the runs have committed, and takes its own contents anew when there is
 * something new; not while somebody reads a chart.
 */
'use strict';

window.attachCharts();
window.attachMaps();
{
  const everyMilliseconds = 4000;
  const mark = (page) => page.querySelector('meta[name=version]')?.content;
  const state = document.getElementById('live');

  const textOf = async (path) => {
    const response = await fetch(path, { cache: 'no-store' });
    const text = await response.text();
    if (!response.ok) throw new Error(text);
    return text;
  };

  function take(page) {
    const open = new Set([...document.querySelectorAll('details[open]')].map((details) => details.dataset.name));
    for (const part of ['header', 'main']) document.querySelector(part).replaceWith(page.querySelector(part));
    document.title = page.title;
    document.querySelector('meta[name=version]').content = mark(page);
    for (const details of document.querySelectorAll('details')) details.open = open.has(details.dataset.name);
    window.attachCharts();
    window.attachMaps();
  }

  async function look() {
    try {
      const isRead = document.querySelector('.tip:not([hidden])') !== null;
      const version = (await textOf('/version')).trim();
      if (version !== mark(document) && !isRead) {
        take(new DOMParser().parseFromString(await textOf('/'), 'text/html'));
        state.textContent = `Live; last changed at ${new Date().toLocaleTimeString()}.`;
      } else if (state.dataset.lost) state.textContent = 'Live.';
      delete state.dataset.lost;
    } catch {
      state.textContent = 'Not live: the server does not answer.';
      state.dataset.lost = 'true';
    }
    setTimeout(look, everyMilliseconds);
  }

  if (state) setTimeout(look, everyMilliseconds);
}
