import { tf, type Tensor } from '../../tensorflow/tfjs.ts';
import type { Layer, Scope, StateEntry, Views } from '../layer.ts';
import { normalizeByBatch } from './batch-norm-kernel.ts';
import { activated } from './elementwise.ts';
import { normalizeWith } from './local-batch-norm.ts';
import type { Statistics } from './statistics.ts';

/** PyTorch's default: how far a running statistic moves towards the batch's. */
const MOMENTUM = 0.1;

interface BatchNormOptions {
  readonly name: string;
  readonly channels: number;
  /** Learned scale and shift; the projector's last batch norm has none. Default true. */
  readonly affine?: boolean;
  /** What the scale starts at; 0 makes a residual block start as the identity. Default 1. */
  readonly initialScale?: number;
  /** Whether a ReLU comes after it. Default false. */
  readonly relu?: boolean;
}

export interface BatchNorm extends Layer {
  /** @param skipped What is added to each view once it is normalised, before the ReLU. */
  readonly apply: (scope: Scope, views: Views, skipped?: Views) => Views;
}

/**
 * Batch norm over all but the last axis, with statistics of each view for itself and of all ranks.
 * The running statistics move once a view, in order, by the batch's mean and unbiased variance, as in PyTorch.
 */
export function batchNorm(options: BatchNormOptions): BatchNorm {
  const { name, channels, affine = true, initialScale = 1, relu = false } = options;
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
    apply: (scope, views, skipped) => {
      const scale = affine ? scope.parameter(`${name}.weight`) : tf.ones([channels]);
      const shift = affine ? scope.parameter(`${name}.bias`) : tf.zeros([channels]);
      const running = { mean: scope.statistic(mean.name), variance: scope.statistic(variance.name) };
      const images = views.map(asImages);
      const by = { scale, shift, pivot: running.mean };
      if (!scope.training) {
        const byRunning = (x: Tensor): Tensor => normalizeWith(x, scale, shift, running.mean, running.variance);
        const activation = (i: number) => ({ relu, ...(skipped ? { skip: skipped[i]! } : {}) });
        return images.map((x, i) => activated(byRunning(x), activation(i)).reshape(views[i]!.shape));
      }
      const { normalized, statistics } = normalizeByBatch({
        ...by,
        views: images,
        relu,
        ...(skipped ? { skipped } : {}),
      });
      move(scope, statistics, [mean.name, variance.name]);
      return normalized.map((y, i) => (y.rank === views[i]!.rank ? y : y.reshape(views[i]!.shape)));
    },
  };
}

/** The running statistics, towards those of each view in turn. */
function move(scope: Scope, batches: readonly Statistics[], names: readonly [string, string]): void {
  for (const { mean, unbiasedVariance } of batches) {
    for (const [name, value] of [[names[0], mean] as const, [names[1], unbiasedVariance] as const]) {
      const moved = tf.add(tf.mul(scope.statistic(name), 1 - MOMENTUM), tf.mul(value, MOMENTUM));
      scope.updateStatistic(name, tf.keep(moved));
    }
  }
}

/** The fused kernels take four axes. */
function asImages(x: Tensor): Tensor {
  return x.rank === 2 ? x.reshape([x.shape[0], 1, 1, x.shape[1]!]) : x;
}
