import { allReduceSum, world } from '../../tensorflow/collectives.ts';
import { compiledByXla, onGpu } from '../../tensorflow/device.ts';
import { tf, type Tensor } from '../../tensorflow/tfjs.ts';
import type { Views } from '../layer.ts';
import { cpuBatchNorm } from './cpu-batch-norm.ts';
import { cudnnBatchNorm } from './cudnn-batch-norm.ts';
import { activated, rectifiedGradient } from './elementwise.ts';
import { EPSILON, type LocalBatchNorm, type LocalGradient, normalizeWith, rowsOf } from './local-batch-norm.ts';
import { flatten, overRanks, type Statistics, unflatten } from './statistics.ts';
import { xlaBatchNorm } from './xla-batch-norm.ts';

interface BatchNormInput {
  /** Each [n, h, w, c], all of one shape and type. */
  readonly views: Views;
  /** What is added to each view once it is normalised. */
  readonly skipped?: Views;
  /** Whether a ReLU comes last. */
  readonly relu: boolean;
  readonly scale: Tensor;
  readonly shift: Tensor;
  /** See {@link overRanks}. */
  readonly pivot: Tensor;
}

/**
 * Batch norm by batch statistics, of each view for itself and over all ranks, the sum and the ReLU after it; two messages
 * a call, one forward and one backward, for all views together.
 */
export function normalizeByBatch({ views, skipped = [], relu, scale, shift, pivot }: BatchNormInput): {
  normalized: Tensor[];
  statistics: Statistics[];
} {
  const kind = { count: views.length, skips: skipped.length > 0, relu, local: localBatchNorm() };
  const named = (name: string, tensors: Views): object => Object.fromEntries(tensors.map((x, i) => [`${name}${i}`, x]));
  const inputs = { ...named('view', views), ...named('skip', skipped), scale, shift, pivot };
  // All views are one node of tfjs's tape, since their backward messages go out together.
  const outputs = tf.engine().runKernel(registerKernel(kind), inputs) as unknown as Tensor[];
  const count = views.length;
  return { normalized: outputs.slice(0, count), statistics: unflatten(outputs.slice(count, 4 * count)) };
}

function localBatchNorm(): LocalBatchNorm {
  if (!onGpu()) return cpuBatchNorm;
  return compiledByXla() ? xlaBatchNorm : cudnnBatchNorm;
}

interface Kind {
  readonly count: number;
  readonly skips: boolean;
  readonly relu: boolean;
  readonly local: LocalBatchNorm;
}

const registered = new Set<string>();

/** tfjs wants the number of inputs and outputs that a kernel saves for its gradient up front: a kernel per kind. */
function registerKernel({ count, skips, relu, local }: Kind): string {
  const kernelName = `BatchNormOf${count}By${local.name}${skips ? 'Sum' : ''}${relu ? 'Relu' : ''}`;
  if (registered.has(kernelName)) return kernelName;
  registered.add(kernelName);
  const numbered = (name: string, wanted = true): string[] =>
    Array.from({ length: wanted ? count : 0 }, (_, i) => `${name}${i}`);
  const [names, skipNames] = [numbered('view'), numbered('skip', skips)];
  // What a ReLU let through is known from x or read from what came out.
  const reluFromInput = relu && !skips && local.normalize !== undefined;
  const reluFromOutput = relu && !reluFromInput;
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
        const activation = { relu, ...(skips ? { skip: named[skipNames[i]!]! } : {}) };
        if (local.normalize) return local.normalize(x, { scale, shift, mean, variance }, activation);
        const own = world() === 1 ? forwards[i]!.normalized : undefined;
        return activated(own ?? normalizeWith(x, scale, shift, mean, variance), activation);
      });
      return [...normalized, ...flatten(statistics), ...forwards.flatMap(({ workspace }) => workspace)];
    },
  });
  tf.registerGradient({
    kernelName,
    inputsToSave: [...names, 'scale', 'shift'],
    outputsToSave: [
      ...names.map(() => reluFromOutput),
      ...names.flatMap(() => [true, true, true]),
      ...names.flatMap(() => Array.from({ length: local.workspaces }, () => true)),
    ],
    gradFunc: (dy, saved) => {
      const take = (length: number): Tensor[] => saved.splice(0, length);
      const [views, [scale, shift]] = [take(count), take(2) as [Tensor, Tensor]];
      const normalized = reluFromOutput ? take(count) : [];
      const statistics = unflatten(take(3 * count));
      const through = (dy as Tensor[])
        .slice(0, count)
        .map((dy, i) => (reluFromOutput ? rectifiedGradient(dy, normalized[i]!) : dy));
      const gradients = views.map((x, i) => {
        const [moments, workspace] = [statistics[i]!, take(local.workspaces)];
        return local.backward({ dy: through[i]!, x, scale, shift, moments, workspace, relu: reluFromInput });
      });
      const dx = gradientsByViews(views, scale, statistics, gradients);
      return {
        ...Object.fromEntries(names.map((name, i) => [name, () => dx[i]!])),
        ...Object.fromEntries(skipNames.map((name, i) => [name, () => through[i]!.clone()])),
        scale: () => gradients.map((gradient) => gradient.dScale).reduce((a, b) => tf.add(a, b)),
        shift: () => gradients.map((gradient) => gradient.dShift).reduce((a, b) => tf.add(a, b)),
        pivot: () => tf.zerosLike(scale),
      };
    },
  });
  return kernelName;
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
  const rows = rowsOf(views[0]!) * world();
  const means = allReduceSum(
    gradients.flatMap(({ dScale, dShift }) => [dScale, dShift]),
    -1 / rows,
  );
  return views.map((_, i) => {
    const inverse = tf.rsqrt(tf.add(statistics[i]!.variance, EPSILON));
    const gain = tf.mul(scale, inverse);
    const [dScale, dShift] = means.slice(2 * i, 2 * i + 2) as [Tensor, Tensor];
    return gradients[i]!.dx(tf.mul(tf.mul(gain, inverse), dScale), tf.mul(gain, dShift));
  });
}
