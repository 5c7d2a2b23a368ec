import { z } from 'zod';
import type { RunResult } from '../../api/run-result.ts';
import type { ObjectReader, ObjectStore } from '../../storage/object-store.ts';
import { RunRecordDamagedError } from './errors.ts';
import { jsonOf } from './manifest.ts';

const key = 'result.json';

/** What must be there to trust the rest, which only this program writes, in one go. */
const resultSchema = z.looseObject({ phase: z.literal('Complete'), recipeHash: z.string() });

/** A result with the hash of the recipe that it is of. */
export type StoredResult = RunResult & { readonly recipeHash: string };

/** Commits `result.json`, with which a run is complete. */
export async function writeResult(store: ObjectStore, result: RunResult, recipeHash: string): Promise<void> {
  await store.put(key, Buffer.from(`${JSON.stringify({ ...result, recipeHash }, null, 2)}\n`));
}

/**
 * The result at the URI, or `undefined`. After an extension it may still be that of the shorter run: see `recipeHash`.
 *
 * @throws RunRecordDamagedError
 */
export async function readResult(store: ObjectReader): Promise<StoredResult | undefined> {
  const object = await store.get(key);
  if (object === undefined) return undefined;
  const value = jsonOf(object.bytes);
  if (!resultSchema.safeParse(value).success) {
    throw new RunRecordDamagedError(`${key} in ${store.uri} is damaged; delete it and run again to write it anew`);
  }
  return value as StoredResult;
}
