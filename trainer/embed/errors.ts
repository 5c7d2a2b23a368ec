import { SimSiamError } from '../../api/errors.ts';
import { exitCode } from '../../api/exit-codes.ts';

/** Features can't be written there, or not be read from there: wrong ending, existing file, damaged, other dimension. */
export class FeatureFileError extends SimSiamError {
  readonly code = 'FEATURE_FILE';
  readonly exitCode = exitCode.badInput;
}

/** The checkpoint isn't of the architecture that was asked for. */
export class BackboneError extends SimSiamError {
  readonly code = 'BACKBONE_UNUSABLE';
  readonly exitCode = exitCode.badInput;
}
