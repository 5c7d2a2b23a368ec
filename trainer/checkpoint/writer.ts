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
  /** With the checkpoint's own segment. */
  readonly history: History;
  readonly keys: readonly string[];
}

/**
 * Writes all of a checkpoint's objects, the manifest last. None is ever overwritten, not even by a second holder of this
 * generation.
 *
 * @param former the history up to the last commit
 * @param written gets the key of each object once it is written, so that the caller can clean up after a failure without
 *   touching what somebody else wrote
 * @throws PreconditionFailedError if one of them exists
 */
export async function writeCheckpoint(
  options: WriteOptions,
  contents: CheckpointContents,
  former: History,
  written: string[],
): Promise<WrittenCheckpoint> {
  const { store, stage, generation, recipeHash, clock } = options;
  const { step } = contents;
  const key = checkpointKey(stage, step, generation);
  const parts: Readonly<Record<CheckpointFile, readonly Uint8Array[]>> = {
    'model.safetensors': encodeSafetensors(contents.model, { format: 'pt' }),
    'optimizer.safetensors': encodeSafetensors(contents.optimizer, { format: 'pt' }),
    'state.json': [encodeJson(contents.state)],
  };
  const put = async (name: CheckpointFile | 'manifest.json', bytes: readonly Uint8Array[]): Promise<FileFacts> => {
    const facts = await putNew(store, `${key}/${name}`, bytes);
    written.push(`${key}/${name}`);
    return facts;
  };
  const segment = segmentKey(stage, step, generation);
  const history = await former.extended(store, segment, contents.history);
  if (history !== former) written.push(segment);
  const files = {
    'model.safetensors': await put('model.safetensors', parts['model.safetensors']),
    'optimizer.safetensors': await put('optimizer.safetensors', parts['optimizer.safetensors']),
    'state.json': await put('state.json', parts['state.json']),
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
  const { sha256: manifestSha256 } = await put('manifest.json', [encodeJson({ ...manifest })]);
  return { ref: { step, generation, key, manifestSha256 }, history, keys: written };
}

interface FileFacts {
  readonly size: number;
  readonly sha256: string;
}

async function putNew(store: ObjectStore, key: string, parts: readonly Uint8Array[]): Promise<FileFacts> {
  const hash = await sha256(parts);
  await store.put(key, parts, { ifMatch: null, sha256: hash });
  return { size: parts.reduce((sum, part) => sum + part.byteLength, 0), sha256: hash };
}
