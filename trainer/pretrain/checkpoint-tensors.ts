import { assertSameTensors, type NamedTensor } from '../checkpoint/tensors.ts';
import type { StateEntry } from '../model/layer.ts';
import type { PretrainValues } from './state.ts';

/** What of a checkpoint's tensors is a network and its optimiser. PyTorch's names and shapes. */
export interface CheckpointTensors {
  readonly model: readonly NamedTensor[];
  /** Momentum buffers of the trainable entries, by the names of these. */
  readonly optimizer: readonly NamedTensor[];
}

/** Batch norm counts its batches, and each step has one for each view. */
const VIEWS = 2;

/** @param step Finished steps. */
export function toTensors(entries: readonly StateEntry[], values: PretrainValues, step: number): CheckpointTensors {
  const counter = new Uint8Array(BigInt64Array.of(BigInt(VIEWS * step)).buffer);
  return {
    model: entries.map((entry) => ({
      ...outline(entry),
      bytes: entry.role === 'counter' ? counter : values.weights.get(entry.name)!,
    })),
    optimizer: trainable(entries).map((entry) => ({ ...outline(entry), bytes: values.momenta.get(entry.name)! })),
  };
}

/** @throws CheckpointMismatchError when the tensors are not those of the network. */
export function fromTensors(
  entries: readonly StateEntry[],
  { model, optimizer }: CheckpointTensors,
  where: string,
): PretrainValues {
  assertSameTensors(entries.map(outline), model, `${where}/model.safetensors`);
  assertSameTensors(trainable(entries).map(outline), optimizer, `${where}/optimizer.safetensors`);
  const named = (tensors: readonly NamedTensor[]): Map<string, Uint8Array> =>
    new Map(tensors.map(({ name, bytes }) => [name, bytes]));
  return { weights: named(model), momenta: named(optimizer) };
}

function trainable(entries: readonly StateEntry[]): readonly StateEntry[] {
  return entries.filter(({ role }) => role === 'trainable');
}

function outline({ name, shape, role }: StateEntry): Omit<NamedTensor, 'bytes'> {
  return { name, shape, dtype: role === 'counter' ? 'I64' : 'F32' };
}
