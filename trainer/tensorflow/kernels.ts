/** Ops of our addon, with kernels for CPUs alone (native/batch_norm.cc, …). They have no gradients. */
import { requireSession } from './active-session.ts';
import { symbolicId } from './interception.ts';
import { nativeAddon } from './native.ts';
import { addOp } from './raw-op.ts';
import type { tf } from './tfjs.ts';

/** How rows are normalised: float32 [channels] each. */
export interface NormalizeBy {
  readonly scale: tf.Tensor;
  readonly shift: tf.Tensor;
  readonly mean: tf.Tensor;
  /** Biased. */
  readonly variance: tf.Tensor;
}

interface NormalizeOptions {
  readonly epsilon: number;
  /** Whether what is negative becomes 0 in the same pass. */
  readonly relu: boolean;
}

/**
 * Mean and biased variance of the rows of x, added up in float64: float32 [channels].
 * @param x [n, …, channels], float32 or bfloat16
 */
export function rowMoments(x: tf.Tensor): { mean: tf.Tensor; variance: tf.Tensor } {
  const shape = [x.shape.at(-1)!];
  const [mean, variance] = outputsOf('SimsiamMoments', [x], {}, [shape, shape]);
  return { mean: mean!, variance: variance! };
}

/** scale · (x − mean) / √(variance + ε) + shift, plus `skip`, which has the shape of x, through the ReLU. */
export function normalizeRows(
  x: tf.Tensor,
  by: NormalizeBy,
  options: NormalizeOptions,
  { skip, after }: { readonly skip?: tf.Tensor | undefined; readonly after?: tf.Tensor } = {},
): tf.Tensor {
  const inputs = [x, ...vectors(by), ...(skip ? [skip] : [])];
  return outputsOf('SimsiamNormalize', inputs, { ...options }, [x.shape], after && [after])[0]!;
}

/**
 * Sums over the rows of dy · (x − mean) / √(variance + ε), and of dy: float32 [channels]. With `relu` dy counts where
 * {@link normalizeRows} without `skip` was positive.
 */
export function normalizeSums(
  dy: tf.Tensor,
  x: tf.Tensor,
  by: NormalizeBy,
  options: NormalizeOptions,
): { dScale: tf.Tensor; dShift: tf.Tensor } {
  const inputs = [dy, x, ...vectors(by)];
  const [dScale, dShift] = outputsOf('SimsiamNormalizeSums', inputs, { ...options }, [by.mean.shape, by.mean.shape]);
  return { dScale: dScale!, dShift: dShift! };
}

/**
 * dy · scale / √(variance + ε) + slope · (x − mean) + offset in x's type, dy as in {@link normalizeSums}.
 * @param line slope and offset: float32 [channels]
 */
export function normalizeGradient(
  dy: tf.Tensor,
  x: tf.Tensor,
  by: NormalizeBy,
  options: NormalizeOptions,
  line: { readonly slope: tf.Tensor; readonly offset: tf.Tensor },
): tf.Tensor {
  const inputs = [dy, x, ...vectors(by), line.slope, line.offset];
  return outputsOf('SimsiamNormalizeGrad', inputs, { ...options }, [x.shape])[0]!;
}

/** v' = momentum · v + (g + weightDecay · w) and w' = w − rate · v', in one pass. All float32; `rate` is a scalar. */
export function sgdUpdate(
  { parameter, buffer, gradient, rate }: Readonly<Record<'parameter' | 'buffer' | 'gradient' | 'rate', tf.Tensor>>,
  { momentum, weightDecay }: { readonly momentum: number; readonly weightDecay: number },
): { parameter: tf.Tensor; buffer: tf.Tensor } {
  const attrs = { momentum, weight_decay: weightDecay };
  const shapes = [parameter.shape, parameter.shape];
  const [updated, moved] = outputsOf('SimsiamSgd', [parameter, buffer, gradient, rate], attrs, shapes);
  return { parameter: updated!, buffer: moved! };
}

