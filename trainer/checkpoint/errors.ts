import { SimSiamError } from '../../api/errors.ts';
import { exitCode } from '../../api/exit-codes.ts';

/** A safetensors file is damaged or hostile. */
export class SafetensorsError extends SimSiamError {
  readonly code = 'SAFETENSORS_INVALID';
  readonly exitCode = exitCode.storage;
}

/** A checkpoint isn't whole: a file is missing, cut short or changed, or a manifest can't be read. */
export class CheckpointDamagedError extends SimSiamError {
  readonly code = 'CHECKPOINT_DAMAGED';
  readonly exitCode = exitCode.storage;
}

/** None of the checkpoints that the register lists is whole. Starting anew would hide the loss, so this is an error. */
export class NoWholeCheckpointError extends SimSiamError {
  readonly code = 'CHECKPOINT_NONE_WHOLE';
  readonly exitCode = exitCode.storage;
}

/** The commit register `latest.json` can't be read. */
export class RegisterDamagedError extends SimSiamError {
  readonly code = 'CHECKPOINT_REGISTER_DAMAGED';
  readonly exitCode = exitCode.storage;
}

/** Another process has taken over the stage, so this one may commit nothing more. What it committed stays. */
export class StaleGenerationError extends SimSiamError {
  readonly code = 'CHECKPOINT_STALE_GENERATION';
  readonly exitCode = exitCode.storage;
}

/** A checkpoint doesn't fit the model: other tensors, or other shapes. */
export class CheckpointMismatchError extends SimSiamError {
  readonly code = 'CHECKPOINT_MISMATCH';
  readonly exitCode = exitCode.badInput;
}

/** The URI holds a run of another recipe. */
export class RecipeMismatchError extends SimSiamError {
  readonly code = 'RECIPE_MISMATCH';
  readonly exitCode = exitCode.badInput;
}

/** `run.yaml` or `result.json` at the URI can't be read. */
export class RunRecordDamagedError extends SimSiamError {
  readonly code = 'RUN_RECORD_DAMAGED';
  readonly exitCode = exitCode.storage;
}
