import { SimSiamError } from '../api/errors.ts';
import { exitCode } from '../api/exit-codes.ts';

/** An unknown command or flag, or a value that a flag doesn't take. */
export class UsageError extends SimSiamError {
  readonly code = 'CLI_USAGE';
  readonly exitCode = exitCode.badInput;
}

/** A file that was named on the command line can't be read. */
export class InputFileError extends SimSiamError {
  readonly code = 'CLI_INPUT_FILE';
  readonly exitCode = exitCode.badInput;
}

/** What the command prints can't be written: the disk below a file that it goes to is full, or fails. */
export class OutputError extends SimSiamError {
  readonly code = 'CLI_OUTPUT';
  readonly exitCode = exitCode.storage;

  constructor(cause: Error) {
    super(`the output can't be written and is incomplete: ${cause.message}; the command itself goes on`, { cause });
  }
}

/** This installation leaves out what the command needs. */
export class IncompleteInstallationError extends SimSiamError {
  override readonly code = 'CLI_INCOMPLETE';
  override readonly exitCode = exitCode.badInput;

  constructor(missing: string, options?: ErrorOptions) {
    super(
      `this installation has no ${missing}: the trainer's image has no client for clusters, and the plugin of kubectl ` +
        'has no TensorFlow: use a checkout',
      options,
    );
  }
}
