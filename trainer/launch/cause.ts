import { constants } from 'node:os';

import type { SimSiamError } from '../../api/errors.ts';
import { exitCode } from '../../api/exit-codes.ts';
import { RankDiedError, RankFailedError } from './errors.ts';
import type { FailureMessage } from './messages.ts';
import type { RankEnd } from './rank-process.ts';

/** Whether a failure only says that another rank is gone: that one's own end is the news. */
export function isConsequence(failure: FailureMessage | undefined): boolean {
  return failure?.exitCode === exitCode.peersLost;
}

/** Whether the rank ended as a rank should: done, or stopped with a committed checkpoint. */
export function endedWell(end: RankEnd): boolean {
  return end.code === exitCode.done || end.code === exitCode.preempted;
}

/**
 * The rank that brought the run down, from the ends in the order in which they were noticed: the first that failed or
 * died on its own, else the first that lost its peers.
 */
export function causeOf(ends: readonly RankEnd[]): RankEnd | undefined {
  const bad = ends.filter((end) => end.failure !== undefined || (!endedWell(end) && !endedByLauncher(end)));
  return bad.find((end) => !isConsequence(end.failure)) ?? bad[0];
}

/** A signal that the launcher didn't send was there before those that it did: the end is the rank's own. */
function endedByLauncher({ signal, endedBy }: RankEnd): boolean {
  return signal === null ? endedBy.length > 0 : endedBy.includes(signal);
}

/** The one line for the user. */
export function errorOf(end: RankEnd): SimSiamError {
  const who = `rank ${end.rank}`;
  return end.failure
    ? new RankFailedError(end.failure, who)
    : new RankDiedError(describeDeath(end, who, 'the same command goes on from the last checkpoint'), end.output);
}

/**
 * How a process ended that gave no reason, in one line.
 *
 * @param who `rank 2`
 * @param mend what the user can do, unless it couldn't be started at all
 */
export function describeDeath({ code, signal }: Pick<RankEnd, 'code' | 'signal'>, who: string, mend: string): string {
  if (signal === 'SIGKILL')
    return `${who} was killed by SIGKILL, by hand or because memory ran out (see \`dmesg\`): ${mend}`;
  if (signal !== null) return `${who} was ended by ${signal} (signal ${constants.signals[signal]}): ${mend}`;
  if (code !== null) return `${who} exited with code ${code} and gave no reason: ${mend}`;
  return `${who} could not be started: check the installation with \`simsiam doctor\``;
}
