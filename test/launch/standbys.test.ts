import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import type { RankToLauncher } from '../../trainer/launch/messages.ts';
import { Standbys } from '../../trainer/launch/standbys.ts';
import { fakeRun } from './fixtures/fake-run.ts';

const program = fileURLToPath(new URL('fixtures/fake-standby.js', import.meta.url));
const plan = { gpu: null, threads: 1, loaderThreads: 1, env: { SIMSIAM_TEST: 'of the plan' } };

/** Of ranks 2 and 3. */
function twoStandbys(): Standbys {
  const run = fakeRun(['done', 'done'], 0);
  const order = { run, world: 4, stages: ['pretrain'], everyStep: false } as const;
  return new Standbys({ plans: [2, 3].map((rank) => ({ ...plan, rank })), order, program, env: process.env });
}

describe('processes that stand by', { timeout: 60_000 }, () => {
  test('become ranks with what they have done ahead', async () => {
    const standbys = twoStandbys();
    standbys.fill();
    const heard: RankToLauncher[] = [];
    const rank = standbys.take(3)!;
    rank.hear((message) => heard.push(message));
    assert.equal(rank.rank, 3);
    assert.equal(standbys.take(3), undefined);
    const order = {
      run: fakeRun(['done', 'done'], 0),
      world: 4,
      stages: ['pretrain'],
      everyStep: false,
      rank: 3,
      ...plan,
    } as const;
    rank.send({ type: 'start', ...order, addresses: [] });
    assert.equal((await rank.ended).code, 0);
    assert.deepEqual(heard[0], { type: 'warning', code: 'FAKE', message: 'rank 3 of 4, of the plan' });
    standbys.close();
  });

  test('are not given once they have ended, and not left behind', async () => {
    const standbys = twoStandbys();
    standbys.fill();
    standbys.fill();
    const first = standbys.take(2)!;
    standbys.fill();
    const second = standbys.take(2)!;
    assert.notEqual(first.pid, second.pid);
    for (const rank of [first, second]) rank.end('SIGKILL');
    const third = standbys.take(3)!;
    standbys.fill();
    standbys.close();
    third.end('SIGKILL');
    await Promise.all([first.ended, second.ended, third.ended]);
  });
});
