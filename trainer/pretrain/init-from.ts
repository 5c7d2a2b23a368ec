import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { messageOf } from '../../api/errors.ts';
import { decodeSafetensors } from '../checkpoint/safetensors.ts';
import { assertSameTensors } from '../checkpoint/tensors.ts';
import type { StateEntry } from '../model/layer.ts';
import { outlineOf, trainableOf } from './checkpoint-tensors.ts';
import { InitFromError } from './errors.ts';
import type { PretrainValues } from './state.ts';

/**
 * The model of a checkpoint with all momenta at 0: where a run with `initFrom` begins.
 * @param from A `model.safetensors` or the folder of a checkpoint that holds it, as a path or file:// URI.
 * @throws InitFromError, SafetensorsError, or CheckpointMismatchError when it is of another architecture.
 */
export async function valuesToStartFrom(from: string, entries: readonly StateEntry[]): Promise<PretrainValues> {
  const { tensors } = decodeSafetensors(await read(from));
  assertSameTensors(entries.map(outlineOf), tensors, `spec.pretrain.initFrom: ${from}`);
  const sizes = new Map(tensors.map(({ name, bytes }) => [name, bytes.byteLength]));
  return {
    weights: new Map(tensors.map(({ name, bytes }) => [name, bytes])),
    momenta: new Map(trainableOf(entries).map(({ name }) => [name, new Uint8Array(sizes.get(name)!)])),
  };
}

async function read(from: string): Promise<Buffer> {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(from)?.[1]?.toLowerCase();
  if (scheme !== undefined && scheme !== 'file') {
    throw new InitFromError(
      `spec.pretrain.initFrom: ${from}: ${scheme}:// is not supported; use a path or file:///path`,
    );
  }
  try {
    const path = scheme === 'file' ? fileURLToPath(from) : from;
    return await readFile((await stat(path)).isDirectory() ? join(path, 'model.safetensors') : path);
  } catch (thrown) {
    throw new InitFromError(
      `spec.pretrain.initFrom: ${from} can't be read (${messageOf(thrown)}): give a model.safetensors or its folder`,
      { cause: thrown },
    );
  }
}
