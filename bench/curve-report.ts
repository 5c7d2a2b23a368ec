import type { RunResult } from '../api/run-result.ts';
import type { Line } from '../trainer/report/chart/line-chart.ts';
import { lineChart } from '../trainer/report/chart/line-chart.ts';

/** One epoch of pre-training. */
export interface CurveEpoch {
  /** Epochs done, from 1. */
  readonly epoch: number;
  /** Mean over the steps. */
  readonly loss: number;
  /** Output std as a part of 1/√dim, mean over the steps. */
  readonly std: number;
  readonly effectiveRank: number;
  /** Percent. */
  readonly knnTop1: number;
}

/** Accuracies in percent. */
interface Scores {
  readonly knn: number;
  readonly linear: number;
}

/** A training of examples/cifar10.yaml: the contents of docs/cifar10-curve.json are PyTorch's. */
export interface Training {
  readonly curve: readonly CurveEpoch[];
  readonly pixels: Scores;
  readonly untrained: Scores;
  readonly simsiam: Scores;
}

/** A line of `history.jsonl` as far as a curve needs it. */
export interface StepRecord {
  /** From 0. */
  readonly epoch: number;
  readonly loss: number;
  readonly outputStd: number;
  readonly effectiveRank?: number;
  readonly knnTop1?: number;
}

/**
 * Our training, from a run's history and, once it has one, its result. What isn't known yet is NaN.
 *
 * @param healthyStd 1/√dim
 */
export function trainingOf(records: readonly StepRecord[], healthyStd: number, result?: RunResult): Training {
  const { pretrain, linear, baselines } = result ?? {};
  const epochs = new Map<number, StepRecord[]>();
  for (const record of records) epochs.set(record.epoch, [...(epochs.get(record.epoch) ?? []), record]);
  const mean = (steps: readonly StepRecord[], of: (step: StepRecord) => number): number =>
    steps.reduce((sum, step) => sum + of(step), 0) / steps.length;
  // An epoch is over when its monitors have run.
  const finished = [...epochs].filter(([, steps]) => steps.at(-1)?.knnTop1 !== undefined);
  const curve = finished.map(([epoch, steps]) => ({
    epoch: epoch + 1,
    loss: mean(steps, (step) => step.loss),
    std: mean(steps, (step) => step.outputStd) / healthyStd,
    effectiveRank: steps.at(-1)?.effectiveRank ?? Number.NaN,
    knnTop1: steps.at(-1)?.knnTop1 ?? Number.NaN,
  }));
  const scores = (name: 'rawPixels' | 'untrained'): Scores => ({
    knn: baselines?.[name].knnTop1 ?? Number.NaN,
    linear: baselines?.[name].linearTop1 ?? Number.NaN,
  });
  return {
    curve,
    pixels: scores('rawPixels'),
    untrained: scores('untrained'),
    simsiam: { knn: pretrain?.knnTop1 ?? Number.NaN, linear: linear?.top1 ?? Number.NaN },
  };
}

