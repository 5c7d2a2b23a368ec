import { SimSiamError } from '../../api/errors.ts';
import type { ExitCode } from '../../api/exit-codes.ts';
import { exitCode } from '../../api/exit-codes.ts';
import type { FailureMessage } from './messages.ts';

/** The manifest asks for ranks that this machine can't host. */
export class PlacementError extends SimSiamError {
  readonly code = 'LAUNCH_PLACEMENT';
  readonly exitCode = exitCode.badInput;
}

/** A rank, or another process of the trainer, said why it failed; code and exit code are the rank's own. */
export class RankFailedError extends SimSiamError {
  readonly code: string;
  readonly exitCode: ExitCode;
  /** The stack in the rank's process, if the failure is a defect and no SimSiamError. */
  readonly rankStack: string | undefined;

  /** @param who before the message: `rank 2` */
  constructor(failure: FailureMessage, who?: string) {
    super(who === undefined ? failure.message : `${who}: ${failure.message}`);
    this.code = failure.code;
    this.exitCode = failure.exitCode;
    this.rankStack = failure.stack;
  }
}

/** A rank, or another process of the trainer, ended without a word: killed, crashed in native code, or started where it can't run. */
export class RankDiedError extends SimSiamError {
  readonly code = 'LAUNCH_RANK_DIED';
  readonly exitCode = exitCode.peersLost;
  /** The last lines that the rank wrote, oldest first. */
  readonly output: readonly string[];

  constructor(message: string, output: readonly string[]) {
    super(message);
    this.output = output;
  }
}

/** Rank 0 has reported nothing for `failurePolicy.hangTimeoutSeconds`. */
export class HangError extends SimSiamError {
  readonly code = 'LAUNCH_HANG';
  readonly exitCode = exitCode.hang;
}

/** A rank process that was started by hand: it has no launcher to talk to. */
export class NoLauncherError extends SimSiamError {
  readonly code = 'LAUNCH_NO_LAUNCHER';
  readonly exitCode = exitCode.badInput;
}
