import { scaleLinear } from 'd3-scale';

import { formatPercent } from '../../telemetry/format.ts';
import type { Html } from '../page/html.ts';
import { html } from '../page/html.ts';
import { px } from './frame.ts';

/** A score in percent of a run or of a baseline. */
export interface ScoreRow {
  readonly name: string;
  readonly percent: number;
  /** Place in the palette; baselines have none. */
  readonly colour?: number;
}

const width = 520;
const [left, right] = [136, 456];
const rowHeight = 26;

/**
 * Scores as dots on one scale, the baselines first. What lies between the better baseline and a run is what pre-training
 * was worth.
 *
 * @param domain Of the scale, the same for scores that are compared.
 */
export function scorePlot(rows: readonly ScoreRow[], domain: readonly [number, number], summary: string): Html {
  const x = scaleLinear(domain, [left, right]);
  const height = rows.length * rowHeight + 26;
  const bars = rows.filter(({ colour }) => colour === undefined).map(({ percent }) => percent);
  const bar = bars.length > 0 ? Math.max(...bars) : undefined;
  const bottom = rows.length * rowHeight + 4;
  return html`<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${summary}">
    ${x
      .ticks(4)
      .map(
        (tick) =>
          html`<line class="grid" x1="${px(x(tick))}" x2="${px(x(tick))}" y1="4" y2="${bottom}" />
            <text class="tick" x="${px(x(tick))}" y="${bottom + 15}" text-anchor="middle">${tick} %</text>`,
      )}
    ${rows.map(({ name, percent, colour }, i) => {
      const y = 4 + (i + 0.5) * rowHeight;
      // Beyond the line from the better baseline, if that leads to the right.
      const end = x(colour === undefined ? percent : Math.max(percent, bar ?? percent));
      const tone = colour === undefined ? 'baseline' : `s${colour}`;
      return html`<g class="score ${tone}">
        <text class="row-name" x="${left - 12}" y="${y + 4}" text-anchor="end">${short(name)}</text>
        ${
          colour !== undefined &&
          bar !== undefined &&
          html`<line class="gain" x1="${px(x(bar))}" x2="${px(x(percent))}" y1="${y}" y2="${y}" />`
        }
        <circle cx="${px(x(percent))}" cy="${y}" r="5.5" />
        <text class="value" x="${px(end + 11)}" y="${y + 4}">${formatPercent(percent)}</text>
      </g>`;
    })}
  </svg>`;
}

/** A scale that shows the differences and has room around them, within 0 to 100. */
export function scoreDomain(percents: readonly number[]): [number, number] {
  const [least, greatest] = [Math.min(...percents), Math.max(...percents)];
  const room = Math.max(2, (greatest - least) * 0.2);
  return scaleLinear([Math.max(0, least - room), Math.min(100, greatest + room)], [0, 1])
    .nice(5)
    .domain() as [number, number];
}

/** Names of rows are as wide as the margin. */
function short(name: string): string {
  return name.length <= 21 ? name : `${name.slice(0, 20)}…`;
}
