import { scaleLinear } from 'd3-scale';

import type { Html } from '../page/html.ts';
import { html } from '../page/html.ts';
import { px } from './frame.ts';
import type { Point } from './min-max.ts';

/** Points of one kind, all in one colour. */
export interface PointGroup {
  readonly name: string;
  /** Places in the chart's `places`. */
  readonly members: readonly number[];
}

export interface PointMap {
  readonly places: readonly Point[];
  readonly groups: readonly PointGroup[];
  /** Names stand at the middles of their groups. */
  readonly named: boolean;
  readonly summary: string;
}

const [width, height, margin] = [520, 600, 18];

/** So many groups have a colour of the palette each; more are told apart by their hue as well as can be. */
const paletteSize = 8;

/** The most that can be read at all. */
const mostNames = 24;

/** Points in the plane, by group. The axes mean nothing and aren't shown. */
export function pointMap({ places, groups, named, summary }: PointMap): { svg: Html; dots: readonly Point[] } {
  const [xs, ys] = [places.map(({ x }) => x), places.map(({ y }) => y)];
  const x = scaleLinear([Math.min(...xs), Math.max(...xs)], [margin, width - margin]);
  const y = scaleLinear([Math.min(...ys), Math.max(...ys)], [height - margin, margin]);
  const dots = places.map((place) => ({ x: px(x(place.x)), y: px(y(place.y)) }));
  const svg = html`<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${summary}">
    ${groups.map(({ members }, i) => {
      // Lines of no length with round caps: one element a group, however many points.
      const path = members.map((member) => `M${dots[member]!.x},${dots[member]!.y}h0`).join('');
      return groups.length <= paletteSize
        ? html`<path class="points s${i}" d="${path}" />`
        : html`<path class="points" color="${hue(i, groups.length)}" d="${path}" />`;
    })}
    ${
      named &&
      groups.length <= mostNames &&
      groups.map(({ name, members }) => {
        const at = middle(members.map((member) => dots[member]!));
        return html`<text class="class-name" x="${at.x}" y="${at.y + 4}" text-anchor="middle">${name}</text>`;
      })
    }
    <g class="cursor"></g>
  </svg>`;
  return { svg, dots };
}

/** Of middle lightness, which can be seen on light and on dark. */
function hue(i: number, count: number): string {
  return `hsl(${Math.round((360 * i) / count)} 62% ${i % 2 === 0 ? 46 : 58}%)`;
}

/** The medians: a few points far away don't pull a name away from its group. */
function middle(points: readonly Point[]): Point {
  const median = (values: number[]): number => values.sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
  return { x: median(points.map(({ x }) => x)), y: median(points.map(({ y }) => y)) };
}
