import { assertSameTensors, type NamedTensor } from '../checkpoint/tensors.ts';
import type { StateEntry } from '../model/layer.ts';
import { isProbeTensor } from './online-probe.ts';
import type { PretrainValues } from './state.ts';

/** What of a checkpoint's tensors is a network and its optimiser. PyTorch's names and shapes. */
export interface CheckpointTensors {
  readonly model: readonly NamedTensor[];
  /** Momentum buffers of the trainable entries, by the names of these. */
  readonly optimizer: readonly NamedTensor[];
}

/** @param batches That batch norm has seen: views of a step, times the parts that it comes in. */
export function toTensors(entries: readonly StateEntry[], values: PretrainValues, batches: number): CheckpointTensors {
  const counter = new Uint8Array(BigInt64Array.of(BigInt(batches)).buffer);
  return {
    model: entries.map((entry) => ({
      ...outlineOf(entry),
      bytes: entry.role === 'counter' ? counter : values.weights.get(entry.name)!,
    })),
    optimizer: trainableOf(entries).map((entry) => ({ ...outlineOf(entry), bytes: values.momenta.get(entry.name)! })),
  };
}

/** @throws CheckpointMismatchError when the tensors are not those of the network. */
export function fromTensors(
  entries: readonly StateEntry[],
  { model, optimizer }: CheckpointTensors,
  where: string,
): PretrainValues {
  assertSameTensors(entries.map(outlineOf), model, `${where}/model.safetensors`);
  const momenta = optimizer.filter((tensor) => !isProbeTensor(tensor));
  assertSameTensors(trainableOf(entries).map(outlineOf), momenta, `${where}/optimizer.safetensors`);
  const named = (tensors: readonly NamedTensor[]): Map<string, Uint8Array> =>
    new Map(tensors.map(({ name, bytes }) => [name, bytes]));
  return { weights: named(model), momenta: named(momenta) };
}

/** The entries that the optimiser moves, and so has momenta of. */
export function trainableOf(entries: readonly StateEntry[]): readonly StateEntry[] {
  return entries.filter(({ role }) => role === 'trainable');
}

/** An entry as a checkpoint's tensor. */
export function outlineOf({ name, shape, role }: StateEntry): Omit<NamedTensor, 'bytes'> {
  return { name, shape, dtype: role === 'counter' ? 'I64' : 'F32' };
}
