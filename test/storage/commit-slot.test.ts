import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { Staged } from '../../storage/commit-slot.ts';
import { CommitSlot } from '../../storage/commit-slot.ts';
import { temporaryFolder } from './temporary.ts';

const root = temporaryFolder();

async function staged(folder: string, name: string): Promise<Staged> {
  const path = join(folder, `staging-${name}`);
  await mkdir(path, { recursive: true });
  await writeFile(join(path, name), `of ${name}`);
  return { folder: path, name };
}

describe('commit slot', () => {
  it('robs a holder that seems dead, which then can no longer commit', async () => {
    const folder = join(root, 'robbed');
    let now = 0;
    const slot = new CommitSlot(join(folder, 'slot'), { now: () => (now += 600), staleAfter: 1000 });
    const target = join(folder, 'target');
    const slow = await staged(folder, 'slow');
    await slot.acquire(slow);
    const quick = await staged(folder, 'quick');
    await slot.acquire(quick);
    assert.equal(await slot.commit(slow, target, folder), false, 'the robbed one commits nothing');
    assert.equal(await slot.commit(quick, target, folder), true);
    assert.equal(await readFile(target, 'utf8'), 'of quick');
    await slot.acquire(await staged(folder, 'next'));
  });

  it('waits for a holder as long as it is not stale', async () => {
    const folder = join(root, 'waits');
    const slot = new CommitSlot(join(folder, 'slot'), { now: () => 0, staleAfter: 1 });
    const first = await staged(folder, 'first');
    await slot.acquire(first);
    const second = await staged(folder, 'second');
    let acquired = false;
    const waiting = slot.acquire(second).then(() => (acquired = true));
    await readdir(folder);
    assert.equal(acquired, false);
    assert.equal(await slot.commit(first, join(folder, 'target'), folder), true);
    await waiting;
    assert.deepEqual(await readdir(join(folder, 'slot')), ['second']);
    await slot.release(second);
    assert.ok(!(await readdir(folder)).includes('slot'));
  });

  it('measures each holder on its own: a busy slot is not a stale one', async () => {
    const folder = join(root, 'busy');
    let now = 0;
    const slot = new CommitSlot(join(folder, 'slot'), { now: () => now, staleAfter: 10 });
    const first = await staged(folder, 'first');
    await slot.acquire(first);
    const waiting = slot.acquire(await staged(folder, 'second'));
    now = 9;
    assert.equal(await slot.commit(first, join(folder, 'target'), folder), true);
    await waiting;
    assert.equal(await readFile(join(folder, 'target'), 'utf8'), 'of first');
  });

  it('makes the folder of the target anew where it was tidied away', async () => {
    const folder = join(root, 'tidied');
    const slot = new CommitSlot(join(folder, 'slot'), { now: () => 0, staleAfter: 1 });
    const one = await staged(folder, 'one');
    await slot.acquire(one);
    assert.equal(await slot.commit(one, join(folder, 'a/b/target'), join(folder, 'a/b')), true);
    assert.equal(await readFile(join(folder, 'a/b/target'), 'utf8'), 'of one');
  });
});
