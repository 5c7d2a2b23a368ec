import { rawOp } from '../../tensorflow/raw-op.ts';
import { differentiable } from '../../tensorflow/differentiable.ts';
import { tf, type Tensor } from '../../tensorflow/tfjs.ts';

/** Zeros around height and width. */
export function pad(x: Tensor, margin: number): Tensor {
  return differentiable([x], (input) => ({
    value: padded(input, margin),
    gradient: (dy) => [cropped(dy, margin, x.shape)],
  }));
}

/** {@link pad} without a gradient. */
export function padded(x: Tensor, margin: number): Tensor {
  return rawOp('Pad', [x, tf.tensor2d([0, 0, margin, margin, margin, margin, 0, 0], [4, 2], 'int32')]);
}

/** What is left of x, of this shape, without the margin. */
export function cropped(x: Tensor, margin: number, shape: readonly number[]): Tensor {
  return rawOp('Slice', [x, tf.tensor1d([0, margin, margin, 0], 'int32'), tf.tensor1d([...shape], 'int32')]);
}
