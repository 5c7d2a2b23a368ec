import type { Tensor } from '../../tensorflow/tfjs.ts';

/**
 * How activations can be computed again that only a gradient needs later, rather than kept until then.
 * By what tfjs's clones share with what they were cloned from.
 */
const recipes = new WeakMap<object, (after: Tensor) => Tensor>();

/** @param compute its value, in an op that waits for the tensor it is given */
export function recomputable(x: Tensor, compute: (after: Tensor) => Tensor): Tensor {
  recipes.set(x.dataId, compute);
  return x;
}

/** x, computed again once `after` is there, where that takes less memory than to keep it. */
export function again(x: Tensor, after: Tensor): Tensor {
  return recipes.get(x.dataId)?.(after) ?? x;
}
