import type { Tensor } from '../tensorflow/tfjs.ts';
import type { Scope, StateEntry } from './layer.ts';

/** Symbolic tensors by the names of their entries. */
export type TensorsByName = Map<string, Tensor>;

export function byName(entries: readonly StateEntry[], tensors: readonly Tensor[]): TensorsByName {
  return new Map(entries.map(({ name }, i) => [name, tensors[i]!]));
}

interface ScopeOptions {
  readonly training: boolean;
  readonly computeType: Scope['computeType'];
  readonly parameter: (name: string) => Tensor;
  /** Moved in place by {@link Scope.updateStatistic}: read the new values from here after the forward pass. */
  readonly statistics: TensorsByName;
}

export function createScope({ training, computeType, parameter, statistics }: ScopeOptions): Scope {
  return {
    training,
    computeType,
    parameter,
    statistic: (name) => required(statistics, name),
    updateStatistic: (name, value) => void statistics.set(name, value),
  };
}

/** Evaluation mode: running statistics, and nothing changes. */
export function evaluationScope(tensors: TensorsByName, computeType: Scope['computeType']): Scope {
  return createScope({
    training: false,
    computeType,
    parameter: (name) => required(tensors, name),
    statistics: tensors,
  });
}

export function required(tensors: ReadonlyMap<string, Tensor>, name: string): Tensor {
  const tensor = tensors.get(name);
  if (!tensor) throw new Error(`the state has no entry "${name}"`);
  return tensor;
}
