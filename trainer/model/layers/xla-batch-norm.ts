import { cast, realDType } from '../../tensorflow/raw-op.ts';
import { tf } from '../../tensorflow/tfjs.ts';
import { EPSILON, type LocalBatchNorm } from './local-batch-norm.ts';

/** Images whose mean the sums are taken around. */
const PIVOT_IMAGES = 8;
const ROWS = [0, 1, 2];

/**
 * Plain formulas in float32, which XLA fuses with what is around them: a pass over x for both sums of either direction,
 * and one for what comes out. TensorFlow's own ops for training are no good there: where XLA compiles one direction and
 * cuDNN runs the other, gradients are wrong (their reserved outputs differ).
 */
export const xlaBatchNorm: LocalBatchNorm = {
  name: 'Xla',
  workspaces: 0,
  forward: (x) => {
    const wide = cast(x, 'float32');
    // E[x²] − mean² cancels unless the mean is small, so both are taken around the mean of a few images.
    const few = tf.slice(wide, 0, Math.min(PIVOT_IMAGES, x.shape[0]));
    const pivot = tf.mean(few, ROWS);
    const centred = tf.sub(wide, pivot);
    const distance = tf.mean(centred, ROWS);
    const variance = tf.relu(tf.sub(tf.mean(tf.square(centred), ROWS), tf.square(distance)));
    return { moments: { mean: tf.add(pivot, distance), variance }, workspace: [] };
  },
  backward: ({ dy, x, scale, moments: { mean, variance } }) => {
    const [wide, centred] = [cast(dy, 'float32'), tf.sub(cast(x, 'float32'), mean)];
    const inverse = tf.rsqrt(tf.add(variance, EPSILON));
    return {
      dScale: tf.mul(tf.sum(tf.mul(wide, centred), ROWS), inverse),
      dShift: tf.sum(wide, ROWS),
      dx: (slope, offset) => {
        const direct = tf.mul(wide, tf.mul(scale, inverse));
        return cast(tf.add(tf.add(direct, tf.mul(centred, slope)), offset), realDType(x));
      },
    };
  },
};
