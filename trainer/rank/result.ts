import type { RunResult } from '../../api/run-result.ts';
import type { SimSiamRun } from '../../api/run.ts';
import type { HistoryRecord } from '../checkpoint/json.ts';
import { healthyOutputStd, type CollapseKind } from '../evaluate/collapse.ts';

interface ResultInput {
  readonly run: SimSiamRun;
  /** Of pre-training, whole. */
  readonly history: readonly HistoryRecord[];
  /** The alarm that stood at the end. */
  readonly collapse: CollapseKind | null;
  readonly linear: RunResult['linear'];
  readonly baselines: RunResult['baselines'];
  readonly ranks: number;
  readonly durationSeconds: number;
}

/** What `result.json` says of a finished run. Pure. */
export function resultOf({
  run,
  history,
  collapse,
  linear,
  baselines,
  ranks,
  durationSeconds,
}: ResultInput): RunResult {
  const last = history.at(-1);
  const latest = (field: string): number | undefined =>
    history.findLast((record) => record[field] !== undefined)?.[field] as number | undefined;
  const samples = latest('effectiveRankSamples');
  const knnTop1 = latest('knnTop1');
  const { dim } = run.spec.pretrain;
  return {
    phase: 'Complete',
    pretrain: {
      epochs: last === undefined ? 0 : (last['epoch'] as number) + 1,
      steps: last?.step ?? 0,
      ...(last && { finalLoss: last['loss'] as number, outputStd: last['outputStd'] as number }),
      healthyStd: healthyOutputStd(dim),
      ...(samples === undefined
        ? {}
        : {
            effectiveRank: latest('effectiveRank')!,
            effectiveRankLimit: Math.min(samples, dim),
            effectiveRankSamples: samples,
          }),
      collapse,
      ...(knnTop1 === undefined ? {} : { knnTop1 }),
    },
    ...(linear ? { linear } : {}),
    ...(baselines ? { baselines } : {}),
    ranks,
    durationSeconds,
  };
}
