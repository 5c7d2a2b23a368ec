import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';

import { SimSiamError } from '../api/errors.ts';
import { makeFolder } from './durable-files.ts';
import { storageError } from './errors.ts';

/**
 * Writes a file that is whole or as it was before, and makes its folder where there is none.
 *
 * @throws StorageFullError and the other storage errors, and those of the parts
 */
export async function writeFileWhole(
  path: string,
  parts: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<void> {
  const target = resolve(path);
  const staged = join(dirname(target), `.${basename(target)}.${process.pid}.partial`);
  try {
    await makeFolder(dirname(target));
    const file = await open(staged, 'w');
    try {
      for await (const part of parts) await file.writeFile(part);
    } finally {
      await file.close();
    }
    await rename(staged, target);
  } catch (thrown) {
    await rm(staged, { force: true });
    throw thrown instanceof SimSiamError ? thrown : storageError(thrown, `write ${basename(target)}`, dirname(target));
  }
}
