import type { RunObject } from '../../operator/kube/objects.ts';
import type { ObjectStore } from '../../storage/object-store.ts';
import { openStore } from '../../storage/open-store.ts';
import { readRunRecord } from '../../trainer/checkpoint/run-record.ts';
import { RunStateError } from './errors.ts';

/** All that a run keeps lies under these. */
const own = ['run.yaml', 'result.json', 'pretrain/', 'linear/'] as const;

/**
 * Opens what a run has stored, with the caller's own credentials, to delete it.
 *
 * @returns undefined where the run has stored nothing
 * @throws RunStateError where the URI isn't reached from here, or belongs to another run
 */
export async function openForPurge({ metadata, spec }: RunObject): Promise<ObjectStore | undefined> {
  const { uri } = spec.storage;
  if (!/^[a-z0-9]+:\/\//i.test(uri) || /^file:/i.test(uri)) {
    throw new RunStateError(
      `${uri} is a path inside the pods of ${metadata.name}: --purge deletes from object stores. Leave --purge out, and ` +
        'delete the data from the volume',
    );
  }
  const store = await openStore(spec.storage);
  const record = await readRunRecord(store);
  if (record === undefined) return undefined;
  if (record.run.metadata.name !== metadata.name) {
    throw new RunStateError(
      `${uri} has the data of a run ${record.run.metadata.name}, not of ${metadata.name}: nothing is deleted`,
    );
  }
  return store;
}

/** Deletes what a run has stored, and nothing beside it; the record that names the run goes last. Returns how much. */
export async function purge(store: ObjectStore): Promise<{ objects: number; bytes: number }> {
  const listed = (await Promise.all(own.map((prefix) => store.list(prefix)))).flat();
  const mine = listed.filter(({ key }) =>
    own.some((prefix) => (prefix.endsWith('/') ? key.startsWith(prefix) : key === prefix)),
  );
  const last = mine.filter(({ key }) => key === 'run.yaml');
  const rest = mine.filter(({ key }) => key !== 'run.yaml');
  const queue = [...rest];
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) await store.delete(next.key);
  };
  await Promise.all(Array.from({ length: 16 }, worker));
  for (const { key } of last) await store.delete(key);
  return { objects: mine.length, bytes: mine.reduce((sum, { size }) => sum + size, 0) };
}
