import type { Job, Pod } from '../../../operator/kube/objects.ts';
import { failureAction, failuresBefore, indexOf, parseIndexes, trackingFinalizer } from './indexes.ts';

/** How the pods of an Indexed Job stand, counted as the Job controller counts them. */
export interface JobCounts {
  /** Neither ended nor told to. */
  readonly active: readonly Pod[];
  /** Told to end and still running. */
  readonly terminating: readonly Pod[];
  /** Ended, and not yet counted in the status. */
  readonly uncounted: readonly Pod[];
  readonly succeededIndexes: ReadonlySet<number>;
  readonly failedIndexes: ReadonlySet<number>;
  /** Last failed pod of each index that will get another one: it stays until then, and its failures are handed on. */
  readonly replaceable: ReadonlyMap<number, Pod>;
}

const ended = ({ status }: Pod) => status?.phase === 'Succeeded' || status?.phase === 'Failed';

/** With podReplacementPolicy Failed a pod has failed when its phase says so, and not when it is deleted. */
export const hasFailed = ({ status }: Pod) => status?.phase === 'Failed';

export function countPods(job: Job, pods: readonly Pod[]): JobCounts {
  const active = pods.filter((pod) => !ended(pod) && pod.metadata.deletionTimestamp === undefined);
  const terminating = pods.filter((pod) => !ended(pod) && pod.metadata.deletionTimestamp !== undefined);
  const uncounted = pods.filter((pod) => ended(pod) && pod.metadata.finalizers?.includes(trackingFinalizer) === true);
  const succeededIndexes = parseIndexes(job.status?.completedIndexes);
  for (const pod of uncounted) if (!hasFailed(pod)) succeededIndexes.add(indexOf(pod));
  const failedIndexes = parseIndexes(job.status?.failedIndexes);
  const failed = uncounted.filter(hasFailed);
  for (const pod of failed) if (exhausts(job, pod)) failedIndexes.add(indexOf(pod));
  const replaceable = new Map<number, Pod>();
  for (const pod of failed) {
    const index = indexOf(pod);
    const settled = succeededIndexes.has(index) || failedIndexes.has(index) || active.some((a) => indexOf(a) === index);
    const last = replaceable.get(index);
    if (!settled && (last === undefined || failuresUpTo(pod) >= failuresUpTo(last))) replaceable.set(index, pod);
  }
  return { active, terminating, uncounted, succeededIndexes, failedIndexes, replaceable };
}

/** Whether this failure is one more than the index may have. */
function exhausts(job: Job, pod: Pod): boolean {
  const { action, counts } = failureAction(job, pod);
  if (action === 'FailIndex') return true;
  const limit = job.spec?.backoffLimitPerIndex;
  return limit !== undefined && counts && failuresBefore(pod).counted >= limit;
}

function failuresUpTo(pod: Pod): number {
  const { counted, ignored } = failuresBefore(pod);
  return counted + ignored + 1;
}

const firstBackoffMs = 10_000;
const longestBackoffMs = 600_000;

/** Time from which a pod may be replaced, in ms since 1970: 10 s · 2ⁿ after it ended. Ignored failures count, too. */
export function replaceableFrom(pod: Pod): number {
  return finishedAt(pod) + Math.min(firstBackoffMs * 2 ** (failuresUpTo(pod) - 1), longestBackoffMs);
}

function finishedAt({ metadata, status }: Pod): number {
  const ends = (status?.containerStatuses ?? []).map(({ state }) => state?.terminated?.finishedAt);
  if (ends.length > 0 && ends.every((end) => end !== undefined)) return Math.max(...ends.map((end) => Date.parse(end)));
  const unready = status?.conditions?.find(({ type, status }) => type === 'Ready' && status === 'False');
  if (unready?.lastTransitionTime !== undefined) return Date.parse(unready.lastTransitionTime);
  const { deletionTimestamp, deletionGracePeriodSeconds = 0, creationTimestamp } = metadata;
  if (deletionTimestamp !== undefined) return Date.parse(deletionTimestamp) - deletionGracePeriodSeconds * 1000;
  return Date.parse(creationTimestamp ?? '');
}
