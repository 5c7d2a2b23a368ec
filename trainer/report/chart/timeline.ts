import type { Html } from '../page/html.ts';
import { html } from '../page/html.ts';
import type { Axis } from './frame.ts';
import { px, size } from './frame.ts';
import { scaleLinear } from 'd3-scale';

/** What one start of a stage committed. */
export interface Span {
  readonly generation: number;
  readonly from: number;
  readonly to: number;
}

export interface Timeline {
  readonly x: Axis;
  readonly spans: readonly Span[];
  /** Places of commits; those that are kept are still checkpoints. */
  readonly commits: readonly { readonly x: number; readonly kept: boolean }[];
  readonly summary: string;
}

const [left, right] = [14, size.width - 14];
const [top, bottom] = [26, 50];

/** A bar from the first step to the last one, cut where a start went on from a checkpoint. */
export function timeline({ x: axis, spans, commits, summary }: Timeline): Html {
  const x = scaleLinear(axis.domain, [left, right]);
  const ticks = x.ticks(8).filter((value) => axis.whole !== true || Number.isInteger(value));
  return html`<svg viewBox="0 0 ${size.width} 96" role="img" aria-label="${summary}">
    ${spans.map(({ generation, from, to }, i) => {
      const [begin, end] = [x(from), x(to)];
      return html`<g class="span">
        <rect
          class="s${i % 2 === 0 ? 0 : 1}"
          x="${px(begin + (i === 0 ? 0 : 1.5))}"
          y="${top}"
          width="${px(Math.max(0.5, end - begin - (i === 0 ? 0 : 1.5)))}"
          height="${bottom - top}"
          rx="3"
        />
        ${
          end - begin > 26 &&
          html`<text class="span-name" x="${px((begin + end) / 2)}" y="${top - 8}" text-anchor="middle">
            start ${generation}
          </text>`
        }
      </g>`;
    })}
    ${thinned(commits).map(
      ({ x: place }) =>
        html`<line class="commit" x1="${px(x(place))}" x2="${px(x(place))}" y1="${bottom - 8}" y2="${bottom}" />`,
    )}
    ${commits
      .filter(({ kept }) => kept)
      .map(({ x: place }) => html`<path class="kept" d="M${px(x(place))},${bottom + 3}l4.5,7h-9z" />`)}
    <line class="axis" x1="${left}" x2="${right}" y1="${bottom + 12}" y2="${bottom + 12}" />
    ${ticks.map(
      (value) =>
        html`<text class="tick" x="${px(x(value))}" y="${bottom + 26}" text-anchor="middle"
          >${axis.format(value)}</text
        >`,
    )}
    <text class="name" x="${right}" y="${bottom + 42}" text-anchor="end">${axis.label} →</text>
  </svg>`;
}

/** More marks than a chart has room for are one grey bar: some stand for all. */
function thinned<T>(items: readonly T[]): readonly T[] {
  const every = Math.ceil(items.length / 120);
  return items.filter((_, i) => i % every === 0);
}
