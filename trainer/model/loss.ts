import { tf, type Tensor } from '../tensorflow/tfjs.ts';
import { differentiable } from './differentiable.ts';

/** As PyTorch's cosine similarity: a vector shorter than this counts as this long. */
const EPSILON = 1e-8;

/** Rows of length 1. x: [n, d] float32. */
export function normalizeRows(x: Tensor): Tensor {
  const length = tf.sqrt(tf.sum(tf.square(x), 1, true));
  return tf.div(x, tf.maximum(length, EPSILON));
}

/** No gradient flows back through it (SimSiam §3, "stop-gradient"). */
export function stopGradient(x: Tensor): Tensor {
  return differentiable([x], (x) => ({ value: x.clone(), gradient: (dy) => [tf.zerosLike(dy)] }));
}

/**
 * Symmetrised negative cosine similarity (SimSiam eq. 1 and 2): −½·(cos(p₁, z₂) + cos(p₂, z₁)), mean over the batch.
 * @param p Predictions of the two views, [n, d].
 * @param z Projections of the two views, [n, d]; the caller stops their gradient.
 * @returns A scalar in [−1, 1].
 */
export function negativeCosine(p: readonly [Tensor, Tensor], z: readonly [Tensor, Tensor]): Tensor {
  const cosine = (a: Tensor, b: Tensor): Tensor => tf.mean(tf.sum(tf.mul(normalizeRows(a), normalizeRows(b)), 1));
  return tf.mul(tf.add(cosine(p[0], z[1]), cosine(p[1], z[0])), -0.5);
}
