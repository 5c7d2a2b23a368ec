import { rawOps } from '../../tensorflow/raw-op.ts';
import { tf, type Tensor } from '../../tensorflow/tfjs.ts';
import { addLine, channelsOf, FORMAT, type LocalBatchNorm, rowsOf } from './local-batch-norm.ts';

/**
 * TensorFlow's kernels add up a channel's values one after the other in float32, whose error grows with their number.
 * Rows dealt out over groups, each with channels of its own, are short sums that are then added up in a second stage:
 * as exact as PyTorch's sums in double, for a reshape.
 */
const GROUP_ROWS = 32;

export const cpuBatchNorm: LocalBatchNorm = {
  name: 'Cpu',
  workspaces: 0,
  forward: (x) => {
    const groups = groupsOf(x);
    const dealt = dealOut(x, groups);
    const [rows, channels] = [dealt.shape[0], channelsOf(dealt)];
    const none = tf.tensor1d([], 'float32');
    const attrs = { ...FORMAT, is_training: true, exponential_avg_factor: 1 };
    const inputs = [dealt, tf.ones([channels]), tf.zeros([channels]), none, none];
    const [, means, unbiased] = rawOps('FusedBatchNormV3', inputs, attrs, 3);
    const ofGroups = byGroup(means!, groups);
    const mean = tf.mean(ofGroups, 0);
    const within = tf.mul(tf.mean(byGroup(unbiased!, groups), 0), (rows - 1) / rows);
    const variance = tf.add(within, tf.mean(tf.squaredDifference(ofGroups, mean), 0));
    return { moments: { mean, variance }, workspace: [] };
  },
  backward: ({ dy, x, scale, moments: { mean, variance } }) => {
    const groups = groupsOf(x);
    const vectors = [scale, mean, variance].map((vector) => tf.tile(vector, [groups]));
    const inputs = [dealOut(dy, groups), dealOut(x, groups), ...vectors, tf.tensor1d([], 'float32')];
    const [direct, dScale, dShift] = rawOps('FusedBatchNormGradV3', inputs, { ...FORMAT, is_training: false }, 3);
    return {
      dScale: tf.sum(byGroup(dScale!, groups), 0),
      dShift: tf.sum(byGroup(dShift!, groups), 0),
      dx: (slope, offset) => addLine(tf.reshape(direct!, x.shape), x, slope, mean, offset),
    };
  },
};

/** How many groups the rows of x are dealt out over. */
function groupsOf(x: Tensor): number {
  const rows = rowsOf(x);
  let groups = 1;
  while (rows % (groups * 2) === 0 && rows / (groups * 2) >= GROUP_ROWS) groups *= 2;
  return groups;
}

/** [n, h, w, c] → [n·h·w/groups, 1, 1, groups·c]: the same memory. */
function dealOut(x: Tensor, groups: number): Tensor {
  const channels = groups * channelsOf(x);
  return tf.reshape(x, [x.size / channels, 1, 1, channels]);
}

/** [groups·c] → [groups, c] */
function byGroup(vector: Tensor, groups: number): Tensor {
  return tf.reshape(vector, [groups, vector.size / groups]);
}
