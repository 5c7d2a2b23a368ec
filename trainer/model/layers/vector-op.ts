import { onGpu } from '../../tensorflow/device.ts';
import { multipliesBfloat16 } from '../../tensorflow/kernels.ts';
import { cast, rawOp, realDType, type AttrValue } from '../../tensorflow/raw-op.ts';
import type { Tensor } from '../../tensorflow/tfjs.ts';

/** An op of TensorFlow's; of bfloat16 it is computed in float32 and rounded where TensorFlow would take one value at a time. */
export function vectorOp(op: string, inputs: readonly Tensor[], attrs: Readonly<Record<string, AttrValue>>): Tensor {
  const isHalf = (x: Tensor): boolean => realDType(x) === 'bfloat16';
  if (!inputs.some(isHalf) || onGpu() || multipliesBfloat16()) return rawOp(op, inputs, attrs);
  const operands = inputs.map((x) => (isHalf(x) ? cast(x, 'float32') : x));
  return cast(rawOp(op, operands, attrs), 'bfloat16');
}
