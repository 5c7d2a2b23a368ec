import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { writeFileWhole } from '../../storage/write-file.ts';
import { DataReadError } from '../../trainer/data/errors.ts';
import { smallDisk } from './small-disk.ts';
import { temporaryFolder } from './temporary.ts';

const root = temporaryFolder();
const { disk, skip } = smallDisk(64);

describe('writeFileWhole', () => {
  it('makes the folder, and replaces a file', async () => {
    const path = join(await mkdtemp(join(root, 'w-')), 'a/b');
    await writeFileWhole(path, [Buffer.from('long'), Buffer.from(' text')]);
    assert.equal(await readFile(path, 'utf8'), 'long text');
    await writeFileWhole(path, [Buffer.from('short')]);
    assert.equal(await readFile(path, 'utf8'), 'short');
  });

  it('leaves the file as it was where the parts end with an error, which is told as it is', async () => {
    const folder = await mkdtemp(join(root, 'w-'));
    await writeFile(join(folder, 'a'), 'former');
    const error = new DataReadError('the source is gone');
    async function* parts(): AsyncGenerator<Uint8Array> {
      yield await Promise.resolve(Buffer.from('half'));
      throw error;
    }
    await assert.rejects(writeFileWhole(join(folder, 'a'), parts()), (thrown) => thrown === error);
    assert.deepEqual(await readdir(folder), ['a']);
    assert.equal(await readFile(join(folder, 'a'), 'utf8'), 'former');
  });

  it('says that a disk is full or read-only, and frees what it wrote', { skip }, async () => {
    const path = join(disk!.path, 'a');
    const full = {
      code: 'STORAGE_FULL',
      exitCode: 74,
      message: /^no space left in \S+: can't write a; free some space/,
    };
    await assert.rejects(writeFileWhole(path, [Buffer.alloc(100_000)]), full);
    assert.deepEqual(await readdir(disk!.path), []);
    disk!.remount('ro');
    try {
      await assert.rejects(writeFileWhole(join(disk!.path, 'new/a'), []), { code: 'STORAGE_READ_ONLY', exitCode: 74 });
    } finally {
      disk!.remount('rw');
    }
  });
});
