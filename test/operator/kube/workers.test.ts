import assert from 'node:assert/strict';
import { it } from 'node:test';

import { WorkQueue } from '../../../operator/kube/work-queue.ts';
import { runWorkers } from '../../../operator/kube/workers.ts';
import { FakeClock, settle } from '../../support/fake-clock.ts';

it('runs so many turns at once, again after failures and when a turn asks for it, until the queue is shut down', async () => {
  const clock = new FakeClock();
  const queue = new WorkQueue({ clock, random: () => 0 });
  const turns: string[] = [];
  const finish = new Map<string, () => void>();
  const errors: string[] = [];
  const outcomes = new Map<string, (() => { againAfterMs?: number })[]>([
    ['fails', [() => assert.fail('once')]],
    ['again', [() => ({ againAfterMs: 5000 })]],
  ]);
  const done = runWorkers({
    queue,
    count: 2,
    work: async (key) => {
      turns.push(key);
      await new Promise<void>((resolve) => finish.set(key, resolve));
      return outcomes.get(key)?.shift()?.() ?? {};
    },
    onError: (key, thrown) => errors.push(`${key} ${(thrown as Error).message}`),
  });
  for (const key of ['fails', 'again', 'third']) queue.add(key);
  await settle();
  assert.deepEqual(turns, ['fails', 'again']);

  finish.get('fails')!();
  finish.get('again')!();
  await settle();
  assert.deepEqual(turns, ['fails', 'again', 'third']);
  assert.deepEqual(errors, ['fails once']);
  assert.equal(queue.failures('fails'), 1);
  finish.get('third')!();

  await clock.advance(100);
  assert.deepEqual(turns.slice(3), ['fails']);
  finish.get('fails')!();
  await settle();
  assert.equal(queue.failures('fails'), 0);

  await clock.advance(4900);
  assert.deepEqual(turns.slice(4), ['again']);
  const drained = queue.shutDown();
  finish.get('again')!();
  await drained;
  await done;
  assert.equal(turns.length, 5);
});
