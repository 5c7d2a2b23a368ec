import { readFile } from 'node:fs/promises';

import { messageOf } from '../api/errors.ts';
import { parseManifest } from '../api/manifest.ts';
import type { SimSiamRun } from '../api/run.ts';
import { InputFileError } from './errors.ts';

/**
 * Reads a manifest from a file.
 * @throws InputFileError if it can't be read, ManifestError if what it says is wrong
 */
export async function readManifest(file: string): Promise<SimSiamRun> {
  return parseManifest(await readText(file), file);
}

/** @throws InputFileError if it can't be read */
export async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (thrown) {
    throw new InputFileError(`the manifest ${file} can't be read: ${messageOf(thrown)}`, { cause: thrown });
  }
}
