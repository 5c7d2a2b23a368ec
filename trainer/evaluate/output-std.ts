import { normalizeRows } from '../model/similarity.ts';
import { tf, type Tensor } from '../tensorflow/tfjs.ts';

/**
 * The spread of the output: the standard deviation over the global batch of each dimension of z/‖z‖ (unbiased), mean
 * over the dimensions. SimSiam, section 4.1: near 1/√d when the outputs fill the sphere, 0 when all are one point.
 *
 * In two parts, so that a step can send the moments in one message with its other sums:
 * `outputStd(allReduceSum(outputMoments(z)), n, world)`.
 */

/**
 * What ranks must add up: mean, squared mean and sum of squared deviations of each dimension over this rank's rows
 * [n, d]. Deviations from the rank's own mean lose no digits; only the small part between ranks is a difference of
 * squares.
 */
export function outputMoments(z: Tensor): [mean: Tensor, squaredMean: Tensor, deviations: Tensor] {
  const unit = normalizeRows(z);
  const mean = tf.mean(unit, 0);
  return [mean, tf.square(mean), tf.sum(tf.square(tf.sub(unit, mean)), 0)];
}

/** The scalar from the moments added over `world` ranks of `rows` rows each. */
export function outputStd(moments: readonly Tensor[], rows: number, world: number): Tensor {
  const [mean, squaredMean, deviations] = moments as readonly [Tensor, Tensor, Tensor];
  const betweenRanks = tf.relu(tf.sub(squaredMean, tf.div(tf.square(mean), world)));
  const variance = tf.div(tf.add(deviations, tf.mul(betweenRanks, rows)), rows * world - 1);
  return tf.mean(tf.sqrt(variance));
}
