import { SimSiamError } from '../../api/errors.ts';
import { exitCode } from '../../api/exit-codes.ts';

/** A run that goes on would go on with other images than it began with: no history would say what it was trained on. */
export class DataChangedError extends SimSiamError {
  readonly code = 'DATA_CHANGED';
  readonly exitCode = exitCode.badData;

  constructor(uri: string) {
    super(`${uri} has other images or labels than when this run began: put them back, or use another spec.storage.uri`);
  }
}

/** What `spec.linear.resumeFrom` names leaves nothing to train. */
export class LinearResumeError extends SimSiamError {
  readonly code = 'LINEAR_RESUME_FROM';
  readonly exitCode = exitCode.badInput;
}
