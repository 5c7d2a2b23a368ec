import type { ChartData } from '../chart/line-chart.ts';
import type { Html, HtmlValue } from './html.ts';
import { html, jsonElement } from './html.ts';

export interface Table {
  readonly caption: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export interface FigureOptions {
  /** Unique on the page; a name of this program's. */
  readonly id: string;
  readonly title: string;
  /** What the chart means, in a sentence. */
  readonly note: HtmlValue;
  readonly svg: Html;
  /** What pointer and keyboard can read from it. */
  readonly data?: ChartData;
  /** The same of a chart of single points: what each is, and its picture as a data URI or ''. */
  readonly points?: readonly (readonly [x: number, y: number, words: string, picture: string])[];
  readonly table?: Table;
  /** Colours and names, where they aren't at the lines. */
  readonly legend?: readonly { readonly name: string; readonly colour: number }[];
  /** Charts of one group show the same place at the same time. */
  readonly group?: string;
}

/** A chart with its title, what it means, and its data as a table. */
export function figure(options: FigureOptions): Html {
  const { id, title, note, svg, data, points, table, legend = [], group } = options;
  return html`<figure class="chart" id="${id}" data-group="${group ?? id}">
    <figcaption>
      <h3>${title}</h3>
      <p>${note}</p>
      ${legend.length > 0 && legendOf(legend)}
    </figcaption>
    <div class="plot">
      ${svg}
      ${
        (data ?? points) &&
        html`<input
            class="scrub"
            type="range"
            min="0"
            max="0"
            value="0"
            aria-label="${title}: read values, with the arrow keys"
            hidden
          />
          <div class="tip" aria-hidden="true" hidden></div>`
      }
    </div>
    ${table && dataTable(table)} ${data && jsonElement('chart-data', data)} ${points && jsonElement('map-data', points)}
  </figure>`;
}

export function legendOf(entries: readonly { readonly name: string; readonly colour: number }[]): Html {
  return html`<ul class="legend">
    ${entries.map(({ name, colour }) => html`<li><span class="swatch s${colour}"></span>${name}</li>`)}
  </ul>`;
}

function dataTable(table: Table): Html {
  return html`<details class="data" data-name="${table.caption}">
    <summary>Data table</summary>
    <div class="scroll" tabindex="0" role="region" aria-label="${table.caption}">${plainTable(table)}</div>
  </details>`;
}

export function plainTable({ caption, head, rows }: Table): Html {
  return html`<table>
    <caption class="unseen">
      ${caption}
    </caption>
    <thead>
      <tr>
        ${head.map((cell) => html`<th scope="col">${cell}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${rows.map(
        ([first, ...rest]) =>
          html`<tr>
            <th scope="row">${first}</th>
            ${rest.map((cell) => html`<td>${cell}</td>`)}
          </tr>`,
      )}
    </tbody>
  </table>`;
}

/** A table for a chart shows at most so many rows; the history has all. */
const mostRows = 60;

/** Evenly chosen, the first and the last among them. */
export function someOf<T>(rows: readonly T[]): readonly T[] {
  if (rows.length <= mostRows) return rows;
  return Array.from({ length: mostRows }, (_, i) => rows[Math.round((i * (rows.length - 1)) / (mostRows - 1))]!);
}
