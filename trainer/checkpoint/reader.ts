import type { ObjectReader } from '../../storage/object-store.ts';
import { sha256 } from '../../storage/sha256.ts';
import { CheckpointDamagedError, NoWholeCheckpointError, SafetensorsError } from './errors.ts';
import type { JsonObject } from './json.ts';
import type { CheckpointFile, Manifest, Stage } from './manifest.ts';
import { jsonOf, parseManifest } from './manifest.ts';
import type { CheckpointRef } from './register.ts';
import { committedCheckpoints } from './register.ts';
import { decodeSafetensors } from './safetensors.ts';
import type { NamedTensor } from './tensors.ts';

/** All that a rank needs to go on from a step. */
export interface Checkpoint {
  /** Optimiser steps done. */
  readonly step: number;
  /** Generation that wrote it. */
  readonly generation: number;
  readonly model: readonly NamedTensor[];
  readonly optimizer: readonly NamedTensor[];
  readonly state: JsonObject;
}

/** Something went wrong that the run survives. `code` is stable. */
export interface CheckpointWarning {
  readonly code: 'CHECKPOINT_SKIPPED' | 'HISTORY_LOST' | 'VIEW_NOT_WRITTEN' | 'CLEANUP_FAILED';
  readonly message: string;
}

export interface ReadOptions {
  readonly store: ObjectReader;
  readonly stage: Stage;
  readonly onWarning?: (warning: CheckpointWarning) => void;
}

/**
 * The newest whole checkpoint that is committed, or `undefined` if nothing ever was. Claims no generation, so every rank
 * may read. One whose files don't match its manifest is passed over with a warning for the one before it.
 *
 * @throws NoWholeCheckpointError if there are checkpoints and none is whole
 * @throws StorageUnavailableError and the other storage errors
 */
export async function readLatest(options: ReadOptions): Promise<Checkpoint | undefined> {
  return (await newestWhole(options, await committedCheckpoints(options.store, options.stage)))?.checkpoint;
}

/** A checkpoint with what the repository needs to go on from it. */
export interface WholeCheckpoint {
  readonly ref: CheckpointRef;
  readonly manifest: Manifest;
  readonly checkpoint: Checkpoint;
}

/** The newest whole one of `refs` (oldest first). */
export async function newestWhole(
  options: ReadOptions,
  refs: readonly CheckpointRef[],
): Promise<WholeCheckpoint | undefined> {
  const faults: string[] = [];
  for (const ref of refs.toReversed()) {
    try {
      return await readWhole(options.store, ref);
    } catch (thrown) {
      if (!(thrown instanceof CheckpointDamagedError || thrown instanceof SafetensorsError)) throw thrown;
      faults.push(thrown.message);
      options.onWarning?.({
        code: 'CHECKPOINT_SKIPPED',
        message: `${ref.key} in ${options.store.uri} is passed over: ${thrown.message}`,
      });
    }
  }
  if (faults.length === 0) return undefined;
  throw new NoWholeCheckpointError(
    `none of the ${faults.length} checkpoints of ${options.stage} in ${options.store.uri} is whole (${faults[0]}); ` +
      'restore one from a copy, or delete the folder to start the stage anew',
  );
}

async function readWhole(store: ObjectReader, ref: CheckpointRef): Promise<WholeCheckpoint> {
  const manifest = await readManifest(store, ref);
  const file = async (name: CheckpointFile): Promise<Buffer> =>
    await readChecked(store, `${ref.key}/${name}`, manifest.files[name]);
  const model = decodeSafetensors(await file('model.safetensors')).tensors;
  const optimizer = decodeSafetensors(await file('optimizer.safetensors')).tensors;
  const state = jsonOf(await file('state.json')) as JsonObject;
  const { step, generation } = manifest;
  return { ref, manifest, checkpoint: { step, generation, model, optimizer, state } };
}

/**
 * What a committed checkpoint consists of, without reading that.
 *
 * @throws CheckpointDamagedError
 */
export async function readManifest(store: ObjectReader, ref: CheckpointRef): Promise<Manifest> {
  const key = `${ref.key}/manifest.json`;
  return parseManifest(await readChecked(store, key, { sha256: ref.manifestSha256 }), key);
}

/**
 * An object's bytes, whose size and hash are as recorded.
 *
 * @throws CheckpointDamagedError
 */
export async function readChecked(
  store: ObjectReader,
  key: string,
  recorded: { readonly size?: number; readonly sha256: string },
): Promise<Buffer> {
  const bytes = (await store.get(key))?.bytes;
  if (bytes === undefined) throw new CheckpointDamagedError(`${key} is missing`);
  if (recorded.size !== undefined && bytes.length !== recorded.size) {
    throw new CheckpointDamagedError(`${key} has ${bytes.length} bytes instead of ${recorded.size}`);
  }
  if ((await sha256([bytes])) !== recorded.sha256) {
    throw new CheckpointDamagedError(`${key} has other bytes than were written (SHA-256 differs)`);
  }
  return bytes;
}
