import { isDeepStrictEqual } from 'node:util';
import type { SimSiamRunStatus } from '../../api/run.ts';

/** What changes all the time while a run trains, and may be told a little later. */
const ofProgress = ['pretrain', 'linear', 'lostSteps'] as const;

/**
 * The status to write now. If it differs from the last one in progress only, that is held back until its time has come: a
 * write for every scrape of every run would be most of the API server's work.
 *
 * @param from when progress may be written, in ms since 1970
 */
export function holdProgress(
  before: SimSiamRunStatus | undefined,
  after: SimSiamRunStatus,
  from: number,
  now: number,
): { readonly status: SimSiamRunStatus; readonly wakeAt: number | undefined } {
  if (before === undefined || now >= from || isDeepStrictEqual(before, after))
    return { status: after, wakeAt: undefined };
  const withoutProgress = (status: SimSiamRunStatus): SimSiamRunStatus => {
    const rest = { ...status };
    for (const field of ofProgress) delete rest[field];
    // Failed pods are counted at once: those that were evicted are soon gone.
    return { ...rest, counted: { pods: status.counted?.pods ?? [] } };
  };
  if (!isDeepStrictEqual(withoutProgress(before), withoutProgress(after))) return { status: after, wakeAt: undefined };
  return { status: before, wakeAt: from };
}
