import type { Axis } from '../chart/frame.ts';
import { domainOf } from '../chart/frame.ts';
import type { Line } from '../chart/line-chart.ts';
import type { Point } from '../chart/min-max.ts';
import { labelsOf } from '../labels.ts';
import type { RunData, StageData } from '../source/run-data.ts';

/** A run on a page: its data, the name that tells it from the others, and its place in the palette. */
export interface RunView {
  readonly label: string;
  readonly colour: number;
  readonly data: RunData;
}

/** The runs of a page, in their order. */
export function viewsOf(runs: readonly RunData[]): RunView[] {
  const labels = labelsOf(runs.map(({ uri, run }) => ({ uri, name: run.metadata.name })));
  return runs.map((data, i) => ({ label: labels[i]!, colour: i, data }));
}

/** Fewer epochs than this are shown step by step. */
const epochsForMeans = 4;

type StageName = 'pretrain' | 'linear';

/** How the steps of a stage lie on an axis: in epochs, where it is known how many steps these have. */
export function stageAxis(views: readonly RunView[], stage: StageName): Axis {
  const stages = views.map(({ data }) => data[stage]).filter((found) => found !== undefined);
  const byEpoch = stages.every(({ stepsPerEpoch }) => stepsPerEpoch !== undefined);
  const last = Math.max(1, ...stages.map(({ step, stepsPerEpoch }) => (byEpoch ? step / stepsPerEpoch! : step)));
  return { label: byEpoch ? 'epoch' : 'step', domain: [0, last], format: String, whole: true };
}

/** A figure of each run, epoch by epoch; with one run, the single steps lie behind it. */
export function linesOf(views: readonly RunView[], stage: StageName, figure: string, axis: Axis): Line[] {
  return views.flatMap(({ label, colour, data }) => {
    const found = data[stage];
    const steps = found?.steps[figure];
    if (found === undefined || steps === undefined || steps.length === 0) return [];
    const unit = axis.label === 'epoch' ? found.stepsPerEpoch! : 1;
    const points = steps.map(({ x, y }) => ({ x: x / unit, y }));
    const base = { name: label, colour };
    const ofStep = { ...base, points, place: (x: number): string => stepPlace(axis, x, unit) };
    // What is measured once an epoch has no steps to take a mean of.
    const isRare = steps.length <= found.epochs.length;
    if (isRare || axis.label !== 'epoch' || found.epochs.length < epochsForMeans) return [{ ...ofStep, kind: 'line' }];
    const means: Line = { ...base, kind: 'line', points: epochMeans(found, figure), place: epochPlace };
    return views.length === 1 ? [{ ...ofStep, kind: 'trace' }, means] : [means];
  });
}

/** At the middles of the epochs. */
function epochMeans({ epochs }: StageData, figure: string): Point[] {
  return epochs.flatMap(({ epoch, means }) => {
    const y = means[figure];
    return y === undefined ? [] : [{ x: epoch + 0.5, y }];
  });
}

export function epochPlace(x: number): string {
  return `epoch ${Math.max(1, Math.ceil(x - 1e-9))}`;
}

function stepPlace(axis: Axis, x: number, unit: number): string {
  const step = `step ${Math.round(x * unit)}`;
  return axis.label === 'epoch' ? `${epochPlace(x)}, ${step}` : step;
}

/** A y axis that holds the lines, and other levels that must be seen. */
export function axisFor(
  label: string,
  lines: readonly Line[],
  levels: readonly number[],
  format: (value: number) => string,
  unit = '',
): Axis {
  return {
    label,
    domain: domainOf([...lines.flatMap(({ points }) => points.map(({ y }) => y)), ...levels]),
    format,
    unit,
  };
}

/** The last value of a figure that is known. */
export function latest(stage: StageData | undefined, figure: string): number | undefined {
  return stage?.steps[figure]?.at(-1)?.y;
}
