import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

test('a rank or another task of the trainer that is started by hand says what to do instead, and exits with 64', () => {
  for (const program of ['rank-main.js', 'embed-main.js']) {
    const file = fileURLToPath(new URL(`../../trainer/${program}`, import.meta.url));
    const { status, stdout, stderr } = spawnSync(process.execPath, [file], { encoding: 'utf8' });
    const message =
      'a rank process is started by the launcher, not by hand: use `simsiam run -f FILE` [LAUNCH_NO_LAUNCHER]';
    assert.deepEqual([status, stdout, stderr], [64, '', `error: ${message}\n`], program);
  }
});
