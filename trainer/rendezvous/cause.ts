import { exitCode } from '../../api/exit-codes.ts';
import type { RestartCause } from '../telemetry/run-event.ts';
import { failureOf, PeersLostError } from './errors.ts';
import type { Failure, Report } from './messages.ts';

export interface WorkerReport {
  readonly index: number;
  readonly report: Report;
}

/** Why a generation ended early. */
export interface Cause {
  readonly failure: Failure;
  readonly kind: RestartCause;
  /** The worker whose own rank it was; of a hang or of a lost connection nobody knows whose fault it is. */
  readonly culprit: number | undefined;
  /** The worker itself is gone. */
  readonly lost: boolean;
}

/** User errors, and what no other try mends: the run ends with them. */
const finalCodes: readonly number[] = [exitCode.badInput, exitCode.badData, exitCode.collapse];

export function isFinal({ exitCode }: Failure): boolean {
  return finalCodes.includes(exitCode);
}

/**
 * What brought a generation down, by the reports in the order in which they came: an error that no retry mends, else the
 * first rank that failed on its own, else a lost worker, else a rank that lost its peers. Undefined if all ended well.
 */
export function causeOf(reports: readonly WorkerReport[], lost: number | undefined): Cause | undefined {
  const failed = reports.flatMap(({ index, report }) => (report.status === 'failed' ? [{ index, ...report }] : []));
  const own = failed.filter(({ consequence }) => !consequence);
  const cause = own.find(({ failure }) => isFinal(failure)) ?? own[0];
  if (cause) {
    const { index, failure } = cause;
    const hang = failure.exitCode === exitCode.hang;
    // A rank that was killed ends with peersLost too, and yet it is its own end.
    const kind = hang ? 'hang' : 'failed';
    const named = { ...failure, message: `worker ${index}: ${failure.message}`.slice(0, 16_384) };
    return { failure: named, kind, culprit: hang ? undefined : index, lost: false };
  }
  const nameless = { kind: 'peerLost', culprit: undefined } as const;
  if (lost !== undefined) {
    const error = new PeersLostError(
      `worker ${lost} is gone: the ranks go on from the last checkpoint once it is back`,
    );
    return { ...nameless, failure: failureOf(error), lost: true };
  }
  const consequence = failed[0]?.failure;
  if (consequence) return { ...nameless, failure: consequence, lost: false };
  if (reports.every(({ report }) => report.status !== 'ended')) return undefined;
  return { ...nameless, failure: failureOf(new PeersLostError('the ranks were ended')), lost: false };
}
