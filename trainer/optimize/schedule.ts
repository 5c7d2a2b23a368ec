/** The batch size that base learning rates are given for (Goyal et al., "Accurate, Large Minibatch SGD", 2017). */
const REFERENCE_BATCH = 256;

/** The initial learning rate of a run: `base · batch / 256`, with the global batch. */
export function scaledLearningRate(base: number, globalBatch: number): number {
  return (base * globalBatch) / REFERENCE_BATCH;
}

/** What of a specification decides its learning rate. */
interface Schedule {
  readonly learningRate: number;
  readonly batchSize: number;
  readonly epochs: number;
  readonly warmupEpochs?: number;
}

/**
 * The rate of a step of pre-training. In the warm-up epochs it grows with each step to the initial rate (Goyal et al.
 * 2017, section 2.2); then it is a cosine per epoch over the epochs that are left, which without warm-up are all.
 * @param fraction Of the epoch, the step included: (0, 1].
 */
export function learningRateAt(schedule: Schedule, epoch: number, fraction: number): number {
  const initial = scaledLearningRate(schedule.learningRate, schedule.batchSize);
  const { epochs, warmupEpochs = 0 } = schedule;
  if (epoch < warmupEpochs) return (initial * (epoch + fraction)) / warmupEpochs;
  return cosineLearningRate(initial, epoch - warmupEpochs, epochs - warmupEpochs);
}

/** The rate of a predictor that takes no part in the cosine (SimSiam §4.1): the initial one, after the same warm-up. */
export function constantLearningRateAt(schedule: Schedule, epoch: number, fraction: number): number {
  const { warmupEpochs = 0 } = schedule;
  if (epoch < warmupEpochs) return learningRateAt(schedule, epoch, fraction);
  return scaledLearningRate(schedule.learningRate, schedule.batchSize);
}

/**
 * Half a cosine from `initial` in epoch 0 towards 0, constant within an epoch:
 * `initial · ½(1 + cos(π · epoch / epochs))`. `epoch` counts from 0.
 */
export function cosineLearningRate(initial: number, epoch: number, epochs: number): number {
  return initial * 0.5 * (1 + Math.cos((Math.PI * epoch) / epochs));
}
