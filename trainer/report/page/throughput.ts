import { formatDuration, formatFigure } from '../../telemetry/format.ts';
import { domainOf } from '../chart/frame.ts';
import type { Line } from '../chart/line-chart.ts';
import type { StackedBar } from '../chart/stacked-bars.ts';
import { stackedBars } from '../chart/stacked-bars.ts';
import type { EpochTiming } from '../source/timings.ts';
import { figure, someOf } from './figure.ts';
import type { Html } from './html.ts';
import type { RunView } from './run-view.ts';
import { epochPlace } from './run-view.ts';
import { stageChart } from './stage-charts.ts';

const group = 'pretraining';

/** More bars than this are too thin to be told apart. */
const mostBars = 80;

/** Images a second, and where the time of an epoch goes. */
export function throughputCharts(views: readonly RunView[]): (Html | undefined)[] {
  return [samplesPerSecond(views), views.length === 1 ? parts(views[0]!) : undefined];
}

function epochsOf(views: readonly RunView[]): number {
  return Math.max(1, ...views.map(({ data }) => (data.timings.at(-1)?.epoch ?? 0) + 1));
}

function samplesPerSecond(views: readonly RunView[]): Html | undefined {
  const lines = views.map(({ label, colour, data }): Line => ({
    ...{ name: label, colour, kind: 'line', place: epochPlace },
    points: data.timings.map((timing) => ({ x: timing.epoch + 0.5, y: timing.samplesPerSecond })),
  }));
  const values = lines.flatMap(({ points }) => points.map(({ y }) => y));
  return stageChart({
    ...{ id: 'throughput', title: 'Throughput', group, views },
    note: 'Images a second over all ranks, without what is measured at the end of an epoch.',
    chart: {
      x: { label: 'epoch', domain: [0, epochsOf(views)], format: String, whole: true },
      y: { label: 'images/s', domain: [0, domainOf([0, ...values])[1]], format: formatFigure },
      lines,
    },
  });
}

const partNames = {
  step: 'step, collectives within',
  data: 'waiting for images',
  evaluation: 'kNN and rank',
  checkpoint: 'waiting for a checkpoint',
} as const;
type Part = keyof typeof partNames;
const partOrder: readonly Part[] = ['step', 'data', 'evaluation', 'checkpoint'];

function parts({ data: { timings } }: RunView): Html | undefined {
  const timed = timings.filter(({ seconds }) => partOrder.some((part) => seconds[part] !== undefined));
  if (timed.length === 0) return undefined;
  const totals = partOrder.map((part) => timed.reduce((sum, { seconds }) => sum + (seconds[part] ?? 0), 0));
  const whole = totals.reduce((a, b) => a + b) || 1;
  const shares = partOrder.map((part, i) => `${partNames[part]} ${Math.round((100 * totals[i]!) / whole)} %`);
  const [bars, width] = barsOf(timed);
  const highest = Math.max(...bars.map(({ values }) => values.reduce((a, b) => a + b, 0)));
  const colours = partOrder.map((part, i) => ({ name: partNames[part], colour: i }));
  const rows = someOf(timed).map(({ epoch, seconds }) => [
    String(epoch + 1),
    ...partOrder.map((part) => `${seconds[part] ?? 0} s`),
  ]);
  return figure({
    ...{ id: 'parts', title: 'Where the time goes', group },
    note: `Of an epoch, as the steps of rank 0 saw it. In all: ${shares.join(', ')}.`,
    ...stackedBars({
      x: { label: 'epoch', domain: [0, timed.at(-1)!.epoch + 1], format: String, whole: true },
      y: { label: 'seconds', domain: [0, domainOf([0, highest])[1]], format: secondsText, unit: ' s' },
      ...{ parts: colours, bars, width },
      summary: `Where the time of ${timed.length} epochs goes: ${shares.join(', ')}.`,
    }),
    legend: colours,
    table: { caption: 'Seconds by part', head: ['epoch', ...partOrder.map((part) => partNames[part])], rows },
  });
}

/** Neighbouring epochs share a bar of their means where there are too many. */
function barsOf(timings: readonly EpochTiming[]): [StackedBar[], number] {
  const width = Math.ceil((timings.at(-1)!.epoch + 1) / mostBars);
  const bins = new Map<number, EpochTiming[]>();
  for (const timing of timings) {
    const bin = Math.floor(timing.epoch / width);
    bins.set(bin, [...(bins.get(bin) ?? []), timing]);
  }
  const bars = [...bins].map(([bin, members]) => ({
    x: (bin + 0.5) * width,
    values: partOrder.map(
      (part) => members.reduce((sum, { seconds }) => sum + (seconds[part] ?? 0), 0) / members.length,
    ),
    place: width === 1 ? `epoch ${bin + 1}` : `epochs ${bin * width + 1} to ${(bin + 1) * width}, mean`,
  }));
  return [bars, width];
}

function secondsText(seconds: number): string {
  return seconds < 60 ? `${Number(seconds.toPrecision(3))} s` : formatDuration(seconds);
}
