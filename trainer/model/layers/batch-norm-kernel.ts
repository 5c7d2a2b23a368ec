import { allReduceSum, world } from '../../tensorflow/collectives.ts';
import { onGpu } from '../../tensorflow/device.ts';
import { rawOp, rawOps } from '../../tensorflow/raw-op.ts';
import { tf, type Tensor } from '../../tensorflow/tfjs.ts';
import type { Views } from '../layer.ts';
import { cpuBatchNorm } from './cpu-batch-norm.ts';
import { gpuBatchNorm } from './gpu-batch-norm.ts';
import { EPSILON, FORMAT, type LocalGradient, type Moments, rowsOf } from './local-batch-norm.ts';

/** What the batch is like in each channel: float32 [channels], of one view over all ranks. */
export interface Statistics extends Moments {
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
  const count = views.length;
  // All views are one node of tfjs's tape, since their backward messages go out together.
  const outputs = tf
    .engine()
    .runKernel(registerKernel(count, onGpu()), { ...named, scale, shift, pivot }) as unknown as Tensor[];
  return { normalized: outputs.slice(0, count), statistics: unflatten(outputs.slice(count, 4 * count)) };
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
function registerKernel(count: number, gpu: boolean): string {
  const kernelName = `BatchNormOf${count}On${gpu ? 'Gpu' : 'Cpu'}`;
  if (registered.has(kernelName)) return kernelName;
  registered.add(kernelName);
  const local = gpu ? gpuBatchNorm : cpuBatchNorm;
  const names = Array.from({ length: count }, (_, i) => `view${i}`);
  tf.registerKernel({
    kernelName,
    backendName: 'tensorflow',
    kernelFunc: ({ inputs }) => {
      const named = inputs as unknown as Record<string, Tensor>;
      const [scale, shift, pivot] = [named['scale']!, named['shift']!, named['pivot']!];
      const views = names.map((name) => named[name]!);
      const forwards = views.map((x) => local.forward(x, scale, shift));
      const statistics = overRanks(
        views,
        forwards.map(({ moments }) => moments),
        pivot,
      );
      const normalized = views.map((x, i) => {
        const { mean, variance } = statistics[i]!;
        const own = world() === 1 ? forwards[i]!.normalized : undefined;
        return own ?? normalizeWith(x, scale, shift, mean, variance);
      });
      return [...normalized, ...flatten(statistics), ...forwards.flatMap(({ workspace }) => workspace)];
    },
  });
  tf.registerGradient({
    kernelName,
    inputsToSave: [...names, 'scale'],
    outputsToSave: [
      ...names.map(() => false),
      ...names.flatMap(() => [true, true, true]),
      ...names.flatMap(() => Array.from({ length: local.workspaces }, () => true)),
    ],
    gradFunc: (dy, saved) => {
      const [views, scale, outputs] = [saved.slice(0, count), saved[count]!, saved.slice(count + 1)];
      const statistics = unflatten(outputs.slice(0, 3 * count));
      const gradients = views.map((x, i) => {
        const from = 3 * count + i * local.workspaces;
        const workspace = outputs.slice(from, from + local.workspaces);
        return local.backward({ dy: (dy as Tensor[])[i]!, x, scale, moments: statistics[i]!, workspace });
      });
      const whole = local.throughOwnMoments && world() === 1;
      const dx = whole
        ? gradients.map((gradient) => gradient.dx)
        : throughStatistics(views, scale, statistics, gradients, local.throughOwnMoments);
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

/** Of the rows of all ranks, from each rank's own. */
function overRanks(views: Views, moments: readonly Moments[], pivot: Tensor): Statistics[] {
  const local = moments.flatMap(({ mean, variance }) => {
    const distance = tf.sub(mean, pivot);
    return [distance, tf.square(distance), variance];
  });
  const average = allReduceSum(local).map((total) => (world() === 1 ? total : tf.mul(total, 1 / world())));
  return views.map((x, i) => {
    const [distance, squaredDistance, within] = average.slice(3 * i, 3 * i + 3) as [Tensor, Tensor, Tensor];
    const between = tf.relu(tf.sub(squaredDistance, tf.square(distance)));
    const variance = tf.add(within, between);
    const n = rowsOf(x) * world();
    return { mean: tf.add(pivot, distance), variance, unbiasedVariance: tf.mul(variance, n / (n - 1)) };
  });
}

/**
 * Adds to dx what flows through mean and variance, from two sums over all ranks.
 * @param throughOwn whether dx has that of this rank's own rows, which then goes.
 */
function throughStatistics(
  views: Views,
  scale: Tensor,
  statistics: readonly Statistics[],
  gradients: readonly LocalGradient[],
  throughOwn: boolean,
): Tensor[] {
  const sums = allReduceSum(gradients.flatMap(({ dScale, dShift }) => [dScale, dShift]));
  return views.map((x, i) => {
    const { mean, variance } = statistics[i]!;
    const { dx, dScale, dShift } = gradients[i]!;
    const missing = (ofAll: Tensor, own: Tensor): Tensor => {
      const all = tf.mul(ofAll, -1 / (rowsOf(x) * world()));
      return throughOwn ? tf.add(all, tf.mul(own, 1 / rowsOf(x))) : all;
    };
    const inverse = tf.rsqrt(tf.add(variance, EPSILON));
    const gain = tf.mul(scale, inverse);
    const slope = tf.mul(tf.mul(gain, inverse), missing(sums[2 * i]!, dScale));
    const offset = tf.mul(gain, missing(sums[2 * i + 1]!, dShift));
    // slope·(x − mean) + offset in one fused kernel: variance 1 − ε makes its division a multiplication by 1.
    const correction = normalizeWith(x, slope, offset, mean, tf.fill([scale.size], 1 - EPSILON));
    return rawOp('AddV2', [dx, correction]);
  });
}
