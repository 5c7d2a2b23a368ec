import { tf, type Tensor } from '../tensorflow/tfjs.ts';
import { differentiable } from '../tensorflow/differentiable.ts';

/** As PyTorch's cosine similarity: a vector shorter than this counts as this long. */
const EPSILON = 1e-8;

/** D(p, z): how far predictions p are from their targets z, both [n, d] float32. A scalar, the mean over the batch. */
export type Similarity = (p: Tensor, z: Tensor) => Tensor;

/** Rows of length 1. x: [n, d] float32. */
export function normalizeRows(x: Tensor): Tensor {
  const length = tf.sqrt(tf.sum(tf.square(x), 1, true));
  return tf.div(x, tf.maximum(length, EPSILON));
}

/** No gradient flows back through it (SimSiam §3, "stop-gradient"). */
export function stopGradient(x: Tensor): Tensor {
  return differentiable([x], (x) => ({ value: x.clone(), gradient: (dy) => [tf.zerosLike(dy)] }));
}

/** Negative cosine similarity (SimSiam eq. 1), in [−1, 1]. */
export function negativeCosine(p: Tensor, z: Tensor): Tensor {
  return tf.neg(tf.mean(tf.sum(tf.mul(normalizeRows(p), normalizeRows(z)), 1)));
}

/** −Σ softmax(z)·log softmax(p) over the dimensions, at least 0 (SimSiam §4.5). */
export function crossEntropy(p: Tensor, z: Tensor): Tensor {
  return tf.neg(tf.mean(tf.sum(tf.mul(tf.softmax(z), tf.logSoftmax(p)), 1)));
}
