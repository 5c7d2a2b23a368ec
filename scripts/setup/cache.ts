import { randomBytes } from 'node:crypto';
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeFolder } from '../../storage/durable-files.ts';

/** Work folders older than this belong to a set-up that was killed. */
const abandonedAfterMs = 6 * 3600 * 1000;

/**
 * Makes `target` (a file or a folder) whole or not at all: `make` fills a work path beside the cache's entries, which
 * is renamed in one step. When another set-up was faster, its result stays and ours is dropped.
 */
export async function makeAtomically(
  target: string,
  cache: string,
  make: (work: string) => Promise<void>,
): Promise<void> {
  const folder = join(cache, 'tmp');
  await makeFolder(folder);
  await makeFolder(dirname(target));
  await removeAbandoned(folder);
  const work = join(folder, randomBytes(8).toString('hex'));
  try {
    await make(work);
    await rename(work, target);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function removeAbandoned(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const age = await stat(path).then(
      ({ mtimeMs }) => Date.now() - mtimeMs,
      () => 0, // renamed or removed by the set-up that owns it
    );
    if (age > abandonedAfterMs) await rm(path, { recursive: true, force: true });
  }
}
