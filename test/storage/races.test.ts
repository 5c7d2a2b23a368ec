import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { FileStore } from '../../storage/file-store.ts';
import { ended, start } from './processes.ts';
import { temporaryFolder } from './temporary.ts';

const counter = new URL('cas-counter.js', import.meta.url);
const root = temporaryFolder();

async function value(store: FileStore, key: string): Promise<number> {
  return Number((await store.get(key))?.bytes.toString() ?? 0);
}

describe('file store between processes', () => {
  it('counts exactly under compare-and-swap by several processes', async () => {
    const writers = Array.from({ length: 4 }, () => start(counter, [root, 'exact', '40']));
    for (const { code } of await Promise.all(writers.map(({ child }) => ended(child)))) assert.equal(code, 0);
    assert.equal(await value(new FileStore(root), 'exact'), 160);
  });

  it('stays usable and loses no update that was acknowledged when writers are killed', async () => {
    const rounds = 15;
    let acknowledged = 0;
    let started = 0;
    for (let round = 0; round < rounds; round++) {
      const writers = [0, 1].map(() => start(counter, [root, 'killed', '1000000']));
      started += writers.length;
      await Promise.all(writers.map(({ child }) => once(child.stdout!, 'data')));
      await setTimeout(Math.random() * 30);
      const ends = writers.map(({ child }) => ended(child));
      for (const { child } of writers) child.kill('SIGKILL');
      await Promise.all(ends);
      acknowledged += writers.reduce((sum, { output }) => sum + output().length, 0);
    }
    const store = new FileStore(root, { now: () => performance.now(), staleAfter: 20 });
    const found = await value(store, 'killed');
    // Each killed process may have committed one more than it could say.
    assert.ok(found >= acknowledged && found <= acknowledged + started, `${found} of ${acknowledged}`);
    await store.put('killed', Buffer.from('0'));
    assert.deepEqual(await readdir(join(root, '.simsiam/slots')), [], 'no slot stays held');
    assert.deepEqual(await readdir(join(root, '.simsiam/staging')), [], 'what dead writers left is swept');
  });
});
