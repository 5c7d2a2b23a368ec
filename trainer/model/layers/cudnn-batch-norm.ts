import { rawOps } from '../../tensorflow/raw-op.ts';
import { tf } from '../../tensorflow/tfjs.ts';
import { addLine, EPSILON, FORMAT, type LocalBatchNorm, rowsOf } from './local-batch-norm.ts';

/**
 * cuDNN's kernels: one for statistics and normalizing, one for the whole gradient. They add in stages, so that their
 * sums are exact enough as they are. (TensorFlow refuses the gradient by constants where it has to be deterministic.)
 */
export const cudnnBatchNorm: LocalBatchNorm = {
  name: 'Cudnn',
  workspaces: 1,
  forward: (x, scale, shift) => {
    const none = tf.tensor1d([], 'float32');
    const attrs = { ...FORMAT, is_training: true, exponential_avg_factor: 1 };
    const outputs = rawOps('FusedBatchNormV3', [x, scale, shift, none, none], attrs, 6);
    const [normalized, mean, unbiased, , , workspace] = outputs;
    const rows = rowsOf(x);
    const moments = { mean: mean!, variance: tf.mul(unbiased!, (rows - 1) / rows) };
    return { moments, normalized: normalized!, workspace: [workspace!] };
  },
  backward: ({ dy, x, scale, moments, workspace }) => {
    const inverse = tf.rsqrt(tf.add(moments.variance, EPSILON));
    const inputs = [dy, x, scale, moments.mean, inverse, workspace[0]!];
    const [dxOfOne, dScale, dShift] = rawOps('FusedBatchNormGradV3', inputs, { ...FORMAT, is_training: true }, 3);
    // The kernel's dx has what flows through these rows' own mean and variance. What flows through all ranks' has it too.
    const gain = tf.mul(tf.mul(scale, inverse), 1 / rowsOf(x));
    const [ownSlope, ownOffset] = [tf.mul(tf.mul(gain, inverse), dScale!), tf.mul(gain, dShift!)];
    return {
      dScale: dScale!,
      dShift: dShift!,
      dx: (slope, offset) => addLine(dxOfOne!, x, tf.add(slope, ownSlope), moments.mean, tf.add(offset, ownOffset)),
      dxOfOne: dxOfOne!,
    };
  },
};
