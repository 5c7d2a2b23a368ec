import type { SimSiamRunStatus } from '../../api/run.ts';
import { timestamp } from './times.ts';

type ActiveTime = Pick<SimSiamRunStatus, 'activeSince' | 'activeSeconds'>;

/** The account of how long a run has been running, suspended time excluded. */
export function countActiveTime(previous: SimSiamRunStatus | undefined, isActive: boolean, now: number): ActiveTime {
  const { activeSince, activeSeconds = 0 } = previous ?? {};
  if (isActive) return { activeSince: activeSince ?? timestamp(now), activeSeconds };
  const current = activeSince === undefined ? 0 : Math.max(0, Math.round((now - Date.parse(activeSince)) / 1000));
  return { activeSeconds: activeSeconds + current };
}

/** When a run that goes on running will have used up its time, in ms since 1970; undefined if that isn't to come. */
export function deadlineOf(
  seconds: number | undefined,
  { activeSince, activeSeconds = 0 }: ActiveTime,
): number | undefined {
  if (seconds === undefined || activeSince === undefined) return undefined;
  return Date.parse(activeSince) + (seconds - activeSeconds) * 1000;
}
