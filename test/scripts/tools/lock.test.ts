import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { underLock } from '../../../scripts/tools/lock.ts';

async function lockFile(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'lock-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return join(folder, 'deep/er/lock');
}

test('one works at a time, and the lock is given back, after a failure too', async (t) => {
  const file = await lockFile(t);
  let inside = 0;
  const work = async () => {
    assert.equal(++inside, 1);
    for (let turn = 0; turn < 20; turn++) await setImmediate();
    inside--;
    throw new Error('broken');
  };
  const ends = await Promise.allSettled([underLock(file, work), underLock(file, work), underLock(file, work)]);
  for (const end of ends) assert.match(String((end as PromiseRejectedResult).reason), /broken/);
  assert.ok(!existsSync(file));
});

test('the lock of a process that has ended is free', async (t) => {
  const file = await lockFile(t);
  await underLock(file, async () => {});
  const ended = spawnSync(process.execPath, ['-e', '']).pid;
  await writeFile(file, `${ended}`);
  assert.equal(await underLock(file, async () => 'done'), 'done');
});
