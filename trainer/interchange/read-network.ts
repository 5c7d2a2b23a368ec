import { readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';

import { messageOf } from '../../api/errors.ts';
import { parseManifest } from '../../api/manifest.ts';
import { systemCode } from '../../storage/errors.ts';
import { openStore } from '../../storage/open-store.ts';
import { jsonOf } from '../checkpoint/manifest.ts';
import { committedCheckpoints } from '../checkpoint/register.ts';
import { decodeSafetensors } from '../checkpoint/safetensors.ts';
import { ConvertError, TorchClassError, TorchFileError } from './errors.ts';
import { isTorchFile } from './formats.ts';
import type { Network } from './network.ts';
import { fromTorch } from './torch-checkpoint.ts';
import { readTorchFile } from './torch-reader.ts';

/**
 * Reads a network from a file of PyTorch, a safetensors file, the folder of a checkpoint, or that of a run.
 *
 * @param path of this machine
 * @throws ConvertError, TorchFileError, TorchClassError or SafetensorsError
 */
export async function readNetwork(path: string): Promise<Network> {
  if (await isFolder(path)) return await fromFolder(await checkpointOf(path));
  if (isTorchFile(path)) return fromTorchFile(path, await read(path));
  if (path.endsWith('.safetensors')) {
    return { tensors: decodeSafetensors(await read(path)).tensors, momenta: [], epoch: undefined, recipe: undefined };
  }
  throw new ConvertError(
    `${path}: give a .pth.tar, .pth, .pt or .safetensors file, or the folder of a checkpoint or a run`,
  );
}

function fromTorchFile(path: string, bytes: Uint8Array): Network {
  try {
    return fromTorch(readTorchFile(bytes));
  } catch (thrown) {
    for (const kind of [TorchFileError, TorchClassError, ConvertError]) {
      if (thrown instanceof kind) throw new kind(`${path}: ${thrown.message}`, { cause: thrown });
    }
    throw thrown;
  }
}

/** The folder itself, or the newest checkpoint of pre-training where it is a run's. */
async function checkpointOf(path: string): Promise<string> {
  const run = (await readIfThere(join(path, 'pretrain/latest.json'))) && (await openStore({ uri: path }));
  const newest = run && (await committedCheckpoints(run, 'pretrain')).at(-1);
  return newest === undefined ? path : join(path, newest.key);
}

/** A checkpoint of a run lies in `<run>/pretrain/checkpoints/`; its recipe and history are the run's. */
async function fromFolder(path: string): Promise<Network> {
  const { tensors } = decodeSafetensors(await read(join(path, 'model.safetensors')));
  const optimizer = await readIfThere(join(path, 'optimizer.safetensors'));
  const runYaml = join(path, '../../../run.yaml');
  const run = await readIfThere(runYaml);
  const history = await readIfThere(join(path, '../../history', `${basename(path)}.jsonl`));
  const state = await readIfThere(join(path, 'state.json'));
  return {
    tensors,
    momenta: optimizer === undefined ? [] : decodeSafetensors(optimizer).tensors,
    epoch: history === undefined ? epochOf(state) : epochOfHistory(history),
    recipe: run && parseManifest(run.toString('utf8'), runYaml).spec.pretrain,
  };
}

/** As `convert` writes it into the folders that it makes. */
function epochOf(state: Buffer | undefined): number | undefined {
  const { epoch } = (state === undefined ? {} : (jsonOf(state) ?? {})) as { epoch?: unknown };
  return typeof epoch === 'number' ? epoch : undefined;
}

/** The epoch that the last step was in, counted from 1: the finished ones, at the end of an epoch. */
function epochOfHistory(history: Buffer): number | undefined {
  const last = history.toString('utf8').trimEnd().split('\n').at(-1) ?? '';
  const { epoch } = (jsonOf(Buffer.from(last)) ?? {}) as { epoch?: unknown };
  return typeof epoch === 'number' ? epoch + 1 : undefined;
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (thrown) {
    throw cantRead(path, thrown);
  }
}

async function read(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (thrown) {
    throw cantRead(path, thrown);
  }
}

async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (thrown) {
    if (systemCode(thrown) === 'ENOENT' || systemCode(thrown) === 'ENOTDIR') return undefined;
    throw cantRead(path, thrown);
  }
}

function cantRead(path: string, thrown: unknown): ConvertError {
  return new ConvertError(`${path} can't be read: ${messageOf(thrown)}`, { cause: thrown });
}
