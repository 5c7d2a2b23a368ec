import { tf, type Tensor } from '../../tensorflow/tfjs.ts';
import type { Layer, Scope, StateEntry, Views } from '../layer.ts';
import { normalizeByBatch } from './batch-norm-kernel.ts';
import { normalizeWith } from './local-batch-norm.ts';

/** PyTorch's default: how far a running statistic moves towards the batch's. */
const MOMENTUM = 0.1;

interface BatchNormOptions {
  readonly name: string;
  readonly channels: number;
  /** Learned scale and shift; the projector's last batch norm has none. Default true. */
  readonly affine?: boolean;
  /** What the scale starts at; 0 makes a residual block start as the identity. Default 1. */
  readonly initialScale?: number;
}

/**
 * Batch norm over all but the last axis, with statistics of each view for itself and of all ranks.
 * The running statistics move once a view, in order, by the batch's mean and unbiased variance, as in PyTorch.
 */
export function batchNorm({ name, channels, affine = true, initialScale = 1 }: BatchNormOptions): Layer {
  const vector = (field: string, role: StateEntry['role'], value: number): StateEntry => ({
    name: `${name}.${field}`,
    shape: role === 'counter' ? [] : [channels],
    role,
    layout: 'plain',
    initial: { kind: 'constant', value },
  });
  const learned = [vector('weight', 'trainable', initialScale), vector('bias', 'trainable', 0)];
  const [mean, variance] = [vector('running_mean', 'statistic', 0), vector('running_var', 'statistic', 1)];
  return {
    entries: [...(affine ? learned : []), mean, variance, vector('num_batches_tracked', 'counter', 0)],
    apply: (scope, views) => {
      const scale = affine ? scope.parameter(`${name}.weight`) : tf.ones([channels]);
      const shift = affine ? scope.parameter(`${name}.bias`) : tf.zeros([channels]);
      const images = views.map(asImages);
      const normalized = scope.training
        ? train(scope, images, scale, shift, [mean.name, variance.name])
        : images.map((x) => normalizeWith(x, scale, shift, scope.statistic(mean.name), scope.statistic(variance.name)));
      return normalized.map((y, i) => y.reshape(views[i]!.shape));
    },
  };
}

function train(scope: Scope, views: Views, scale: Tensor, shift: Tensor, names: readonly [string, string]): Views {
  const { normalized, statistics } = normalizeByBatch(views, scale, shift, scope.statistic(names[0]));
  for (const { mean, unbiasedVariance } of statistics) {
    for (const [name, value] of [[names[0], mean] as const, [names[1], unbiasedVariance] as const]) {
      const moved = tf.add(tf.mul(scope.statistic(name), 1 - MOMENTUM), tf.mul(value, MOMENTUM));
      scope.updateStatistic(name, tf.keep(moved));
    }
  }
  return normalized;
}

/** The fused kernels take four axes. */
function asImages(x: Tensor): Tensor {
  return x.rank === 2 ? x.reshape([x.shape[0], 1, 1, x.shape[1]!]) : x;
}
