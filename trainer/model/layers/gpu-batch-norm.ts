import { rawOps } from '../../tensorflow/raw-op.ts';
import { tf } from '../../tensorflow/tfjs.ts';
import { EPSILON, FORMAT, type LocalBatchNorm, rowsOf } from './local-batch-norm.ts';

/**
 * cuDNN's kernels: one for statistics and normalizing, one for the whole gradient. They add in stages, so that their
 * sums are exact enough as they are. (TensorFlow refuses the gradient by constants where it has to be deterministic.)
 */
export const gpuBatchNorm: LocalBatchNorm = {
  workspaces: 1,
  throughOwnMoments: true,
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
    const [dx, dScale, dShift] = rawOps('FusedBatchNormGradV3', inputs, { ...FORMAT, is_training: true }, 3);
    return { dx: dx!, dScale: dScale!, dShift: dShift! };
  },
};
