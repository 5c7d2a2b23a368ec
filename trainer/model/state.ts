import { CounterRandom, purpose } from '../random.ts';
import type { TensorSpec } from '../tensorflow/runtime.ts';
import { elementCount } from '../tensorflow/tensor-spec.ts';
import type { StateEntry } from './layer.ts';

/** The entries of a network by what a training step does with them; each group is one list of tensors in a state. */
export interface StateGroups {
  readonly trainable: readonly StateEntry[];
  readonly frozen: readonly StateEntry[];
  readonly statistics: readonly StateEntry[];
}

export function groupEntries(entries: readonly StateEntry[]): StateGroups {
  const ofRole = (role: StateEntry['role']): StateEntry[] => entries.filter((entry) => entry.role === role);
  return { trainable: ofRole('trainable'), frozen: ofRole('frozen'), statistics: ofRole('statistic') };
}

/** Shapes of float32 tensors in PyTorch's layout, as they lie in a checkpoint. */
export function checkpointSpecs(entries: readonly StateEntry[]): TensorSpec[] {
  return entries.map(({ shape }) => ({ dtype: 'float32', shape }));
}

/** Shapes of float32 tensors in TensorFlow's layout, as the graph works on them. */
export function graphSpecs(entries: readonly StateEntry[]): TensorSpec[] {
  return entries.map(({ shape, layout }) => {
    const [first = 0, second = 0, height = 0, width = 0] = shape;
    if (layout === 'convolution') return { dtype: 'float32', shape: [height, width, second, first] };
    if (layout === 'linear') return { dtype: 'float32', shape: [second, first] };
    return { dtype: 'float32', shape };
  });
}

/**
 * What each entry starts at, in PyTorch's layout.
 * @param seed The run's. An entry's draws depend on the seed and its name's place among all entries alone.
 */
export function initialValues(entries: readonly StateEntry[], seed: number): Map<string, Float32Array> {
  return new Map(
    entries.map(({ name, shape, initial }, index) => {
      const values = new Float32Array(elementCount(shape));
      const random = new CounterRandom(seed, purpose.init, index);
      if (initial.kind === 'constant') values.fill(initial.value);
      else if (initial.kind === 'normal') random.fillNormal(values, initial.std);
      else random.fillUniform(values, -initial.bound, initial.bound);
      return [name, values];
    }),
  );
}
