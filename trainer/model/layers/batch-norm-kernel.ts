import { allReduceSum, world } from '../../tensorflow/collectives.ts';
import { rawOp, rawOps } from '../../tensorflow/raw-op.ts';
import { tf, type Tensor } from '../../tensorflow/tfjs.ts';
import type { Views } from '../layer.ts';

/** PyTorch's default; tfjs's is 1e-3. */
const EPSILON = 1e-5;
const FORMAT = { epsilon: EPSILON, data_format: 'NHWC' };

/** What the batch is like in each channel: float32 [channels], of one view over all ranks. */
export interface Statistics {
  readonly mean: Tensor;
  /** Biased: what the batch is normalised by. */
  readonly variance: Tensor;
  /** With n/(n−1) of the global n: what the running variance moves towards. */
  readonly unbiasedVariance: Tensor;
}

/** Batch norm by given statistics. x: [n, h, w, c] of any float type, vectors float32 [c]. */
export function normalizeWith(x: Tensor, scale: Tensor, shift: Tensor, mean: Tensor, variance: Tensor): Tensor {
  return rawOps('FusedBatchNormV3', [x, scale, shift, mean, variance], { ...FORMAT, is_training: false }, 6)[0]!;
}

/**
 * Batch norm by batch statistics, of each view for itself and over all ranks; two messages a call, one forward and one
 * backward, for all views together.
 * @param pivot [c], close to the mean and equal on all ranks: the spread between ranks is summed around it, since
 *   E[x²] − mean² cancels.
 */
export function normalizeByBatch(
  views: Views,
  scale: Tensor,
  shift: Tensor,
  pivot: Tensor,
): { normalized: Tensor[]; statistics: Statistics[] } {
  const named = Object.fromEntries(views.map((x, i) => [`view${i}`, x]));
  // All views are one node of tfjs's tape, since their backward messages go out together.
  const outputs = tf
    .engine()
    .runKernel(registerKernel(views.length), { ...named, scale, shift, pivot }) as unknown as Tensor[];
  return { normalized: outputs.slice(0, views.length), statistics: unflatten(outputs.slice(views.length)) };
}

function flatten(statistics: readonly Statistics[]): Tensor[] {
  return statistics.flatMap(({ mean, variance, unbiasedVariance }) => [mean, variance, unbiasedVariance]);
}

function unflatten(tensors: readonly Tensor[]): Statistics[] {
  return Array.from({ length: tensors.length / 3 }, (_, i) => {
    const [mean, variance, unbiasedVariance] = tensors.slice(3 * i, 3 * i + 3) as [Tensor, Tensor, Tensor];
    return { mean, variance, unbiasedVariance };
  });
}

const registered = new Set<string>();

/** tfjs wants the number of inputs and outputs that a kernel saves for its gradient up front: a kernel per count. */
function registerKernel(count: number): string {
  const kernelName = `BatchNormOf${count}`;
  if (registered.has(kernelName)) return kernelName;
  registered.add(kernelName);
  const names = Array.from({ length: count }, (_, i) => `view${i}`);
  tf.registerKernel({
    kernelName,
    backendName: 'tensorflow',
    kernelFunc: ({ inputs }) => {
      const named = inputs as unknown as Record<string, Tensor>;
      const [scale, shift, pivot] = [named['scale']!, named['shift']!, named['pivot']!];
      const views = names.map((name) => named[name]!);
      const statistics = batchStatistics(views, pivot);
      const normalized = views.map((x, i) => {
        const { mean, variance } = statistics[i]!;
        return normalizeWith(x, scale, shift, mean, variance);
      });
      return [...normalized, ...flatten(statistics)];
    },
  });
  tf.registerGradient({
    kernelName,
    inputsToSave: [...names, 'scale'],
    outputsToSave: [...names.map(() => false), ...names.flatMap(() => [true, true, true])],
    gradFunc: (dy, saved) => {
      const [views, scale, statistics] = [saved.slice(0, count), saved[count]!, unflatten(saved.slice(count + 1))];
      const gradients = views.map((x, i) => byConstants((dy as Tensor[])[i]!, x, scale, statistics[i]!));
      const dx = throughStatistics(views, scale, statistics, gradients);
      return {
        ...Object.fromEntries(names.map((name, i) => [name, () => dx[i]!])),
        scale: () => gradients.map((gradient) => gradient.dScale).reduce((a, b) => tf.add(a, b)),
        shift: () => gradients.map((gradient) => gradient.dShift).reduce((a, b) => tf.add(a, b)),
        pivot: () => tf.zerosLike(scale),
      };
    },
  });
  return kernelName;
}

