import { allReduceSum, world } from '../../tensorflow/collectives.ts';
import { compiledByXla, onGpu } from '../../tensorflow/device.ts';
import { tf, type Tensor } from '../../tensorflow/tfjs.ts';
import type { Views } from '../layer.ts';
import { cpuBatchNorm } from './cpu-batch-norm.ts';
import { cudnnBatchNorm } from './cudnn-batch-norm.ts';
import {
  EPSILON,
  type LocalBatchNorm,
  type LocalGradient,
  type Moments,
  normalizeWith,
  rowsOf,
} from './local-batch-norm.ts';
import { xlaBatchNorm } from './xla-batch-norm.ts';

/** What the batch is like in each channel: float32 [channels], of one view over all ranks. */
export interface Statistics extends Moments {
  /** With n/(n−1) of the global n: what the running variance moves towards. */
  readonly unbiasedVariance: Tensor;
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
    .runKernel(registerKernel(count, localBatchNorm()), { ...named, scale, shift, pivot }) as unknown as Tensor[];
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

function localBatchNorm(): LocalBatchNorm {
  if (!onGpu()) return cpuBatchNorm;
  return compiledByXla() ? xlaBatchNorm : cudnnBatchNorm;
}

const registered = new Set<string>();

/** tfjs wants the number of inputs and outputs that a kernel saves for its gradient up front: a kernel per count. */
function registerKernel(count: number, local: LocalBatchNorm): string {
  const kernelName = `BatchNormOf${count}By${local.name}`;
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
      const dx = gradientsByViews(views, scale, statistics, gradients);
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

/** With what flows through mean and variance, from two sums over all ranks. */
function gradientsByViews(
  views: Views,
  scale: Tensor,
  statistics: readonly Statistics[],
  gradients: readonly LocalGradient[],
): Tensor[] {
  const ofOne = gradients.flatMap(({ dxOfOne }) => dxOfOne ?? []);
  if (world() === 1 && ofOne.length === views.length) return ofOne;
  const sums = allReduceSum(gradients.flatMap(({ dScale, dShift }) => [dScale, dShift]));
  return views.map((x, i) => {
    const inverse = tf.rsqrt(tf.add(statistics[i]!.variance, EPSILON));
    const gain = tf.mul(scale, inverse);
    const [dScale, dShift] = sums.slice(2 * i, 2 * i + 2).map((total) => tf.mul(total, -1 / (rowsOf(x) * world()))) as [
      Tensor,
      Tensor,
    ];
    return gradients[i]!.dx(tf.mul(tf.mul(gain, inverse), dScale), tf.mul(gain, dShift));
  });
}
