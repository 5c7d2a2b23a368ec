import type { SimSiamRun } from '../../api/run.ts';
import { exitCode } from '../../api/exit-codes.ts';
import type { WorkerStage } from '../../api/worker.ts';
import { parseTerminationMessage } from '../progress/progress-schema.ts';
import type { Frozen } from '../resources/freeze.ts';
import type { Pod } from '../kube/objects.ts';
import { findCondition, holds } from './conditions.ts';
import { deadlineOf } from './active-time.ts';
import { failureClass } from './failure-class.ts';
import { adviceFor } from './advice.ts';
import { endOfJob, settledAt } from './jobs.ts';
import type { Observed } from './observed.ts';
import { endOf, indexOf, stageOf } from './pods.ts';

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

const reasons: Readonly<Record<number, string>> = {
  [exitCode.badInput]: 'BadInput',
  [exitCode.badData]: 'BadData',
  [exitCode.collapse]: 'Collapsed',
};

function explainFailure(
  { reason = '', message = '' }: { readonly reason?: string; readonly message?: string },
  pods: readonly Pod[],
  stage: WorkerStage,
): { reason: string; message: string } {
  const code = Number(/exit code (\d+)/.exec(message)?.[1]);
  const culprit = lastFailure(pods, stage, code);
  const words = culprit === undefined ? message : wordsOf(culprit);
  const known = reasons[code];
  if (known !== undefined) return { reason: known, message: `${words}${adviceFor(known)}` };
  if (!/FailedIndexes|BackoffLimit/.test(reason)) return { reason: 'JobFailed', message: `${reason}: ${message}` };
  const advice = culprit === undefined ? '' : adviceFor(failureClass(culprit));
  return {
    reason: 'RestartsExhausted',
    message: `a worker failed more often than spec.failurePolicy.maxRestarts allows; at last: ${words}${advice}`,
  };
}

/** The pod that failed last, of those with an exit code if there are any. */
function lastFailure(pods: readonly Pod[], stage: WorkerStage, code: number): Pod | undefined {
  const failed = pods
    .filter((pod) => stageOf(pod) === stage && pod.status?.phase === 'Failed')
    .toSorted((a, b) => finishedAt(b) - finishedAt(a));
  return failed.find((pod) => endOf(pod)?.exitCode === code) ?? (Number.isNaN(code) ? failed[0] : undefined);
}

const finishedAt = (pod: Pod): number =>
  Date.parse(endOf(pod)?.finishedAt ?? pod.metadata.creationTimestamp ?? '') || 0;

/** What a worker said of its end, as one sentence. */
export function wordsOf(pod: Pod): string {
  const end = endOf(pod);
  const { code, message } = parseTerminationMessage(end?.message);
  const what = message ?? pod.status?.message ?? (end === undefined ? 'the pod failed' : (end.reason ?? 'it failed'));
  const marks = [...(code === undefined ? [] : [code]), ...(end === undefined ? [] : [`exit ${end.exitCode}`])];
  return `worker ${indexOf(pod)}: ${what}${marks.length > 0 ? ` [${marks.join(', ')}]` : ''}`;
}
