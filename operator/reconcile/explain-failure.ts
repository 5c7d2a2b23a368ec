import { exitCode } from '../../api/exit-codes.ts';
import type { WorkerStage } from '../../api/worker.ts';
import type { Pod } from '../kube/objects.ts';
import { parseTerminationMessage } from '../progress/progress-schema.ts';
import { adviceFor } from './advice.ts';
import { failureClass } from './failure-class.ts';
import { endOf, indexOf, stageOf } from './pods.ts';

const reasons: Readonly<Record<number, string>> = {
  [exitCode.badInput]: 'BadInput',
  [exitCode.badData]: 'BadData',
  [exitCode.collapse]: 'Collapsed',
};

/** Why a Job has failed, by its condition and by what the worker that failed last had to say; and what to do. */
export function explainFailure(
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
