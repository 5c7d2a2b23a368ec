import type { Html } from '../page/html.ts';
import { html } from '../page/html.ts';
import type { Axis } from './frame.ts';
import { axes, frameOf, px, size } from './frame.ts';
import type { ChartData } from './line-chart.ts';

/** A bar, of parts that are laid one on the other in the order of the chart's `parts`. */
export interface StackedBar {
  readonly x: number;
  readonly values: readonly number[];
  /** `epoch 3`. */
  readonly place: string;
}

export interface StackedBars {
  readonly x: Axis;
  readonly y: Axis;
  readonly parts: readonly { readonly name: string; readonly colour: number }[];
  readonly bars: readonly StackedBar[];
  /** Of a bar, in units of x. */
  readonly width: number;
  readonly summary: string;
}

export function stackedBars({ x, y, parts, bars, width, summary }: StackedBars): { svg: Html; data: ChartData } {
  const frame = frameOf(x, y);
  const side = Math.max(1, (frame.x(width) - frame.x(0)) * 0.82);
  const tops = bars.map(({ values }) => values.map((_, i) => sum(values.slice(0, i + 1))));
  const rectangles = parts.map(
    ({ colour }, part) =>
      html`<g class="bar s${colour}">
        ${bars.map(({ x: place, values }, i) => {
          const top = frame.y(tops[i]![part]!);
          const height = frame.y(tops[i]![part]! - values[part]!) - top;
          if (height < 0.05) return undefined;
          return html`<rect
            x="${px(frame.x(place) - side / 2)}"
            y="${px(top)}"
            width="${px(side)}"
            height="${px(height)}"
          />`;
        })}
      </g>`,
  );
  const svg = html`<svg viewBox="0 0 ${size.width} ${size.height}" role="img" aria-label="${summary}">
    ${axes(frame, x, y)} ${rectangles}
    <g class="cursor"></g>
  </svg>`;
  const { left, right, top, bottom } = frame;
  const data: ChartData = {
    frame: [left, right, top, bottom],
    lines: parts.map((part, index) => ({
      ...part,
      points: bars.map(({ x: place, values, place: label }, i) => [
        px(frame.x(place)),
        px(frame.y(tops[i]![index]!)),
        label,
        y.format(values[index]!),
      ]),
    })),
  };
  return { svg, data };
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}
