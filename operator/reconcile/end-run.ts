import { endOfJob } from './jobs.ts';
import type { Observed } from './observed.ts';
import type { Action } from './outcome.ts';

export interface Ending {
  readonly actions: readonly Action[];
  /** When the run's time to live is over, in ms since 1970. */
  readonly wakeAt: number | undefined;
}

/**
 * What is left to do for a run that has ended: Jobs that still go on are given up, those that have ended stay, for their
 * logs, until the run is deleted.
 *
 * @param finishedAt ms since 1970
 */
export function endRun({ run, jobs }: Observed, finishedAt: number, now: number): Ending {
  const { ttlSecondsAfterFinished: seconds } = run.spec;
  const due = seconds === undefined ? undefined : finishedAt + seconds * 1000;
  if (due !== undefined && now >= due) return { actions: [{ type: 'delete run' }], wakeAt: undefined };
  const actions = Object.values(jobs)
    .filter((job) => endOfJob(job) === undefined && job.metadata.deletionTimestamp === undefined)
    .map((job): Action => ({ type: 'delete job', job }));
  return { actions, wakeAt: due };
}
