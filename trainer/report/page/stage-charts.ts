import type { Axis } from '../chart/frame.ts';
import type { Line, LineChart } from '../chart/line-chart.ts';
import { lineChart } from '../chart/line-chart.ts';
import type { FigureOptions, Table } from './figure.ts';
import { figure, someOf } from './figure.ts';
import type { Html } from './html.ts';
import type { RunView } from './run-view.ts';

export interface StageChart extends Pick<FigureOptions, 'id' | 'title' | 'note' | 'group'> {
  readonly views: readonly RunView[];
  readonly chart: Omit<LineChart, 'summary'>;
}

/** The figure of a chart over steps or epochs. Nothing where no run has any of it. */
export function stageChart({ id, title, note, group, views, chart }: StageChart): Html | undefined {
  const lines = chart.lines.filter(({ kind, points }) => kind === 'line' && points.length > 0);
  if (lines.length === 0) return undefined;
  const summary = `${title}. ${lines.map((line) => wordsOf(line, chart.y, lines.length > 1)).join(' ')}`;
  return figure({
    ...{ id, title, note },
    ...(group !== undefined && { group }),
    ...lineChart({ ...chart, summary }),
    table: tableOf(title, lines, chart.y),
    ...(views.length > 1 && { legend: views.map(({ label, colour }) => ({ name: label, colour })) }),
  });
}

/** `digits: from 0.01 at epoch 1 to -0.9 at epoch 16; least -0.92, greatest 0.01.` */
function wordsOf({ name, points, place }: Line, { format }: Axis, named: boolean): string {
  const [first, last] = [points[0]!, points.at(-1)!];
  const values = points.map(({ y }) => y);
  const least = format(values.reduce((a, b) => Math.min(a, b)));
  const greatest = format(values.reduce((a, b) => Math.max(a, b)));
  const course = `from ${format(first.y)} at ${place(first.x)} to ${format(last.y)} at ${place(last.x)}`;
  return `${named ? `${name}: ` : ''}${course}; least ${least}, greatest ${greatest}.`;
}

/** A column a line; rows by place. */
function tableOf(title: string, lines: readonly Line[], { format }: Axis): Table {
  const rows = new Map<string, Map<Line, string>>();
  const places = lines
    .flatMap((line) => line.points.map(({ x, y }) => ({ x, line, at: line.place(x), value: format(y) })))
    .sort((a, b) => a.x - b.x);
  for (const { line, at, value } of places) rows.set(at, (rows.get(at) ?? new Map<Line, string>()).set(line, value));
  return {
    caption: `${title}: data`,
    head: ['at', ...lines.map(({ name }) => name)],
    rows: someOf([...rows]).map(([at, values]) => [at, ...lines.map((line) => values.get(line) ?? '')]),
  };
}
