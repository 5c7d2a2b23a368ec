import type { GraphFunction, Runtime } from '../tensorflow/runtime.ts';
import { tf, type Tensor } from '../tensorflow/tfjs.ts';
import type { Layout, StateEntry } from './layer.ts';
import { checkpointSpecs, graphSpecs } from './state.ts';

const PERMUTATIONS: Record<Layout, { toGraph: number[]; toCheckpoint: number[] } | undefined> = {
  convolution: { toGraph: [2, 3, 1, 0], toCheckpoint: [3, 2, 0, 1] },
  linear: { toGraph: [1, 0], toCheckpoint: [1, 0] },
  plain: undefined,
};

/**
 * Moves a list of tensors between PyTorch's layout (checkpoints) and TensorFlow's (the graph), natively and off the
 * main thread. Only the order of the elements changes, so there and back is bit-equal.
 * @param entries One for each tensor of the list.
 */
export function layoutConverter(
  runtime: Runtime,
  name: string,
  entries: readonly StateEntry[],
  direction: 'toGraph' | 'toCheckpoint',
): GraphFunction {
  const inputs = direction === 'toGraph' ? checkpointSpecs(entries) : graphSpecs(entries);
  return runtime.trace(`${name}_${direction}`, [inputs], (tensors) => [
    tensors.map((tensor, i): Tensor => {
      const permutation = PERMUTATIONS[entries[i]!.layout];
      return permutation ? tf.transpose(tensor, permutation[direction]) : tf.clone(tensor);
    }),
  ]);
}
