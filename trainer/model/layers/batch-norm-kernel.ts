import { allReduceSum, world } from '../../tensorflow/collectives.ts';
import { rawOp, rawOps } from '../../tensorflow/raw-op.ts';
import { tf, type Tensor } from '../../tensorflow/tfjs.ts';
import type { Views } from '../layer.ts';

/** PyTorch's default; tfjs's is 1e-3. */
const EPSILON = 1e-5;
const FORMAT = { epsilon: EPSILON, data_format: 'NHWC' };

/** What a kernel gives for one view besides the normalised tensor. Vectors are float32 [channels]. */
interface Statistics {
  readonly mean: Tensor;
  /** With n/(n−1) of the global n: what the running variance moves towards. */
  readonly unbiasedVariance: Tensor;
  /** Mean, variance and workspace as the backward kernel wants them. */
  readonly reserved: readonly [Tensor, Tensor, Tensor];
}

/** Batch norm by given statistics (evaluation). x: [n, h, w, c] of any float type, vectors float32 [c]. */
export function normalizeWith(x: Tensor, scale: Tensor, shift: Tensor, mean: Tensor, variance: Tensor): Tensor {
  return rawOps('FusedBatchNormV3', [x, scale, shift, mean, variance], { ...FORMAT, is_training: false }, 6)[0]!;
}

/**
 * Batch norm by batch statistics, of each view for itself.
 * @param synchronize Over all ranks, with all views in one message; else of this rank's batch. `pivot` [c] is close to
 *   the mean and equal on all ranks: variances are combined around it, since E[x²] − mean² cancels.
 * @returns The normalised views and then their statistics, see {@link batchStatistics}.
 */
export function normalizeViews(views: Views, scale: Tensor, shift: Tensor, synchronize?: { pivot: Tensor }): Tensor[] {
  const kernelName = registerKernel(views.length, synchronize !== undefined);
  const named = Object.fromEntries(views.map((x, i) => [`view${i}`, x]));
  const inputs = { ...named, scale, shift, ...synchronize };
  // All views are one node of tfjs's tape, since their backward messages go out together.
  return tf.engine().runKernel(kernelName, inputs as never) as unknown as Tensor[];
}

const PER_VIEW = 5;

/** The statistics among the outputs of {@link normalizeViews}, a view each. */
export function batchStatistics(outputs: readonly Tensor[]): Statistics[] {
  const views = outputs.length / (1 + PER_VIEW);
  return Array.from({ length: views }, (_, i) => {
    const [mean, unbiasedVariance, ...reserved] = outputs.slice(views + i * PER_VIEW, views + (i + 1) * PER_VIEW);
    return { mean: mean!, unbiasedVariance: unbiasedVariance!, reserved: reserved as [Tensor, Tensor, Tensor] };
  });
}

type Inputs = Readonly<Record<string, Tensor>>;
const registered = new Set<string>();

/** tfjs wants the number of inputs and outputs that a kernel saves for its gradient up front: a kernel per count. */
function registerKernel(count: number, synchronized: boolean): string {
  const kernelName = `${synchronized ? 'Synchronized' : 'Local'}BatchNormOf${count}`;
  if (registered.has(kernelName)) return kernelName;
  registered.add(kernelName);
  const viewNames = Array.from({ length: count }, (_, i) => `view${i}`);
  const viewsOf = (inputs: Inputs): Tensor[] => viewNames.map((name) => inputs[name]!);
  const flatten = (ys: readonly Tensor[], statistics: readonly Statistics[]): Tensor[] => [
    ...ys,
    ...statistics.flatMap(({ mean, unbiasedVariance, reserved }) => [mean, unbiasedVariance, ...reserved]),
  ];
  tf.registerKernel({
    kernelName,
    backendName: 'tensorflow',
    kernelFunc: ({ inputs }) => {
      const { scale, shift, pivot } = inputs as unknown as { scale: Tensor; shift: Tensor; pivot?: Tensor };
      const views = viewsOf(inputs as unknown as Inputs);
      if (!pivot) {
        const local = views.map((x) => trainLocally(x, scale, shift));
        return flatten(
          local.map(({ y }) => y),
          local.map(({ statistics }) => statistics),
        );
      }
      const statistics = synchronizedStatistics(views, scale, shift, pivot);
      const ys = views.map((x, i) => normalizeWith(x, scale, shift, ...meanAndVariance(statistics[i]!)));
      return flatten(ys, statistics);
    },
  });
  tf.registerGradient({
    kernelName,
    inputsToSave: [...viewNames, 'scale'],
    outputsToSave: [...viewNames.map(() => false), ...viewNames.flatMap(() => [true, true, true, true, true])],
    gradFunc: (dy, saved) => {
      const [views, scale] = [saved.slice(0, count), saved[count]!];
      const statistics = batchStatistics([...views, ...saved.slice(count + 1)]);
      const gradients = views.map((x, i) =>
        backward((dy as Tensor[])[i]!, x, scale, statistics[i]!.reserved, !synchronized),
      );
      const dx = synchronized
        ? throughStatistics(views, scale, statistics, gradients)
        : gradients.map((gradient) => gradient.dx);
      return {
        ...Object.fromEntries(viewNames.map((name, i) => [name, () => dx[i]!])),
        scale: () => gradients.map((gradient) => gradient.dScale).reduce((a, b) => tf.add(a, b)),
        shift: () => gradients.map((gradient) => gradient.dShift).reduce((a, b) => tf.add(a, b)),
        pivot: () => tf.zerosLike(scale),
      };
    },
  });
  return kernelName;
}

