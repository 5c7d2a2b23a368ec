import type { RunObject } from '../../operator/kube/objects.ts';
import { healthyOutputStd } from '../../trainer/evaluate/collapse.ts';
import { formatFigure, formatPercent } from '../../trainer/telemetry/format.ts';
import { gpusOf, linearFigures, pretrainFigures } from './figures.ts';
import { ageOf } from './status-text.ts';
import { columns } from './table.ts';

interface Column {
  readonly name: string;
  readonly cell: (run: RunObject, now: number) => string;
}

const all: readonly Column[] = [
  { name: 'NAMESPACE', cell: ({ metadata }) => metadata.namespace ?? '' },
  { name: 'NAME', cell: ({ metadata }) => metadata.name },
  { name: 'PHASE', cell: ({ status }) => status?.phase ?? 'Pending' },
  { name: 'GPUS', cell: (run) => String(gpusOf({ run })) },
  {
    name: 'EPOCH',
    cell: (run) => `${Math.floor(pretrainFigures({ run }).epoch ?? 0)}/${run.spec.pretrain.epochs}`,
  },
  { name: 'LOSS', cell: (run) => figure(pretrainFigures({ run }).loss, (loss) => loss.toFixed(3)) },
  {
    name: 'STD×√D',
    // 1 is healthy, whatever the size of the output.
    cell: (run) =>
      figure(pretrainFigures({ run }).outputStd, (std) => (std / healthyOutputStd(run.spec.pretrain.dim)).toFixed(2)),
  },
  { name: 'RANK', cell: (run) => figure(pretrainFigures({ run }).effectiveRank, formatFigure) },
  { name: 'KNN', cell: (run) => figure(pretrainFigures({ run }).knnTop1, formatPercent) },
  { name: 'TOP-1', cell: (run) => figure(linearFigures({ run }).top1, formatPercent) },
  { name: 'IMAGES/S', cell: (run) => figure(pretrainFigures({ run }).samplesPerSecond, formatFigure) },
  { name: 'RESTARTS', cell: ({ status }) => String(status?.restarts?.total ?? 0) },
  { name: 'AGE', cell: ({ metadata }, now) => ageOf(metadata.creationTimestamp, now) },
];

/** What a narrow terminal goes without, the first one first. */
const dispensable: readonly string[] = ['GPUS', 'RANK', 'IMAGES/S', 'RESTARTS', 'TOP-1', 'AGE', 'STD×√D', 'LOSS'];

/**
 * A line a run. Pure.
 *
 * @param everywhere whether the namespaces are shown
 * @param now ms since 1970
 * @param width of the terminal: columns that have no room are left out
 */
export function runsTable(runs: readonly RunObject[], everywhere: boolean, now: number, width = Infinity): string[] {
  if (runs.length === 0) return ['there are no SimSiamRuns'];
  const wanted = everywhere ? all : all.filter(({ name }) => name !== 'NAMESPACE');
  for (let without = 0; ; without++) {
    const left = new Set(dispensable.slice(0, without));
    const lines = tableOf(
      wanted.filter(({ name }) => !left.has(name)),
      runs,
      now,
    );
    if (without === dispensable.length || lines.every((line) => line.length <= width)) return lines;
  }
}

function tableOf(shown: readonly Column[], runs: readonly RunObject[], now: number): string[] {
  return columns([shown.map(({ name }) => name), ...runs.map((run) => shown.map(({ cell }) => cell(run, now)))]);
}

function figure(value: number | undefined, format: (value: number) => string): string {
  return value === undefined ? '-' : format(value);
}
