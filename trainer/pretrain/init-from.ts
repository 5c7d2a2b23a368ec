import { fileURLToPath } from 'node:url';

import { SimSiamError } from '../../api/errors.ts';
import type { PretrainSpec } from '../../api/run.ts';
import { assertSameTensors, bytesOf, type NamedTensor } from '../checkpoint/tensors.ts';
import { ConvertError } from '../interchange/errors.ts';
import { backboneOf, type Network } from '../interchange/network.ts';
import { readNetwork } from '../interchange/read-network.ts';
import type { StateEntry } from '../model/layer.ts';
import { ENCODER } from '../model/simsiam.ts';
import { initialValues } from '../model/state.ts';
import { outlineOf, trainableOf } from './checkpoint-tensors.ts';
import { InitFromError } from './errors.ts';
import type { PretrainValues } from './state.ts';

/** Where a new run begins, by a checkpoint that isn't its own. */
interface Start {
  readonly values: PretrainValues;
  /** Finished epochs, where it goes on with them and the file knows. */
  readonly epoch: number | undefined;
}

/**
 * What `initFrom` (momenta at 0) or `resumeFrom` (with momenta and epoch) names; undefined without either.
 * @throws InitFromError, SafetensorsError and those of PyTorch's files, or CheckpointMismatchError when it is of another
 * architecture.
 */
export async function valuesToStartFrom(
  spec: PretrainSpec,
  entries: readonly StateEntry[],
): Promise<Start | undefined> {
  const field = spec.resumeFrom === undefined ? 'initFrom' : 'resumeFrom';
  const from = spec[field];
  if (from === undefined) return undefined;
  const where = `spec.pretrain.${field}: ${from}`;
  const network = await read(from, where);
  if (spec.epochs === 0) return { values: backboneValues(network.tensors, entries, where), epoch: undefined };
  assertSameTensors(entries.map(outlineOf), network.tensors, where);
  const weights = new Map(network.tensors.map(({ name, bytes }) => [name, bytes]));
  const kept = new Map(field === 'resumeFrom' ? network.momenta.map(({ name, bytes }) => [name, bytes] as const) : []);
  const momentumOf = (name: string): Uint8Array => kept.get(name) ?? new Uint8Array(weights.get(name)!.byteLength);
  const momenta = new Map(trainableOf(entries).map(({ name }) => [name, momentumOf(name)]));
  return { values: { weights, momenta }, epoch: field === 'resumeFrom' ? network.epoch : undefined };
}

/**
 * The epoch that a new run begins with; `known` is that of `resumeFrom`'s checkpoint.
 * @throws InitFromError when nothing is left to train
 */
export function epochToStartFrom({ epochs, startEpoch, resumeFrom }: PretrainSpec, known: number | undefined): number {
  const epoch = known ?? startEpoch ?? 0;
  if (epoch > 0 && epoch >= epochs) {
    throw new InitFromError(
      `spec.pretrain.resumeFrom: ${resumeFrom} has ${epoch} epochs and spec.pretrain.epochs is ${epochs}: raise it`,
    );
  }
  return epoch;
}

/**
 * The values of a network whose backbone is that of a file, and whose heads, which nobody looks at, are initial.
 * @throws ConvertError where the file has no backbone, CheckpointMismatchError when it is of another architecture
 */
function backboneValues(
  tensors: readonly NamedTensor[],
  entries: readonly StateEntry[],
  where: string,
): PretrainValues {
  const backbone = backboneOf(tensors).map((tensor) => ({ ...tensor, name: ENCODER + tensor.name }));
  const isBackbone = ({ name }: StateEntry): boolean => name.startsWith(ENCODER) && !name.startsWith(`${ENCODER}fc.`);
  assertSameTensors(entries.filter(isBackbone).map(outlineOf), backbone, where);
  const weights = new Map([...initialValues(entries, 0)].map(([name, values]) => [name, bytesOf(values)]));
  const zero = (name: string): Uint8Array => new Uint8Array(weights.get(name)!.byteLength);
  const momenta = new Map(trainableOf(entries).map(({ name }) => [name, zero(name)]));
  for (const { name, bytes } of backbone) weights.set(name, bytes);
  return { weights, momenta };
}

async function read(from: string, where: string): Promise<Network> {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(from)?.[1]?.toLowerCase();
  if (scheme !== undefined && scheme !== 'file') {
    throw new InitFromError(`${where}: ${scheme}:// is not supported; use a path or file:///path`);
  }
  try {
    return await readNetwork(scheme === 'file' ? fileURLToPath(from) : from);
  } catch (thrown) {
    if (thrown instanceof SimSiamError && !(thrown instanceof ConvertError)) throw thrown;
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    throw new InitFromError(`${where}: ${reason}`, { cause: thrown });
  }
}
