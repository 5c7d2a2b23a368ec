import type { PretrainSpec } from '../../api/run.ts';
import { elementCount } from '../tensorflow/tensor-spec.ts';
import { simSiam, type ModelSpec } from './simsiam.ts';

/** What `simsiam model` prints: parameters by PyTorch's names and shapes, without running statistics. */
export interface ModelDescription {
  readonly arch: PretrainSpec['arch'];
  readonly parameters: { readonly total: number; readonly trainable: number };
  readonly layers: readonly { readonly name: string; readonly shape: readonly number[]; readonly trainable: boolean }[];
}

export function describeModel(spec: ModelSpec): ModelDescription {
  const parameters = simSiam(spec).entries.filter(({ role }) => role === 'trainable' || role === 'frozen');
  const count = (entries: typeof parameters): number =>
    entries.reduce((total, { shape }) => total + elementCount(shape), 0);
  const layers = parameters.map(({ name, shape, role }) => ({ name, shape, trainable: role === 'trainable' }));
  return {
    arch: spec.arch,
    parameters: { total: count(parameters), trainable: count(parameters.filter(({ role }) => role === 'trainable')) },
    layers,
  };
}
