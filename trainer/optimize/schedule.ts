/** The batch size that base learning rates are given for (Goyal et al., "Accurate, Large Minibatch SGD", 2017). */
const REFERENCE_BATCH = 256;

/** The initial learning rate of a run: `base · batch / 256`, with the global batch. */
export function scaledLearningRate(base: number, globalBatch: number): number {
  return (base * globalBatch) / REFERENCE_BATCH;
}

/**
 * Half a cosine from `initial` in epoch 0 towards 0, constant within an epoch and without warm-up:
 * `initial · ½(1 + cos(π · epoch / epochs))`. `epoch` counts from 0.
 */
export function cosineLearningRate(initial: number, epoch: number, epochs: number): number {
  return initial * 0.5 * (1 + Math.cos((Math.PI * epoch) / epochs));
}
