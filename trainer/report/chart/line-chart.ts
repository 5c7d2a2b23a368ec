import { line as linePath } from 'd3-shape';

import type { Html } from '../page/html.ts';
import { html } from '../page/html.ts';
import { dodge } from './dodge.ts';
import type { Axis, Frame } from './frame.ts';
import { axes, frameOf, px, size } from './frame.ts';
import type { Point } from './min-max.ts';

/** A series of a chart. */
export interface Line {
  readonly name: string;
  /** Place in the palette. */
  readonly colour: number;
  readonly points: readonly Point[];
  /** `trace`: every step, thin and behind; it isn't read out. `line`: what is read. */
  readonly kind: 'trace' | 'line';
  /** Says where a point is: `epoch 3`. */
  readonly place: (x: number) => string;
}

/** A level to compare with. */
export interface Reference {
  readonly name: string;
  readonly y: number;
  /** Where its name stands; default: right. */
  readonly side?: 'left' | 'right';
}

export interface LineChart {
  readonly x: Axis;
  readonly y: Axis;
  readonly lines: readonly Line[];
  readonly references?: readonly Reference[];
  /** From 0, or the axis's begin, up to here something is wrong. */
  readonly alarm?: { readonly name: string; readonly below: number } | undefined;
  /** Names at the ends of the lines. */
  readonly named?: boolean;
  /** The whole in words, for those who don't see it. */
  readonly summary: string;
}

/** What the page's script knows of a chart: places in the view box and texts, ready to be shown. */
export interface ChartData {
  readonly frame: readonly [left: number, right: number, top: number, bottom: number];
  readonly lines: readonly {
    readonly name: string;
    readonly colour: number;
    readonly points: readonly (readonly [x: number, y: number, label: string, value: string])[];
  }[];
}

/** Names of lines are at most so wide. */
const nameRoom = 64;

export function lineChart(chart: LineChart): { svg: Html; data: ChartData } {
  const { x, y, lines, summary } = chart;
  const frame = frameOf(x, y, chart.named === true ? nameRoom : undefined);
  const shape = linePath<Point>(
    (point) => frame.x(point.x),
    (point) => frame.y(point.y),
  ).digits(1);
  const svg = html`<svg viewBox="0 0 ${size.width} ${size.height}" role="img" aria-label="${summary}">
    ${levels(frame, chart)} ${axes(frame, x, y)}
    ${lines.map(({ points, colour, kind }) => html`<path class="${kind} s${colour}" d="${shape(points) ?? ''}" />`)}
    ${lines
      .filter(isSparse)
      .map(
        ({ points, colour }) =>
          html`<g class="dots s${colour}">
            ${points.map((point) => html`<circle cx="${px(frame.x(point.x))}" cy="${px(frame.y(point.y))}" r="2.2" />`)}
          </g>`,
      )}
    ${levelNames(frame, chart)} ${chart.named === true && names(frame, lines)}
    <g class="cursor"></g>
  </svg>`;
  return { svg, data: chartData(frame, chart) };
}

/** Few points are shown as what they are. */
function isSparse({ kind, points }: Line): boolean {
  return kind === 'line' && points.length <= 40;
}

/** Where something is wrong, and the levels to compare with: behind the lines. */
function levels({ left, right, bottom, y }: Frame, { alarm, references = [] }: LineChart): Html {
  const top = alarm && Math.max(y(alarm.below), y.range()[1]!);
  return html`<g>
    ${
      top !== undefined &&
      html`<rect class="alarm" x="${left}" y="${px(top)}" width="${right - left}" height="${px(bottom - top)}" />`
    }
    ${references.map(
      ({ y: level }) =>
        html`<line class="reference" x1="${left}" x2="${right}" y1="${px(y(level))}" y2="${px(y(level))}" />`,
    )}
  </g>`;
}

/** The levels' names, before the lines. */
function levelNames({ left, right, top, bottom, y }: Frame, { alarm, references = [] }: LineChart): Html {
  const places = dodge(
    references.map((reference) => y(reference.y) - 4),
    12,
    top + 4,
    bottom - 3,
  );
  const text = (name: string, place: number, side: 'left' | 'right'): Html =>
    html`<text
      x="${side === 'right' ? right - 4 : left + 6}"
      y="${px(place)}"
      text-anchor="${side === 'right' ? 'end' : 'start'}"
    >
      ${name}
    </text>`;
  return html`<g class="level-names">
    ${references.map(({ name, side = 'right' }, i) => text(name, places[i]!, side))}
    ${alarm && html`<g class="alarm-name">${text(alarm.name, Math.min(bottom - 5, y(alarm.below) + 13), 'right')}</g>`}
  </g>`;
}

function names({ right, top, bottom, y }: Frame, lines: readonly Line[]): Html[] {
  const ended = lines.filter(({ kind, points }) => kind === 'line' && points.length > 0);
  const places = dodge(
    ended.map(({ points }) => y(points.at(-1)!.y) + 4),
    13,
    top,
    bottom,
  );
  return ended.map(
    ({ name, colour }, i) => html`<text class="end s${colour}" x="${right + 6}" y="${px(places[i]!)}">${name}</text>`,
  );
}

function chartData(frame: Frame, { y, lines }: LineChart): ChartData {
  const { left, right, top, bottom } = frame;
  return {
    frame: [left, right, top, bottom],
    lines: lines
      .filter(({ kind }) => kind === 'line')
      .map(({ name, colour, points, place }) => ({
        ...{ name, colour },
        points: points.map((point) => [px(frame.x(point.x)), px(frame.y(point.y)), place(point.x), y.format(point.y)]),
      })),
  };
}
