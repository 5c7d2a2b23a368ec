import { allReduceMean, world } from '../../tensorflow/collectives.ts';
import { tf, type Tensor } from '../../tensorflow/tfjs.ts';
import type { Views } from '../layer.ts';
import { type Moments, rowsOf } from './local-batch-norm.ts';

/** What the batch is like in each channel: float32 [channels], of one view over all ranks. */
export interface Statistics extends Moments {
  /** With n/(n−1) of the global n: what the running variance moves towards. */
  readonly unbiasedVariance: Tensor;
}

/**
 * Of the rows of all ranks, from each rank's own: one message.
 * @param pivot [c], close to the mean and equal on all ranks: the spread between ranks is summed around it, since
 *   E[x²] − mean² cancels.
 */
export function overRanks(views: Views, moments: readonly Moments[], pivot: Tensor): Statistics[] {
  const local = moments.flatMap(({ mean, variance }) => {
    const distance = tf.sub(mean, pivot);
    return [distance, tf.square(distance), variance];
  });
  const average = allReduceMean(local);
  return views.map((x, i) => {
    const [distance, squaredDistance, within] = average.slice(3 * i, 3 * i + 3) as [Tensor, Tensor, Tensor];
    const between = tf.relu(tf.sub(squaredDistance, tf.square(distance)));
    const variance = tf.add(within, between);
    const n = rowsOf(x) * world();
    return { mean: tf.add(pivot, distance), variance, unbiasedVariance: tf.mul(variance, n / (n - 1)) };
  });
}

export function flatten(statistics: readonly Statistics[]): Tensor[] {
  return statistics.flatMap(({ mean, variance, unbiasedVariance }) => [mean, variance, unbiasedVariance]);
}

export function unflatten(tensors: readonly Tensor[]): Statistics[] {
  return Array.from({ length: tensors.length / 3 }, (_, i) => {
    const [mean, variance, unbiasedVariance] = tensors.slice(3 * i, 3 * i + 3) as [Tensor, Tensor, Tensor];
    return { mean, variance, unbiasedVariance };
  });
}
