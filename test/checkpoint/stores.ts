import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { FileStore } from '../../storage/file-store.ts';
import type { ObjectStore } from '../../storage/object-store.ts';
import { temporaryFolder } from '../storage/temporary.ts';
import { commitOf, openRepository, recordsOf } from './fixtures.ts';

const root = temporaryFolder();

export async function freshStore(): Promise<FileStore> {
  return new FileStore(await mkdtemp(join(root, 'run-')));
}

/** A store with checkpoints at the steps 2, 4, … */
export async function storeWith(...steps: number[]): Promise<FileStore> {
  const store = await freshStore();
  const { repository } = await openRepository(store);
  await repository.latest();
  let from = 0;
  for (const step of steps) {
    await repository.commit(commitOf(step, recordsOf(from, step)));
    from = step;
  }
  return store;
}

/** Changes a byte of an object. */
export async function damage(store: ObjectStore, key: string): Promise<void> {
  const { bytes } = (await store.get(key))!;
  bytes[bytes.length - 2]! ^= 1;
  await store.put(key, bytes);
}

type Put = ReturnType<ObjectStore['put']>;

/** A store whose puts go through `hook`. */
export function intercepted(
  store: ObjectStore,
  hook: (key: string, put: () => Put, bytes: Buffer) => Put,
): ObjectStore {
  return {
    uri: store.uri,
    get: (key) => store.get(key),
    list: (prefix) => store.list(prefix),
    delete: (key) => store.delete(key),
    put: (key, bytes, options) => hook(key, () => store.put(key, bytes, options), Buffer.concat([bytes].flat())),
  };
}
