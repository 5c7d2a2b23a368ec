import { SimSiamError } from '../../api/errors.ts';
import { exitCode } from '../../api/exit-codes.ts';

/** The representation collapsed and `failurePolicy.onCollapse` is Fail. */
export class CollapseError extends SimSiamError {
  readonly code = 'TRAINING_COLLAPSED';
  readonly exitCode = exitCode.collapse;
}

/** The loss stopped being a finite number; no later step can mend that. */
export class DivergedError extends SimSiamError {
  readonly code = 'TRAINING_DIVERGED';
  readonly exitCode = exitCode.collapse;
}
