import { SimSiamError } from '../../api/errors.ts';
import { exitCode } from '../../api/exit-codes.ts';

/** The rank was given a GPU and TensorFlow finds none: computing on the cores unasked would hide it behind days. */
export class GpuUnusableError extends SimSiamError {
  readonly code = 'GPU_UNUSABLE';
  readonly exitCode = exitCode.internal;

  constructor(gpu: string) {
    super(
      `TensorFlow can't use the GPU ${gpu}: set up its CUDA build by \`SIMSIAM_DEVICE=gpu npm run setup\` ` +
        '(TF_CPP_MIN_LOG_LEVEL=0 shows what it lacks), or set spec.gpusPerWorker: 0 to train on the cores',
    );
  }
}

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

/** The device has less memory than the run takes: trying again as it is would fail again. */
export class OutOfMemoryError extends SimSiamError {
  readonly code = 'OUT_OF_MEMORY';
  readonly exitCode = exitCode.badInput;
}
