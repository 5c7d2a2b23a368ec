import type { Tensor } from '../../tensorflow/tfjs.ts';

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
  /** Of the rows of all ranks. */
  readonly moments: Moments;
  readonly workspace: readonly Tensor[];
}

export interface LocalGradient {
  readonly dx: Tensor;
  /** Sums over this rank's rows of dy · (x − mean) / √(variance + ε), and of dy: float32 [channels]. */
  readonly dScale: Tensor;
  readonly dShift: Tensor;
}

/** One view of one rank: the passes over its rows, by the kernels that are best on a device. x: [n, h, w, c]. */
export interface LocalBatchNorm {
  /** Length of `workspace`. */
  readonly workspaces: number;
  /** Whether `dx` has what flows through mean and variance, as if this rank's rows were all; else they are constants. */
  readonly throughOwnMoments: boolean;
  readonly forward: (x: Tensor, scale: Tensor, shift: Tensor) => LocalForward;
  readonly backward: (input: LocalBackwardInput) => LocalGradient;
}

export function rowsOf(x: Tensor): number {
  return x.size / channelsOf(x);
}

export function channelsOf(x: Tensor): number {
  return x.shape[x.rank - 1]!;
}
