import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import {
  StorageAccessError,
  StorageFullError,
  StorageReadOnlyError,
  StorageUnavailableError,
  storageError,
} from '../../storage/errors.ts';
import { FileStore } from '../../storage/file-store.ts';
import { smallDisk } from './small-disk.ts';
import { temporaryFolder } from './temporary.ts';

const root = temporaryFolder();
const { disk, skip } = smallDisk(1024);

describe('file store on a disk that fails', () => {
  it('keeps the former object when the disk is full, and works on once there is room', { skip }, async () => {
    const store = new FileStore(join(disk!.path, 'run'));
    const former = Buffer.alloc(300_000, 1);
    const next = Buffer.alloc(2_000_000, 2);
    await store.put('blob', former);
    const named = (error: StorageFullError): boolean => {
      assert.ok(error instanceof StorageFullError);
      assert.equal(error.code, 'STORAGE_FULL');
      assert.equal(error.exitCode, 74);
      assert.match(error.message, /^no space left in file:\S+run: can't write (blob|other); free some space/);
      return true;
    };
    await assert.rejects(store.put('blob', next), named);
    await assert.rejects(store.put('other', next), named);
    assert.deepEqual((await store.get('blob'))?.bytes, former);
    assert.deepEqual(await store.list(''), [{ key: 'blob', size: former.length }]);
    assert.deepEqual(await readdir(join(disk!.path, 'run/.simsiam/staging')), [], 'what was written is freed');
    disk!.remount('size=8m');
    await store.put('blob', next);
    assert.deepEqual((await store.get('blob'))?.bytes, next);
  });

  it('says so when the disk is read-only', { skip }, async () => {
    const store = new FileStore(join(disk!.path, 'read-only'));
    await store.put('a', Buffer.from('1'));
    disk!.remount('ro');
    try {
      const named = { name: 'StorageReadOnlyError', code: 'STORAGE_READ_ONLY', exitCode: 74 };
      await assert.rejects(store.put('a', Buffer.from('2')), named);
      await assert.rejects(store.delete('a'), named);
      assert.equal((await store.get('a'))?.bytes.toString(), '1');
    } finally {
      disk!.remount('rw');
    }
  });

  it('says so when a folder belongs to somebody else', async () => {
    const folder = await mkdtemp(join(root, 'access-'));
    await writeFile(join(folder, 'a'), 'secret');
    await chmod(folder, 0o700);
    // Root may do everything, so root becomes somebody else for a moment; anybody else is shut out of their own folder.
    const me = process.geteuid!();
    if (me === 0) process.seteuid!(65534);
    else await chmod(folder, 0o000);
    try {
      const store = new FileStore(folder);
      const named = { name: 'StorageAccessError', code: 'STORAGE_ACCESS_DENIED', exitCode: 74 };
      await assert.rejects(store.put('a', Buffer.from('2')), named);
      await assert.rejects(store.get('a'), named);
      await assert.rejects(store.list(''), named);
    } finally {
      process.seteuid!(me);
      await chmod(folder, 0o700);
    }
  });

  it('names the key and the place when a file is where a folder should be', async () => {
    const folder = await mkdtemp(join(root, 'layout-'));
    const store = new FileStore(folder);
    await store.put('a', Buffer.from('1'));
    await mkdir(join(folder, 'b/c'), { recursive: true });
    await assert.rejects(store.put('a/b', Buffer.from('2')), { name: 'StorageUnavailableError', exitCode: 74 });
    await assert.rejects(store.put('b', Buffer.from('2')), /can't write b in file:/);
    assert.deepEqual(await readdir(join(folder, '.simsiam/staging')), []);
    assert.deepEqual(await readdir(join(folder, '.simsiam/slots')), []);
    assert.equal((await store.get('a'))?.bytes.toString(), '1');
  });

  it('names each kind of failure of the file system', () => {
    const of = (code: string): Error =>
      storageError(Object.assign(new Error('it failed'), { code }), 'write k', 'file:///r');
    for (const code of ['ENOSPC', 'EDQUOT', 'EFBIG']) assert.ok(of(code) instanceof StorageFullError, code);
    for (const code of ['EACCES', 'EPERM']) assert.ok(of(code) instanceof StorageAccessError, code);
    assert.ok(of('EROFS') instanceof StorageReadOnlyError);
    assert.ok(of('EIO') instanceof StorageUnavailableError);
    assert.equal(of('EIO').message, "can't write k in file:///r: it failed");
  });
});
