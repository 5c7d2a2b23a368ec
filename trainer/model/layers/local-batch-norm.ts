import { rawOp, rawOps } from '../../tensorflow/raw-op.ts';
import { tf, type Tensor } from '../../tensorflow/tfjs.ts';
import type { NormalizeBy } from '../../tensorflow/kernels.ts';
import type { Activation } from './elementwise.ts';

/** PyTorch's default; tfjs's is 1e-3. */
export const EPSILON = 1e-5;
export const FORMAT = { epsilon: EPSILON, data_format: 'NHWC' };

/** What rows are like in each channel: float32 [channels]; the variance is biased. */
export interface Moments {
  readonly mean: Tensor;
  readonly variance: Tensor;
}

export interface LocalForward {
  readonly moments: Moments;
  /** x by its own moments, scaled and shifted, where the kernel makes it on the way. */
  readonly normalized?: Tensor;
  /** What the backward kernel wants back. */
  readonly workspace: readonly Tensor[];
}

export interface LocalBackwardInput {
  readonly dy: Tensor;
  readonly x: Tensor;
  readonly scale: Tensor;
  readonly shift: Tensor;
  /** Of the rows of all ranks. */
  readonly moments: Moments;
  readonly workspace: readonly Tensor[];
  /** Whether a ReLU comes after it whose gradient dy hasn't been through; only where there is {@link LocalBatchNorm.normalize}. */
  readonly relu: boolean;
}

export interface LocalGradient {
  /** Sums over this rank's rows of dy · (x − mean) / √(variance + ε), and of dy: float32 [channels]. */
  readonly dScale: Tensor;
  readonly dShift: Tensor;
  /**
   * dy · scale / √(variance + ε) + slope · (x − mean) + offset, in x's type: the gradient by x, once the sums of all
   * ranks have told what flows through mean and variance. slope and offset: float32 [channels].
   */
  readonly dx: (slope: Tensor, offset: Tensor) => Tensor;
  /** The gradient by x if this rank's rows are all, where the kernel makes it on the way. */
  readonly dxOfOne?: Tensor;
}

/** One view of one rank: the passes over its rows, by the kernels that are best on a device. x: [n, h, w, c]. */
export interface LocalBatchNorm {
  /** Part of a kernel's name. */
  readonly name: string;
  /** Length of `workspace`. */
  readonly workspaces: number;
  readonly forward: (x: Tensor, scale: Tensor, shift: Tensor) => LocalForward;
  /**
   * Normalising, the sum and the ReLU in one kernel, where there is one. The backward kernels then find out from x what a
   * ReLU let through that has no sum in front.
   */
  readonly normalize?: (x: Tensor, by: NormalizeBy, activation: Activation) => Tensor;
  readonly backward: (input: LocalBackwardInput) => LocalGradient;
}

/** Batch norm by given statistics. x: [n, h, w, c] of any float type, vectors float32 [c]. */
export function normalizeWith(x: Tensor, scale: Tensor, shift: Tensor, mean: Tensor, variance: Tensor): Tensor {
  return rawOps('FusedBatchNormV3', [x, scale, shift, mean, variance], { ...FORMAT, is_training: false }, 6)[0]!;
}

/** to + slope · (x − mean) + offset; to and x of one type, vectors float32 [c]. */
export function addLine(to: Tensor, x: Tensor, slope: Tensor, mean: Tensor, offset: Tensor): Tensor {
  // The line is one fused kernel: variance 1 − ε makes its division a multiplication by 1.
  return rawOp('AddV2', [to, normalizeWith(x, slope, offset, mean, tf.fill([channelsOf(x)], 1 - EPSILON))]);
}

export function rowsOf(x: Tensor): number {
  return x.size / channelsOf(x);
}

export function channelsOf(x: Tensor): number {
  return x.shape[x.rank - 1]!;
}
