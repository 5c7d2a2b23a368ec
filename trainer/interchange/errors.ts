import { SimSiamError } from '../../api/errors.ts';
import { exitCode } from '../../api/exit-codes.ts';

/** A file of PyTorch is damaged, hostile, or uses something that checkpoints don't need. */
export class TorchFileError extends SimSiamError {
  readonly code = 'TORCH_FILE_INVALID';
  readonly exitCode = exitCode.badInput;
}

/** A file of PyTorch names a class or function that is neither a tensor nor a plain container. Nothing of it was run. */
export class TorchClassError extends SimSiamError {
  readonly code = 'TORCH_CLASS_REFUSED';
  readonly exitCode = exitCode.badInput;
}

/** A checkpoint can't be converted: it can't be read, isn't what the target needs, or the target exists. */
export class ConvertError extends SimSiamError {
  readonly code = 'CONVERT_IMPOSSIBLE';
  readonly exitCode = exitCode.badInput;
}
