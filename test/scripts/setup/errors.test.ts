import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { makeAtomically } from '../../../scripts/setup/cache.ts';
import { SetupError, setupErrorOf } from '../../../scripts/setup/errors.ts';
import { smallDisk } from '../../storage/small-disk.ts';

const { disk, skip } = smallDisk(64);

describe('a file system that refuses', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'simsiam-setup-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const refusal = async (cache: string, make: (work: string) => Promise<void>): Promise<string> => {
    const thrown = await makeAtomically(join(cache, 'a'), cache, make).catch((error: unknown) => error);
    const error = setupErrorOf(thrown, { root: '/w', cache });
    assert.ok(error instanceof SetupError, String(error));
    return error.message.replaceAll(cache, 'CACHE');
  };

  it('is told with the cache folder and the variable', { skip }, async () => {
    const full = await refusal(disk!.path, (work) => writeFile(work, Buffer.alloc(100_000)));
    assert.equal(
      full,
      'ENOSPC: no space left on device, write: ' +
        'free some space in the cache folder CACHE, or name another one in SIMSIAM_CACHE',
    );
    await writeFile(join(folder, 'file'), '');
    assert.match(
      await refusal(join(folder, 'file'), () => Promise.resolve()),
      /^E\w+: [^\n]+: remove the file in the place of the cache folder CACHE, or name another/,
    );
  });

  it('is told where this user may not write', async () => {
    await chmod(folder, 0o700);
    // Root may do everything, so root becomes somebody else for a moment.
    const me = process.geteuid!();
    if (me === 0) process.seteuid!(65534);
    else await chmod(folder, 0o000);
    try {
      assert.match(
        await refusal(folder, () => Promise.resolve()),
        /^EACCES: permission denied, \w+ 'CACHE\/tmp': give this user access to the cache folder CACHE, or name/,
      );
    } finally {
      process.seteuid!(me);
      await chmod(folder, 0o700);
    }
  });

  it('of the checkout names no variable, and a defect stays one', () => {
    const places = { root: '/w', cache: '/w/cache' };
    const refused = Object.assign(new Error("EROFS: read-only file system, mkdir '/w/dist'"), {
      ...{ code: 'EROFS', path: '/w/dist' },
    });
    const error = setupErrorOf(refused, places);
    assert.ok(error instanceof SetupError);
    assert.match(error.message, /mkdir '\/w\/dist': make it possible to write to the checkout \/w$/);
    const defect = new TypeError('x is undefined');
    assert.equal(setupErrorOf(defect, places), defect);
  });

  it('ends set-up with one line and 1', { skip }, async () => {
    const python = join(folder, 'python');
    await writeFile(python, '#!/bin/sh\n[ "$1" = --version ] || [ "$3" = --version ]\n', { mode: 0o755 });
    disk!.remount('ro');
    try {
      const program = fileURLToPath(new URL('../../../scripts/setup.js', import.meta.url));
      const cache = join(disk!.path, 'new/cache');
      const env = { ...process.env, PYTHON: python, SIMSIAM_CACHE: cache, SIMSIAM_DEVICE: 'cpu' };
      const { status, stdout, stderr } = spawnSync(process.execPath, [program], { env, encoding: 'utf8' });
      assert.deepEqual([status, stdout], [1, '']);
      assert.match(
        stderr,
        /^setup: EROFS: [^\n]+: make it possible to write to the cache folder \S+, or name [^\n]+\n$/,
      );
    } finally {
      disk!.remount('rw');
    }
  });
});
