import type { Job, Pod } from '../kube/objects.ts';
import { isOver } from './pods.ts';

type JobCondition = NonNullable<NonNullable<Job['status']>['conditions']>[number];

/** The end of a Job, once all its pods have ended; undefined before. Counts of a Job's status mislead: `active` is 0 in back-off. */
export function endOfJob(job: Job | undefined): JobCondition | undefined {
  return job?.status?.conditions?.find(
    ({ type, status }) => status === 'True' && (type === 'Complete' || type === 'Failed'),
  );
}

/** How long the caches of pods may lag behind that of Jobs. Milliseconds. */
const lagMs = 60_000;

/**
 * When the end of a Job may be told, in ms since 1970. A Job ends after its pods: while the cache shows one of them alive
 * it is behind, and what they had to say isn't known yet.
 */
export function settledAt(end: JobCondition, pods: readonly Pod[]): number {
  return pods.every(isOver) ? 0 : (Date.parse(end.lastTransitionTime ?? '') || 0) + lagMs;
}
export const isSuspended = (job: Job): boolean => job.spec?.suspend === true;
