import type { ObjectStore } from '../../storage/object-store.ts';
import { sha256 } from '../../storage/sha256.ts';
import type { History } from './history.ts';
import type { HistoryRecord, JsonObject } from './json.ts';
import { encodeJson } from './json.ts';
import type { CheckpointFile, Manifest, Stage } from './manifest.ts';
import type { CheckpointRef } from './register.ts';
import { checkpointKey, segmentKey } from './retention.ts';
import { encodeSafetensors } from './safetensors.ts';
import type { NamedTensor } from './tensors.ts';

/** What a commit makes durable. */
export interface CheckpointContents {
  /** Optimiser steps done. */
  readonly step: number;
  readonly model: readonly NamedTensor[];
  readonly optimizer: readonly NamedTensor[];
  readonly state: JsonObject;
  /** Since the last commit that succeeded (or the checkpoint gone on from), in ascending order of their steps. */
  readonly history: readonly HistoryRecord[];
}

export interface WriteOptions {
  readonly store: ObjectStore;
  readonly stage: Stage;
  readonly generation: number;
  /** Of the recipe that writes; recorded in the manifest. */
  readonly recipeHash: string;
  /** Wall clock, milliseconds since 1970. */
  readonly clock: () => number;
}

/** A checkpoint that is written and not yet committed. */
export interface WrittenCheckpoint {
  readonly ref: CheckpointRef;
  readonly history: History;
}

/**
 * Writes all of a checkpoint's objects, the manifest last. None is ever overwritten, not even by a second holder of this
 * generation.
 *
 * @param former the history up to the last commit
 * @throws PreconditionFailedError if one of them exists
 */
export async function writeCheckpoint(
  options: WriteOptions,
  contents: CheckpointContents,
  former: History,
): Promise<WrittenCheckpoint> {
  const { store, stage, generation, recipeHash, clock } = options;
  const { step } = contents;
  const key = checkpointKey(stage, step, generation);
  const parts: Readonly<Record<CheckpointFile, readonly Uint8Array[]>> = {
    'model.safetensors': encodeSafetensors(contents.model, { format: 'pt' }),
    'optimizer.safetensors': encodeSafetensors(contents.optimizer, { format: 'pt' }),
    'state.json': [encodeJson(contents.state)],
  };
  const history = await former.extended(store, segmentKey(stage, step, generation), contents.history);
  const files = {
    'model.safetensors': await putNew(store, `${key}/model.safetensors`, parts['model.safetensors']),
    'optimizer.safetensors': await putNew(store, `${key}/optimizer.safetensors`, parts['optimizer.safetensors']),
    'state.json': await putNew(store, `${key}/state.json`, parts['state.json']),
  };
  const manifest: Manifest = {
    format: 'simsiam-checkpoint/1',
    stage,
    step,
    generation,
    recipeHash,
    createdAt: new Date(clock()).toISOString(),
    files,
    history: history.segments,
  };
  const { sha256: manifestSha256 } = await putNew(store, `${key}/manifest.json`, [encodeJson({ ...manifest })]);
  return { ref: { step, generation, key, manifestSha256 }, history };
}

/** The keys that `writeCheckpoint` may have written, with the manifest first: without it the rest is no checkpoint. */
export function keysOfCheckpoint(stage: Stage, step: number, generation: number): string[] {
  const key = checkpointKey(stage, step, generation);
  const names = ['manifest.json', 'model.safetensors', 'optimizer.safetensors', 'state.json'];
  return [...names.map((name) => `${key}/${name}`), segmentKey(stage, step, generation)];
}

async function putNew(
  store: ObjectStore,
  key: string,
  parts: readonly Uint8Array[],
): Promise<{ size: number; sha256: string }> {
  const hash = await sha256(parts);
  await store.put(key, parts, { ifMatch: null, sha256: hash });
  return { size: parts.reduce((sum, part) => sum + part.byteLength, 0), sha256: hash };
}
