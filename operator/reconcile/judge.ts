import type { SimSiamRun } from '../../api/run.ts';
import type { WorkerStage } from '../../api/worker.ts';
import type { Frozen } from '../resources/freeze.ts';
import { findCondition, holds } from './conditions.ts';
import { deadlineOf } from './active-time.ts';
import { explainFailure } from './explain-failure.ts';
import { endOfJob, settledAt } from './jobs.ts';
import type { Observed } from './observed.ts';

/** How far a run is. What is decided once stays so, whatever becomes of the objects that it was seen from. */
export type Verdict =
  /** `wakeAt`: when the end of the stage's Job may be told, in ms since 1970. */
  | { readonly type: 'ongoing'; readonly stage: WorkerStage; readonly wakeAt?: number }
  | { readonly type: 'complete' }
  | { readonly type: 'failed'; readonly reason: string; readonly message: string };

export function judge(observed: Observed, frozen: Frozen, now: number): Verdict {
  const { run, jobs, pods } = observed;
  const { status } = run;
  if (holds(status, 'Complete')) return { type: 'complete' };
  const failed = findCondition(status, 'Failed');
  if (failed?.status === 'True') return { type: 'failed', reason: failed.reason, message: failed.message };
  if (frozen.problem !== undefined) return { type: 'failed', reason: 'InvalidSpec', message: frozen.problem };
  const stage = holds(status, 'PretrainComplete') ? 'linear' : 'pretrain';
  const end = endOfJob(jobs[stage]);
  if (end !== undefined) {
    const wakeAt = settledAt(end, pods);
    if (now < wakeAt) return { type: 'ongoing', stage, wakeAt };
    if (end.type === 'Failed') return { type: 'failed', ...explainFailure(end, pods, stage) };
    return isLast(stage, frozen.run) ? { type: 'complete' } : { type: 'ongoing', stage: 'linear' };
  }
  const deadline = deadlineOf(run.spec.activeDeadlineSeconds, status ?? {});
  if (deadline === undefined || now < deadline || run.spec.suspend) return { type: 'ongoing', stage };
  return {
    type: 'failed',
    reason: 'DeadlineExceeded',
    message:
      `the run has run for spec.activeDeadlineSeconds (${run.spec.activeDeadlineSeconds}); its checkpoints stay: a run ` +
      `of another name with the same recipe and storage.uri goes on from them`,
  };
}

export const isLast = (stage: WorkerStage, { spec }: SimSiamRun): boolean =>
  stage === 'linear' || spec.linear.epochs === 0;
