import type { Job, Pod } from '../../../operator/kube/objects.ts';
import { failureAction, parseIndexes } from './indexes.ts';
import { hasFailed, type JobCounts } from './job-counts.ts';

export interface Verdict {
  readonly type: 'FailureTarget' | 'SuccessCriteriaMet';
  readonly reason: string;
  readonly message: string;
}

/** Whether the Job is decided, though its pods may still run; in the Job controller's order. */
export function judge(job: Job, pods: readonly Pod[], counts: JobCounts): Verdict | undefined {
  const standing = job.status?.conditions?.find(
    ({ type }) => type === 'FailureTarget' || type === 'SuccessCriteriaMet',
  );
  if (standing !== undefined) {
    const { type, reason = '', message = '' } = standing;
    return { type: type as Verdict['type'], reason, message };
  }
  for (const pod of pods) {
    const { action, message } = hasFailed(pod) ? failureAction(job, pod) : noAction;
    if (action === 'FailJob') return { type: 'FailureTarget', reason: 'PodFailurePolicy', message };
  }
  const { failedIndexes, succeededIndexes } = counts;
  const { maxFailedIndexes, completions = 1, successPolicy } = job.spec ?? {};
  if (maxFailedIndexes !== undefined && failedIndexes.size > maxFailedIndexes) {
    const message = 'Job has exceeded the specified maximal number of failed indexes';
    return { type: 'FailureTarget', reason: 'MaxFailedIndexesExceeded', message };
  }
  if (failedIndexes.size > 0 && failedIndexes.size + succeededIndexes.size >= completions) {
    return { type: 'FailureTarget', reason: 'FailedIndexes', message: 'Job has failed indexes' };
  }
  for (const [number, rule] of (successPolicy?.rules ?? []).entries()) {
    if (![...parseIndexes(rule.succeededIndexes)].every((index) => succeededIndexes.has(index))) continue;
    return { type: 'SuccessCriteriaMet', reason: 'SuccessPolicy', message: `Matched rules at index ${number}` };
  }
  if (succeededIndexes.size >= completions && counts.active.length === 0) {
    const message = 'Reached expected number of succeeded pods';
    return { type: 'SuccessCriteriaMet', reason: 'CompletionsReached', message };
  }
  return undefined;
}

const noAction = { action: 'Count', message: '' } as const;
