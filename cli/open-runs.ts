import { openStore } from '../storage/open-store.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { UsageError } from './errors.ts';
import { readManifest } from './read-manifest.ts';

/**
 * The stores of the runs that a command names: by their URIs, and by a manifest, which knows the endpoint.
 *
 * @throws UsageError where none is named; the errors of reading a manifest and of opening a store
 */
export async function openRuns(
  command: string,
  uris: readonly string[],
  file: string | undefined,
): Promise<ObjectStore[]> {
  const storages = uris.map((uri) => ({ uri }));
  const all = file === undefined ? storages : [(await readManifest(file)).spec.storage, ...storages];
  if (all.length === 0) throw new UsageError(`${command}: name a run: its storage URI, or its manifest with -f`);
  return await Promise.all(all.map((storage) => openStore(storage)));
}
