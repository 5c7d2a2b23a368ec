import type { Progress, WorkerStage } from '../../../api/worker.ts';

export type Stage = WorkerStage;

/** How far a stage has come. */
export interface Told {
  readonly generation: number;
  /** Ms of work done, and of all. */
  readonly work: number;
  readonly total: number;
}

const stepMs = 100;
const stepsPerEpoch = 100;

/** What a launcher would tell at a time. */
export function progressOf(stage: Stage, { generation, work, total }: Told, now: number, end?: 'Finished'): Progress {
  const step = Math.floor(work / stepMs);
  const epoch = step / stepsPerEpoch;
  const figures =
    stage === 'pretrain'
      ? { pretrain: { epoch, step, totalSteps: total / stepMs, loss: -step / 1000, outputStd: 0.02 } }
      : { linear: { epoch, top1: 50 + epoch } };
  return {
    stage,
    phase: end ?? (stage === 'pretrain' ? 'Pretraining' : 'LinearEvaluation'),
    generation,
    updatedAt: new Date(now).toISOString(),
    ...figures,
    restarts: { peerLost: 0, hang: 0, failed: 0 },
    lostSteps: 0,
  };
}
