import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, symlink, writeFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { FileStore } from '../../storage/file-store.ts';
import { testObjectStoreContract } from './object-store-contract.ts';
import { temporaryFolder } from './temporary.ts';

const root = temporaryFolder();

async function fresh(): Promise<{ store: FileStore; folder: string }> {
  const folder = await mkdtemp(join(root, 'store-'));
  return { store: new FileStore(folder), folder };
}

testObjectStoreContract('file://', async () => (await fresh()).store);

describe('file store', () => {
  it('keeps objects as plain files and nothing else but its own folder', async () => {
    const { store, folder } = await fresh();
    await store.put('pretrain/latest.json', Buffer.from('{}'));
    assert.equal(await readFile(join(folder, 'pretrain/latest.json'), 'utf8'), '{}');
    assert.deepEqual((await readdir(folder, { recursive: true })).sort(), [
      '.simsiam',
      '.simsiam/slots',
      '.simsiam/staging',
      'pretrain',
      'pretrain/latest.json',
    ]);
  });

  it('has the SHA-256 of the bytes as version', async () => {
    const { store } = await fresh();
    const abc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
    assert.deepEqual(await store.put('k', [Buffer.from('a'), Buffer.alloc(0), Buffer.from('bc')]), { version: abc });
    assert.equal((await store.get('k'))?.version, abc);
  });

  it('reads what other programs wrote, and lists no file that is not a key', async () => {
    const { store, folder } = await fresh();
    await writeFile(join(folder, 'result.json'), 'by hand');
    await writeFile(join(folder, '.DS_Store'), '');
    await writeFile(join(folder, 'my notes.txt'), '');
    await symlink('nowhere', join(folder, 'dangling'));
    await mkdir(join(folder, 'empty'));
    assert.deepEqual(await store.list(''), [{ key: 'result.json', size: 7 }]);
    assert.equal((await store.get('result.json'))?.bytes.toString(), 'by hand');
    assert.equal(await store.get('empty'), undefined);
    assert.equal(await store.get('result.json/below'), undefined);
  });

  it('removes folders that lost their last object', async () => {
    const { store, folder } = await fresh();
    await store.put('a/b/c', Buffer.from('1'));
    await store.put('a/d', Buffer.from('2'));
    await store.delete('a/b/c');
    assert.deepEqual(await readdir(join(folder, 'a')), ['d']);
  });

  it('has no objects, and creates nothing, where its folder is missing', async () => {
    const { folder } = await fresh();
    const store = new FileStore(join(folder, 'not/yet'));
    assert.deepEqual(await store.list(''), []);
    assert.equal(await store.get('a'), undefined);
    await store.delete('a');
    assert.deepEqual(await readdir(folder), []);
  });

  it('survives puts and deletes of neighbours that tidy the folder away', async () => {
    for (let repetition = 0; repetition < 10; repetition++) {
      const { store } = await fresh();
      const churn = async (key: string): Promise<void> => {
        for (let round = 0; round < 10; round++) {
          await store.put(key, Buffer.from('x'));
          await store.delete(key);
        }
        await store.put(key, Buffer.from('last'));
      };
      await Promise.all(['d/e/1', 'd/e/2', 'd/e/3'].map(churn));
      assert.equal((await store.list('d/')).length, 3);
    }
  });
});
