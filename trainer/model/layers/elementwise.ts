import { cast, rawOp } from '../../tensorflow/raw-op.ts';
import { tf, type Tensor } from '../../tensorflow/tfjs.ts';
import { stateless } from '../layer.ts';
import { pad } from './convolution.ts';

/** max(x, 0), with TensorFlow's own gradient kernel where tfjs would build five ops. */
export const relu = stateless((x) => rectified(x));

export function rectified(x: Tensor): Tensor {
  return tf.customGrad((x, save) => {
    const y = rawOp('Relu', [x as Tensor]);
    (save as (tensors: Tensor[]) => void)([y]);
    return { value: y, gradFunc: (dy: Tensor) => rawOp('ReluGrad', [dy, y]) };
  })(x);
}

/** Elementwise sum of two tensors of one shape and type, bfloat16 included. */
export function sum(a: Tensor, b: Tensor): Tensor {
  return tf.customGrad((a, b) => ({
    value: rawOp('AddV2', [a as Tensor, b as Tensor]),
    gradFunc: (dy: Tensor) => [dy.clone(), dy.clone()],
  }))(a, b);
}

/** 3×3, stride 2, one pixel around. The zeros around never win, since the layer before is a ReLU. */
export const maxPool = stateless((x) => {
  const attrs = { ksize: [1, 3, 3, 1], strides: [1, 2, 2, 1], padding: 'VALID', data_format: 'NHWC' };
  return tf.customGrad((x, save) => {
    const input = x as Tensor;
    const y = rawOp('MaxPool', [input], attrs);
    (save as (tensors: Tensor[]) => void)([input, y]);
    return { value: y, gradFunc: (dy: Tensor) => rawOp('MaxPoolGrad', [input, y, dy], attrs) };
  })(pad(x, 1));
});

/** Into the type that the backbone computes in. */
export const toComputeType = stateless((x, scope) => cast(x, scope.computeType));

/** [n, h, w, c] in any type → [n, c] float32. */
export const globalAveragePool = stateless((x) => tf.mean(cast(x, 'float32'), [1, 2]));
