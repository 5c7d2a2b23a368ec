import { cast, rawOp } from '../../tensorflow/raw-op.ts';
import { tf, type Tensor } from '../../tensorflow/tfjs.ts';
import { differentiable } from '../../tensorflow/differentiable.ts';
import { stateless } from '../layer.ts';
import { cropped, padded } from './padding.ts';
import { again } from './recompute.ts';
import { vectorOp } from './vector-op.ts';

/** max(x, 0), with TensorFlow's own gradient kernel where tfjs would build five ops. */
export const relu = stateless((x) => rectified(x));

function rectified(x: Tensor): Tensor {
  return differentiable([x], (x) => {
    const y = rawOp('Relu', [x]);
    return { value: y, saved: [y], gradient: (dy) => [rectifiedGradient(dy, y)] };
  });
}

/** dy where y, which a ReLU made, is positive. */
export function rectifiedGradient(dy: Tensor, y: Tensor): Tensor {
  return rawOp('ReluGrad', [dy, y]);
}

/** Elementwise sum of two tensors of one shape and type, bfloat16 included. */
function sum(a: Tensor, b: Tensor): Tensor {
  return differentiable([a, b], (a, b) => ({
    value: rawOp('AddV2', [a, b]),
    gradient: (dy) => [dy.clone(), dy.clone()],
  }));
}

/** What comes after a batch norm. */
export interface Activation {
  /** What is added to it, of its shape and type. */
  readonly skip?: Tensor;
  /** Whether a ReLU comes last. */
  readonly relu: boolean;
}

export function activated(x: Tensor, { skip, relu }: Activation): Tensor {
  const added = skip ? sum(x, skip) : x;
  return relu ? rectified(added) : added;
}

/** 3×3, stride 2, one pixel around. The zeros around never win, since the layer before is a ReLU. */
export const maxPool = stateless((x) => {
  const attrs = { ksize: [1, 3, 3, 1], strides: [1, 2, 2, 1], padding: 'VALID', data_format: 'NHWC' };
  return differentiable([x], (x) => {
    const y = vectorOp('MaxPool', [padded(x, 1)], attrs);
    const gradient = (dy: Tensor): Tensor => vectorOp('MaxPoolGrad', [padded(again(x, dy), 1), y, dy], attrs, [dy]);
    return { value: y, saved: [x, y], gradient: (dy) => [cropped(gradient(dy), 1, x.shape)] };
  });
});

/** Into the type that the backbone computes in. */
export const toComputeType = stateless((x, scope) => cast(x, scope.computeType));

/** [n, h, w, c] in any type → [n, c] float32. */
export const globalAveragePool = stateless((x) => tf.mean(cast(x, 'float32'), [1, 2]));