/**
 * Whether this processor can run the kernels below, and faster than TensorFlow: in float32 x86 with AVX-512, or with AVX2 and
 * FMA; in bfloat16 x86 that multiplies it by AVX-512 and not by AMX, or has AVX2 and FMA alone.
 */
export function hasConvolutions(type: ConvolutionType): boolean {
  return type === 'float32' ? nativeAddon().hasConvolutions() : nativeAddon().hasBfloat16Convolutions();
}

/**
 * Whether TensorFlow's own kernels multiply bfloat16 in vectors here. On x86 without AVX-512 they take one value at a time, many
 * times slower than float32.
 */
export function multipliesBfloat16(): boolean {
  return nativeAddon().multipliesBfloat16();
}

/** Of images. In bfloat16 what is multiplied is rounded to it, and sums are float32. */
export type ConvolutionType = 'float32' | 'bfloat16';

/**
 * A filter as {@link winogradConvolution} takes it, in an order that is the processor's.
 * @param filter [3, 3, inputs, outputs], float32, both multiples of 16
 * @param options.type of the images
 * @param options.turned the filter of the gradient of the input: rotated by 180°, inputs and outputs exchanged
 * @param options.after what must be there before
 */
export function winogradFilter(
  filter: tf.Tensor,
  { type, turned, after }: { readonly type: ConvolutionType; readonly turned: boolean; readonly after?: tf.Tensor },
): tf.Tensor {
  const [, , inputs = 0, outputs = 0] = filter.shape;
  const paired = type === 'bfloat16';
  // Its 16 matrices lie 80 floats apart (native/winograd.h), each of which holds two factors of bfloat16.
  const length = 16 * ((inputs * outputs) / (paired ? 2 : 1) + 80);
  return outputsOf('SimsiamWinogradFilter', [filter], { turned, paired }, [[length]], after && [after])[0]!;
}

/**
 * A 3×3 convolution of stride 1, padded by 1: [n, h, w, inputs] → [n, h, w, outputs], of the same type.
 * @param x float32 or bfloat16
 * @param filter from {@link winogradFilter}, for this type
 */
export function winogradConvolution(x: tf.Tensor, filter: tf.Tensor, outputs: number): tf.Tensor {
  return outputsOf('SimsiamWinograd', [x, filter], { outputs }, [[...x.shape.slice(0, 3), outputs]])[0]!;
}

/**
 * The gradient of the filter, added up over all views: float32 [3, 3, inputs, outputs].
 * @param xs of one shape, float32 or bfloat16
 * @param dys one for each of xs, of the same type
 */
export function winogradFilterGradient(xs: readonly tf.Tensor[], dys: readonly tf.Tensor[]): tf.Tensor {
  const shape = [3, 3, xs[0]!.shape[3]!, dys[0]!.shape[3]!];
  return outputsOf('SimsiamWinogradFilterGrad', [...xs, ...dys], { views: xs.length }, [shape])[0]!;
}

/**
 * The gradient of the filter of a convolution padded by kernel ÷ 2: float32 [kernel, kernel, inputs, outputs].
 * @param x float32 or bfloat16, inputs: a multiple of 16
 * @param dy of x's type, outputs: a multiple of 16
 */
export function filterGradient(
  x: tf.Tensor,
  dy: tf.Tensor,
  attrs: { readonly kernel: number; readonly stride: number },
): tf.Tensor {
  return outputsOf('SimsiamFilterGrad', [x, dy], { ...attrs }, [
    [attrs.kernel, attrs.kernel, x.shape[3]!, dy.shape[3]!],
  ])[0]!;
}

function vectors({ scale, shift, mean, variance }: NormalizeBy): tf.Tensor[] {
  return [scale, shift, mean, variance];
}

function outputsOf(
  op: string,
  inputs: readonly tf.Tensor[],
  attrs: Readonly<Record<string, number | boolean>>,
  shapes: readonly (readonly number[])[],
  after: readonly tf.Tensor[] = [],
): tf.Tensor[] {
  const session = requireSession(op);
  const controls = after.map((tensor) => symbolicId(session, tensor));
  return addOp(op, inputs, attrs, shapes.length, { shapes, controls }).map(({ tensor }) => tensor);
}
