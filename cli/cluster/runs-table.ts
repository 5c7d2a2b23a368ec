import type { RunObject } from '../../operator/kube/objects.ts';
import { healthyOutputStd } from '../../trainer/evaluate/collapse.ts';
import { formatFigure, formatPercent } from '../../trainer/telemetry/format.ts';
import { gpusOf, linearFigures, pretrainFigures } from './figures.ts';
import { ageOf } from './status-text.ts';
import { columns } from './table.ts';

/** A line a run. Pure. `now`: ms since 1970. */
export function runsTable(runs: readonly RunObject[], everywhere: boolean, now: number): string[] {
  if (runs.length === 0) return ['there are no SimSiamRuns'];
  const head = [
    'NAME',
    'PHASE',
    'GPUS',
    'EPOCH',
    'LOSS',
    'STD×√D',
    'RANK',
    'KNN',
    'TOP-1',
    'IMAGES/S',
    'RESTARTS',
    'AGE',
  ];
  const rows = runs.map((run) => {
    const { epoch, loss, outputStd, effectiveRank, knnTop1, samplesPerSecond } = pretrainFigures({ run });
    return [
      run.metadata.name,
      run.status?.phase ?? 'Pending',
      String(gpusOf({ run })),
      `${Math.floor(epoch ?? 0)}/${run.spec.pretrain.epochs}`,
      figure(loss, (value) => value.toFixed(3)),
      // 1 is healthy, whatever the size of the output.
      figure(outputStd, (std) => (std / healthyOutputStd(run.spec.pretrain.dim)).toFixed(2)),
      figure(effectiveRank, formatFigure),
      figure(knnTop1, formatPercent),
      figure(linearFigures({ run }).top1, formatPercent),
      figure(samplesPerSecond, formatFigure),
      String(run.status?.restarts?.total ?? 0),
      ageOf(run.metadata.creationTimestamp, now),
    ];
  });
  if (!everywhere) return columns([head, ...rows]);
  return columns([['NAMESPACE', ...head], ...rows.map((row, i) => [runs[i]!.metadata.namespace ?? '', ...row])]);
}

function figure(value: number | undefined, format: (value: number) => string): string {
  return value === undefined ? '-' : format(value);
}
