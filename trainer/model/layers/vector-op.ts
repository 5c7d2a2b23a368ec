import { onGpu } from '../../tensorflow/device.ts';
import { multipliesBfloat16 } from '../../tensorflow/kernels.ts';
import { castOnly, rawOp, realDType, type AttrValue } from '../../tensorflow/raw-op.ts';
import type { Tensor } from '../../tensorflow/tfjs.ts';

/**
 * An op of TensorFlow's; of bfloat16 it is computed in float32 and rounded where TensorFlow would take one value at a time.
 * @param after of a gradient's op what it waits for anyway, lest float32 that was made for the value be kept until then
 */
export function vectorOp(
  op: string,
  inputs: readonly Tensor[],
  attrs: Readonly<Record<string, AttrValue>>,
  after: readonly Tensor[] = [],
): Tensor {
  const isHalf = (x: Tensor): boolean => realDType(x) === 'bfloat16';
  if (!inputs.some(isHalf) || onGpu() || multipliesBfloat16()) return rawOp(op, inputs, attrs);
  const operands = inputs.map((x) => (isHalf(x) ? castOnly(x, 'float32', after) : x));
  return castOnly(rawOp(op, operands, attrs), 'bfloat16');
}