function trainLocally(x: Tensor, scale: Tensor, shift: Tensor): { y: Tensor; statistics: Statistics } {
  const none = tf.tensor1d([], 'float32');
  const attrs = { ...FORMAT, is_training: true, exponential_avg_factor: 1 };
  const [y, mean, unbiasedVariance, ...reserved] = rawOps('FusedBatchNormV3', [x, scale, shift, none, none], attrs, 6);
  return {
    y: y!,
    statistics: { mean: mean!, unbiasedVariance: unbiasedVariance!, reserved: reserved as [Tensor, Tensor, Tensor] },
  };
}

/**
 * The statistics of all ranks' samples together; equal on all ranks. One message: 3 · views · channels floats. The
 * spread within ranks and the one between them travel apart, so that only the small latter is a difference of squares.
 */
function synchronizedStatistics(views: Views, scale: Tensor, shift: Tensor, pivot: Tensor): Statistics[] {
  const channels = scale.size;
  const local = views.flatMap((x) => {
    const { mean, unbiasedVariance } = trainLocally(x, scale, shift).statistics;
    const n = x.size / channels;
    const distance = tf.sub(mean, pivot);
    return [distance, tf.square(distance), tf.mul(unbiasedVariance, (n - 1) / n)];
  });
  const average = allReduceSum(local).map((total) => tf.mul(total, 1 / world()));
  return views.map((x, i) => {
    const n = (x.size / channels) * world();
    const [distance, squaredDistance, within] = average.slice(3 * i, 3 * i + 3) as [Tensor, Tensor, Tensor];
    const mean = tf.add(pivot, distance);
    const variance = tf.add(within, tf.relu(tf.sub(squaredDistance, tf.square(distance))));
    const unbiasedVariance = tf.mul(variance, n / (n - 1));
    return { mean, unbiasedVariance, reserved: [mean, variance, tf.zeros([1])] };
  });
}

interface Gradient {
  readonly dx: Tensor;
  readonly dScale: Tensor;
  readonly dShift: Tensor;
}

/** `byBatch` false: as if the statistics were constants. */
function backward(
  dy: Tensor,
  x: Tensor,
  scale: Tensor,
  reserved: readonly [Tensor, Tensor, Tensor],
  byBatch: boolean,
): Gradient {
  const attrs = { ...FORMAT, is_training: byBatch };
  const [dx, dScale, dShift] = rawOps('FusedBatchNormGradV3', [dy, x, scale, ...reserved], attrs, 5);
  return { dx: dx!, dScale: dScale!, dShift: dShift! };
}

/** Adds to dx what flows through mean and variance, from two sums over all ranks: one message for all views. */
function throughStatistics(
  views: Views,
  scale: Tensor,
  statistics: readonly Statistics[],
  gradients: readonly Gradient[],
): Tensor[] {
  const sums = allReduceSum(gradients.flatMap(({ dScale, dShift }) => [dScale, dShift]));
  return views.map((x, i) => {
    const [mean, variance] = meanAndVariance(statistics[i]!);
    const n = (x.size / scale.size) * world();
    const inverse = tf.rsqrt(tf.add(variance, EPSILON));
    const gain = tf.mul(scale, inverse);
    const slope = tf.mul(tf.mul(tf.mul(gain, inverse), sums[2 * i]!), -1 / n);
    const offset = tf.mul(tf.mul(gain, sums[2 * i + 1]!), -1 / n);
    // slope·(x − mean) + offset in one fused kernel: variance 1 − ε makes its division a multiplication by 1.
    const correction = normalizeWith(x, slope, offset, mean, tf.fill([scale.size], 1 - EPSILON));
    return rawOp('AddV2', [gradients[i]!.dx, correction]);
  });
}

function meanAndVariance({ reserved }: Statistics): [Tensor, Tensor] {
  return [reserved[0], reserved[1]];
}
