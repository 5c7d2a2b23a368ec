import { messageOf, SimSiamError } from '../../api/errors.ts';
import type { ExitCode } from '../../api/exit-codes.ts';
import { exitCode } from '../../api/exit-codes.ts';
import type { Failure } from './messages.ts';

/** Worker 0 could not be reached for longer than its pod takes to come back. */
export class RendezvousUnreachableError extends SimSiamError {
  readonly code = 'RENDEZVOUS_UNREACHABLE';
  readonly exitCode = exitCode.peersLost;
}

/** Workers that had met did not all come back. */
export class PeersLostError extends SimSiamError {
  readonly code = 'RENDEZVOUS_PEERS_LOST';
  readonly exitCode = exitCode.peersLost;
}

/** Another launcher has taken this worker's place. */
export class ReplacedError extends SimSiamError {
  readonly code = 'RENDEZVOUS_REPLACED';
  readonly exitCode = exitCode.peersLost;
}

/** The workers have different numbers of ranks, or some have GPUs and others none. */
export class UnevenWorkersError extends SimSiamError {
  readonly code = 'RENDEZVOUS_UNEVEN';
  readonly exitCode = exitCode.badInput;
}

/** Worker 0 can't listen where the others look for it. */
export class RendezvousListenError extends SimSiamError {
  readonly code = 'RENDEZVOUS_LISTEN';
  readonly exitCode = exitCode.badInput;
}

/** What ended the run at another worker, or at this one: its code and its exit code. */
export class RunFailedError extends SimSiamError {
  readonly code: string;
  readonly exitCode: ExitCode;

  constructor(failure: Failure) {
    super(failure.message);
    this.code = failure.code;
    this.exitCode = failure.exitCode;
  }
}

/** An error as it travels between launchers. */
export function failureOf(thrown: unknown): Failure {
  const text = messageOf(thrown).slice(0, 16_384);
  if (thrown instanceof SimSiamError) return { code: thrown.code, exitCode: thrown.exitCode, message: text };
  const internal = 'INTERNAL';
  return { code: internal, exitCode: exitCode.internal, message: text };
}
