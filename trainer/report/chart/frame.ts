import type { ScaleLinear } from 'd3-scale';
import { scaleLinear } from 'd3-scale';

import type { Html } from '../page/html.ts';
import { html } from '../page/html.ts';

/** Units of the view box, at the usual width of a chart about a CSS pixel. */
export const size = { width: 520, height: 230 } as const;

/** An axis. */
export interface Axis {
  readonly label: string;
  readonly domain: readonly [number, number];
  /** For a value of a point. */
  readonly format: (value: number) => string;
  /** After the numbers at the axis: ` %`. */
  readonly unit?: string;
  /** Only whole numbers are marked. */
  readonly whole?: boolean;
}

/** A chart's plotting area. */
export interface Frame {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  readonly x: ScaleLinear<number, number>;
  readonly y: ScaleLinear<number, number>;
}

/** @param marginRight Room for labels at the ends of lines. */
export function frameOf(x: Axis, y: Axis, marginRight = 14): Frame {
  const [left, right, top, bottom] = [50, size.width - marginRight, 22, size.height - 34];
  return {
    ...{ left, right, top, bottom },
    x: scaleLinear(x.domain, [left, right]),
    y: scaleLinear(y.domain, [bottom, top]),
  };
}

/** Grid, numbers and names of both axes. */
export function axes(frame: Frame, x: Axis, y: Axis): Html {
  const { left, right, top, bottom } = frame;
  // As many decimals as all marks need, not as many as each has.
  const [xText, yText] = [frame.x.tickFormat(7), frame.y.tickFormat(5)];
  const yTicks = frame.y
    .ticks(5)
    .map(
      (value) =>
        html`<line class="grid" x1="${left}" x2="${right}" y1="${px(frame.y(value))}" y2="${px(frame.y(value))}" />
          <text class="tick" x="${left - 8}" y="${px(frame.y(value) + 3.5)}" text-anchor="end"
            >${yText(value)}${y.unit}</text
          >`,
    );
  const wanted = frame.x.ticks(7).filter((value) => x.whole !== true || Number.isInteger(value));
  const xTicks = wanted.map(
    (value) =>
      html`<line class="mark" x1="${px(frame.x(value))}" x2="${px(frame.x(value))}" y1="${bottom}" y2="${bottom + 4}" />
        <text class="tick" x="${px(frame.x(value))}" y="${bottom + 16}" text-anchor="middle"
          >${xText(value)}${x.unit}</text
        >`,
  );
  return html`<g>
    ${yTicks}
    <line class="axis" x1="${left}" x2="${right}" y1="${bottom}" y2="${bottom}" />
    ${xTicks}
    <text class="name" x="${right}" y="${size.height - 3}" text-anchor="end">${x.label} →</text>
    <text class="name" x="${left - 42}" y="${top - 10}">↑ ${y.label}</text>
  </g>`;
}

/** A coordinate: a tenth of a unit is as fine as anyone sees. */
export function px(value: number): number {
  return Math.round(value * 10) / 10;
}

/** The least domain that holds all values, rounded outwards; from 0 where they are near it. */
export function domainOf(values: readonly number[]): [number, number] {
  const finite = values.filter(Number.isFinite);
  if (finite.length === 0) return [0, 1];
  const [least, greatest] = [finite.reduce((a, b) => Math.min(a, b)), finite.reduce((a, b) => Math.max(a, b))];
  const room = (greatest - least || Math.abs(greatest) || 1) * 0.08;
  const from = least >= 0 && least < (greatest - least) * 1.5 ? 0 : least - room;
  const to = greatest <= 0 && from < 0 && -greatest < (greatest - least) * 0.2 ? 0 : greatest + room;
  return scaleLinear([from, to], [0, 1]).nice(5).domain() as [number, number];
}