/** docs/cifar10.md. */
export function curveReport(ours: Training, pytorch: Training): string {
  const pair = (value: (training: Training) => number | undefined, digits: number): string =>
    `${figure(value(ours), digits)} | ${figure(value(pytorch), digits)}`;
  const epochs = pytorch.curve.map((_, i) => {
    const cells = [
      pair(({ curve }) => curve[i]?.loss, 3),
      pair(({ curve }) => curve[i]?.std, 2),
      pair(({ curve }) => curve[i]?.effectiveRank, 0),
      pair(({ curve }) => curve[i]?.knnTop1, 1),
    ];
    return `| ${i + 1} | ${cells.join(' | ')} |`;
  });
  const scores = (['pixels', 'untrained', 'simsiam'] as const).map(
    (name) => `| ${name} | ${pair((side) => side[name].knn, 1)} | ${pair((side) => side[name].linear, 1)} |`,
  );
  return `# CIFAR-10 beside PyTorch

Written by \`npm run bench -- curve\` from a run of [examples/cifar10.yaml](../examples/cifar10.yaml) and from
[cifar10-curve.json](cifar10-curve.json), which \`npm run bench -- cifar\` trained in PyTorch by the same specification.
Both read the same shards, with 20,000 training and 5,000 validation images of the set as JPEGs; on all 50,000 that
\`simsiam dataset fetch cifar10\` brings the figures are others. \`bench/pytorch/\` shares no code with the trainer. The two
draw other random numbers, one seed each; PyTorch's colour jitter has one order of its parts a batch where ours has one an
image, and its views are not rounded to bytes. ${largestGaps(ours, pytorch)}${unfinished(ours, pytorch)}

![kNN top-1 after each epoch, ours and PyTorch's](cifar10.svg)

| epoch | loss | PyTorch | std · √d | PyTorch | effective rank | PyTorch | kNN top-1 % | PyTorch |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
${epochs.join('\n')}

| top-1, percent | kNN | PyTorch | linear | PyTorch |
| --- | --- | --- | --- | --- |
${scores.join('\n')}

Ten epochs of a network of a quarter of the width are what two cores can do, and far too little to learn this set: the
page shows whether the two trainings are alike, not how good the method is. The paper's recipe is 800 epochs at full width.
`;
}

/** How far the curves are from each other. */
function largestGaps(ours: Training, pytorch: Training): string {
  const largest = (value: (epoch: CurveEpoch) => number, digits: number): string =>
    Math.max(...ours.curve.map((epoch, i) => Math.abs(value(epoch) - value(pytorch.curve[i]!)))).toFixed(digits);
  return (
    `After no epoch are the losses further apart than ${largest(({ loss }) => loss, 3)}, ` +
    `and the kNN accuracies than ${largest(({ knnTop1 }) => knnTop1, 1)} points.`
  );
}

function unfinished(ours: Training, pytorch: Training): string {
  const [done, all] = [ours.curve.length, pytorch.curve.length];
  if (done < all) return ` Our run was left after ${done} of ${all} epochs.`;
  return Number.isNaN(ours.simsiam.linear) ? ' Our run was left before its linear evaluation.' : '';
}

function figure(value: number | undefined, digits: number): string {
  return value === undefined || Number.isNaN(value) ? '–' : value.toFixed(digits);
}

/** docs/cifar10.svg: kNN top-1 by epoch, with the pixels' for comparison. */
export function curvePlot(ours: Training, pytorch: Training): string {
  const line = (name: string, colour: number, { curve }: Training): Line => ({
    ...{ name, colour, kind: 'line' as const, place: (x: number) => `epoch ${x}` },
    points: curve.map(({ epoch, knnTop1 }) => ({ x: epoch, y: knnTop1 })),
  });
  const values = [...ours.curve, ...pytorch.curve].map(({ knnTop1 }) => knnTop1);
  const percent = (value: number): string => `${value.toFixed(1)} %`;
  const { svg } = lineChart({
    x: { label: 'epoch', domain: [0, pytorch.curve.length], format: String, whole: true },
    y: {
      ...{ label: 'kNN top-1', format: percent, unit: ' %' },
      domain: [Math.floor(Math.min(...values)) - 1, Math.ceil(Math.max(...values, pytorch.pixels.knn)) + 1],
    },
    lines: [line('ours', 1, ours), line('PyTorch', 2, pytorch)],
    references: [{ name: 'bare pixels', y: pytorch.pixels.knn, side: 'left' }],
    named: true,
    summary: 'kNN top-1 by epoch, ours and PyTorch',
  });
  const style = `<style>svg{background:#fff;font:11px sans-serif;fill:#333}.grid{stroke:#e5e5e5}.axis,.mark{stroke:#999}
.reference{stroke:#999;stroke-dasharray:4 3}path{fill:none;stroke-width:2}.s1{stroke:#2a6fdb}.s2{stroke:#d9822b}
.dots{stroke:none}.dots.s1,.end.s1{fill:#2a6fdb;stroke:none}.dots.s2,.end.s2{fill:#d9822b;stroke:none}</style>`;
  return svg.text.replace('<svg ', '<svg xmlns="http://www.w3.org/2000/svg" ').replace('>', `>${style}`);
}