/**
 * TensorFlow's kernels add up a channel's values one after the other in float32, whose error grows with their number.
 * Rows dealt out over groups, each with channels of its own, are short sums that are then added up in a second stage:
 * as exact as PyTorch's sums in double, for a reshape.
 */
const GROUP_ROWS = 32;

/** How many groups the rows of x are dealt out over. */
function groupsOf(x: Tensor): number {
  const rows = x.size / channelsOf(x);
  let groups = 1;
  while (rows % (groups * 2) === 0 && rows / (groups * 2) >= GROUP_ROWS) groups *= 2;
  return groups;
}

function channelsOf(x: Tensor): number {
  return x.shape[x.rank - 1]!;
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

function batchStatistics(views: Views, pivot: Tensor): Statistics[] {
  const local = views.flatMap((x) => {
    const { mean, variance } = localStatistics(x);
    const distance = tf.sub(mean, pivot);
    return [distance, tf.square(distance), variance];
  });
  const average = allReduceSum(local).map((total) => (world() === 1 ? total : tf.mul(total, 1 / world())));
  return views.map((x, i) => {
    const [distance, squaredDistance, within] = average.slice(3 * i, 3 * i + 3) as [Tensor, Tensor, Tensor];
    const between = tf.relu(tf.sub(squaredDistance, tf.square(distance)));
    const variance = tf.add(within, between);
    const n = (x.size / channelsOf(x)) * world();
    return { mean: tf.add(pivot, distance), variance, unbiasedVariance: tf.mul(variance, n / (n - 1)) };
  });
}

/** Of this rank's part of the batch; the variance is biased. */
function localStatistics(x: Tensor): { mean: Tensor; variance: Tensor } {
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
  return { mean, variance: tf.add(within, tf.mean(tf.squaredDifference(ofGroups, mean), 0)) };
}

interface Gradient {
  readonly dx: Tensor;
  readonly dScale: Tensor;
  readonly dShift: Tensor;
}

/** As if the statistics were constants. */
function byConstants(dy: Tensor, x: Tensor, scale: Tensor, { mean, variance }: Statistics): Gradient {
  const groups = groupsOf(x);
  const vectors = [scale, mean, variance].map((vector) => tf.tile(vector, [groups]));
  const inputs = [dealOut(dy, groups), dealOut(x, groups), ...vectors, tf.tensor1d([], 'float32')];
  const [dx, dScale, dShift] = rawOps('FusedBatchNormGradV3', inputs, { ...FORMAT, is_training: false }, 3);
  return {
    dx: tf.reshape(dx!, x.shape),
    dScale: tf.sum(byGroup(dScale!, groups), 0),
    dShift: tf.sum(byGroup(dShift!, groups), 0),
  };
}

/** Adds to dx what flows through mean and variance, from two sums over all ranks. */
function throughStatistics(
  views: Views,
  scale: Tensor,
  statistics: readonly Statistics[],
  gradients: readonly Gradient[],
): Tensor[] {
  const sums = allReduceSum(gradients.flatMap(({ dScale, dShift }) => [dScale, dShift]));
  return views.map((x, i) => {
    const { mean, variance } = statistics[i]!;
    const n = (x.size / channelsOf(x)) * world();
    const inverse = tf.rsqrt(tf.add(variance, EPSILON));
    const gain = tf.mul(scale, inverse);
    const slope = tf.mul(tf.mul(tf.mul(gain, inverse), sums[2 * i]!), -1 / n);
    const offset = tf.mul(tf.mul(gain, sums[2 * i + 1]!), -1 / n);
    // slope·(x − mean) + offset in one fused kernel: variance 1 − ε makes its division a multiplication by 1.
    const correction = normalizeWith(x, slope, offset, mean, tf.fill([scale.size], 1 - EPSILON));
    return rawOp('AddV2', [gradients[i]!.dx, correction]);
  });
}
