import type { ExitCode } from './exit-codes.ts';

/**
 * Base of every error that a user may see. `message` is one line that says what is wrong, where, and how to mend it.
 * A subclass fixes `code`, which scripts may rely on, and `exitCode`, which the operator relies on.
 */
export abstract class SimSiamError extends Error {
  /** Stable, upper-case and prefixed by its area: `MANIFEST_INVALID`, `DATA_EMPTY`. */
  abstract readonly code: string;
  /** What the process ends with when nothing handles the error. */
  abstract readonly exitCode: ExitCode;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** The message of anything thrown, for the end of another message. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
