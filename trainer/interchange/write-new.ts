import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';

import { makeFolder, writeDurably } from '../../storage/durable-files.ts';
import { storageError, systemCode } from '../../storage/errors.ts';
import { ConvertError } from './errors.ts';

/** A file's bytes, or those of a folder's files by their names. */
export type Contents = readonly Uint8Array[] | ReadonlyMap<string, readonly Uint8Array[]>;

/**
 * Writes a file or folder that is whole or not there at all.
 *
 * @throws ConvertError if it exists
 * @throws StorageFullError and the other storage errors
 */
export async function writeNew(path: string, contents: Contents): Promise<void> {
  await refuseExisting(path);
  await writeWhole(path, contents);
}

/**
 * Writes a file, in the place of one that may be there, or a new folder: whole, or nothing is changed.
 *
 * @throws StorageFullError and the other storage errors
 */
export async function writeWhole(path: string, contents: Contents): Promise<void> {
  const target = resolve(path);
  const staged = join(dirname(target), `.${basename(target)}.${process.pid}.partial`);
  try {
    await stage(staged, contents);
    await rename(staged, target);
  } catch (thrown) {
    await rm(staged, { recursive: true, force: true });
    throw storageError(thrown, `write ${basename(target)}`, dirname(target));
  }
}

async function stage(staged: string, contents: Contents): Promise<void> {
  await makeFolder(dirname(staged));
  if (!(contents instanceof Map)) return await writeDurably(staged, contents as readonly Uint8Array[]);
  await mkdir(staged);
  for (const [name, parts] of contents) await writeDurably(join(staged, name), parts);
}

/** @throws ConvertError if there is anything at the path */
export async function refuseExisting(path: string): Promise<void> {
  if (await exists(path)) throw new ConvertError(`${path} exists already: delete it, or write to another path`);
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (thrown) {
    if (systemCode(thrown) === 'ENOENT') return false;
    throw storageError(thrown, `look at ${basename(path)}`, dirname(path));
  }
}
