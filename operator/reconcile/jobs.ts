import type { Job } from '../kube/objects.ts';

type JobCondition = NonNullable<NonNullable<Job['status']>['conditions']>[number];

/** The end of a Job, once all its pods have ended; undefined before. Counts of a Job's status mislead: `active` is 0 in back-off. */
export function endOfJob(job: Job | undefined): JobCondition | undefined {
  return job?.status?.conditions?.find(
    ({ type, status }) => status === 'True' && (type === 'Complete' || type === 'Failed'),
  );
}

export const isComplete = (job: Job | undefined): boolean => endOfJob(job)?.type === 'Complete';
export const isSuspended = (job: Job): boolean => job.spec?.suspend === true;
