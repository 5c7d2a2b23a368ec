import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import type { TinyChanges } from './fixtures/tiny-run.ts';
import { eventsOf, killAll, Workplace } from './fixtures/workplace.ts';

/** 32 steps of pre-training, alone. */
const short = { pretrain: { epochs: 4 }, linear: { epochs: 0, baselines: false } };

describe(
  'pre-training of every kind goes on after a kill, bit-equal to an undisturbed one',
  { timeout: 600_000 },
  () => {
    let workplace: Workplace;
    before(async () => {
      workplace = await Workplace.open();
    });
    after(() => workplace.close());

    /**
     * Runs once undisturbed and once killed after a checkpoint, which the second start of it goes on from.
     * @returns The steps of that start's own checkpoints.
     */
    async function assertResumes(
      kind: string,
      changes: Omit<TinyChanges, 'storage'>,
      { step = 8, preload }: { readonly step?: number; readonly preload?: string } = {},
    ): Promise<readonly unknown[]> {
      const whole = await workplace.run({ ...short, ...changes, storage: `${kind}-undisturbed` });
      assert.equal(whole.code, 0, whole.stderr);
      const killed = { ...short, ...changes, storage: `${kind}-killed` };
      const running = await workplace.start(killed, preload);
      await running.said(`"event":"checkpoint","stage":"pretrain","step":${step},`);
      killAll(running);
      assert.equal((await running.ended).signal, 'SIGKILL');
      const resumed = await workplace.run(killed);
      assert.equal(resumed.code, 0, resumed.stderr);
      // On a machine with much else to do, it was killed some steps later.
      assert.match(resumed.stdout, new RegExp(`"phase":"Pretraining","detail":"resumed at step (${step}|8|16|24)"`));
      const remains = workplace.remains(`${kind}-undisturbed`, ['pretrain']);
      assert.deepEqual(workplace.remains(`${kind}-killed`, ['pretrain']), remains);
      const checkpoints = eventsOf(resumed).filter(({ event }) => event === 'checkpoint');
      return checkpoints.map((checkpoint) => checkpoint['step']);
    }

    test('of one rank with two threads', async () => {
      await assertResumes('threads', { workers: 1, threadsPerRank: 2 });
    });

    test('in bfloat16, from a checkpoint within an epoch that is due by the clock; else only after every second epoch', async () => {
      const pretrain = { ...short.pretrain, precision: 'bf16' } as const;
      const changes = { pretrain, checkpoint: { everyEpochs: 2, everyMinutes: 60 } };
      const committed = await assertResumes('clock', changes, { step: 2, preload: 'an-hour-passes.js' });
      assert.deepEqual(committed, [16, 32]);
    });
  },
);
