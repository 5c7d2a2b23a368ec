import assert from 'node:assert/strict';
import { cpSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';

import sharp from 'sharp';

import { FileStore } from '../../storage/file-store.ts';
import { readSample } from '../../trainer/checkpoint/sample.ts';
import type { Running } from '../cli/fixtures/processes.ts';
import { simsiam } from '../cli/fixtures/processes.ts';
import { checkpointAppears, eventsOf, gone, killAll, rankPids, Workplace, type Remains } from './fixtures/workplace.ts';

const stepsPerEpoch = { pretrain: 8, linear: 11 };

describe('a run that was interrupted ends bit-equal to an undisturbed one', { timeout: 600_000 }, () => {
  let workplace: Workplace;
  let undisturbed: Remains;
  before(async () => {
    workplace = await Workplace.open();
    const { code, stderr } = await workplace.run({ storage: 'undisturbed' });
    assert.equal(code, 0, stderr);
    undisturbed = workplace.remains('undisturbed');
  });
  after(() => workplace.close());

  const linesOf = (history: string): { step: number }[] =>
    history
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));

  test('the undisturbed run has a line a step and real figures', () => {
    const pretrain = linesOf(undisturbed.histories.pretrain) as { step: number; loss: number; knnTop1?: number }[];
    assert.deepEqual(
      pretrain.map(({ step }) => step),
      Array.from({ length: 24 }, (_, i) => i + 1),
    );
    assert.equal(new Set(pretrain.map(({ loss }) => loss)).size, 24);
    assert.deepEqual(
      pretrain.filter(({ knnTop1 }) => knnTop1 !== undefined).map(({ step }) => step),
      [8, 16, 24],
    );
    assert.equal(linesOf(undisturbed.histories.linear).length, 3);
    assert.ok(undisturbed.result.baselines!.rawPixels.knnTop1! > 25);
  });

  test('it keeps a sample of its images for reports, and a report is written of it', async () => {
    const sample = await readSample(new FileStore(workplace.path('undisturbed')));
    assert.deepEqual([sample!.step, sample!.set, sample!.dimension], [24, 'val', 32]);
    assert.deepEqual(sample!.classes, ['dark', 'far', 'light', 'near']);
    assert.deepEqual([sample!.names[0], sample!.names.length], ['dark/00.jpg', 24]);
    assert.ok(sample!.features.some((feature) => feature > 0));
    const { width, height, format } = await sharp(sample!.thumbnails[23]).metadata();
    assert.deepEqual([width, height, format], [16, 16, 'webp']);
    const { code, stderr } = await simsiam('report', workplace.path('undisturbed'), '-o', workplace.path('page.html'));
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(
      readFileSync(workplace.path('page.html'), 'utf8'),
      /24 images of the validation set, coloured by class/,
    );
  });

  test('stopped by Ctrl-C in the middle of an epoch of either stage', async () => {
    for (const stage of ['pretrain', 'linear'] as const) {
      const running = await workplace.start({ storage: 'stopped' });
      await running.said(`"event":"progress","stage":"${stage}"`);
      running.child.kill('SIGINT');
      const { code, stderr } = await running.ended;
      const step = workplace.committed('stopped')[stage];
      assert.equal(
        stderr,
        `stopped at step ${step} of ${stage}, with a checkpoint in stopped; to go on, run the same command again\n`,
      );
      assert.equal(code, 75);
      assert.notEqual(step % stepsPerEpoch[stage], 0, `step ${step} is the end of an epoch`);
    }
    const { code, stderr } = await workplace.run({ storage: 'stopped' });
    assert.equal(code, 0, stderr);
    assert.deepEqual(workplace.remains('stopped'), undisturbed);
    assert.deepEqual(workplace.endings('stopped'), { pretrain: ['begun', 'stopped'], linear: ['begun', 'stopped'] });
  });

  test('killed by SIGKILL at one moment after the other', async () => {
    const storage = 'killed';
    const moments: Record<string, (running: Running) => Promise<void>> = {
      'at the start': (running) => running.said('"phase":"Starting"'),
      // Not each step is told.
      'before the first checkpoint': (running) => running.said('"event":"progress"'),
      'while the first checkpoint is written': () => checkpointAppears(workplace.path(storage, 'pretrain'), 8),
      'after the first checkpoint': (running) => running.said('"event":"checkpoint","stage":"pretrain","step":8'),
      'while the last checkpoint is written': () => checkpointAppears(workplace.path(storage, 'pretrain'), 24),
      'in the baselines': (running) => running.said('"phase":"Baselines"'),
      'in linear evaluation': (running) => running.said('"event":"checkpoint","stage":"linear","step":11'),
      'while the last checkpoint of linear evaluation is written': () =>
        checkpointAppears(workplace.path(storage, 'linear'), 33),
    };
    for (const [name, moment] of Object.entries(moments)) {
      const running = await workplace.start({ storage });
      await moment(running);
      killAll(running);
      assert.equal((await running.ended).signal, 'SIGKILL', name);
    }
    const { code, stdout, stderr } = await workplace.run({ storage });
    assert.equal(code, 0, stderr);
    assert.match(stdout, /"phase":"LinearEvaluation","detail":"resumed at epoch [23]"/);
    assert.deepEqual(workplace.remains(storage), undisturbed);
  });

  test('killed between the last checkpoint and the result', async () => {
    const storage = 'resultless';
    cpSync(workplace.path('undisturbed'), workplace.path(storage), { recursive: true });
    for (const later of ['linear', 'result.json']) rmSync(workplace.path(storage, later), { recursive: true });
    const running = await workplace.start({ storage }, 'dies-before-the-result.js');
    const { code, stderr } = await running.ended;
    assert.match(stderr, /^error: rank 0 was killed by SIGKILL.*LAUNCH_RANK_DIED\]\n$/);
    assert.equal(code, 69);
    assert.equal(workplace.committed(storage).linear, 33);
    assert.equal(existsSync(workplace.path(storage, 'result.json')), false);
    const resumed = await workplace.run({ storage });
    assert.equal(resumed.code, 0, resumed.stderr);
    assert.match(resumed.stdout, /"phase":"LinearEvaluation","detail":"resumed at epoch 3"/);
    assert.doesNotMatch(resumed.stdout, /"phase":"Baselines"/);
    assert.deepEqual(workplace.remains(storage), undisturbed);
  });

  test('one rank of two dies: one line and 69; the same command goes on', async () => {
    const running = await workplace.start({ storage: 'bereft' });
    await running.said('"event":"checkpoint","stage":"pretrain","step":8');
    process.kill(rankPids(running)[1]!, 'SIGKILL');
    const ended = await running.ended;
    assert.match(
      ended.stderr,
      /^error: rank 1 was killed by SIGKILL, .* goes on from the last checkpoint \[LAUNCH_RANK_DIED\]\n$/,
    );
    assert.equal(ended.code, 69);
    const resumed = await workplace.run({ storage: 'bereft' });
    assert.equal(resumed.code, 0, resumed.stderr);
    assert.match(resumed.stdout, /"phase":"Pretraining","detail":"resumed at step (8|16)"/);
    assert.deepEqual(workplace.remains('bereft'), undisturbed);
  });

  test('the launcher alone is killed: its ranks end by themselves', async () => {
    const running = await workplace.start({ storage: 'orphaned' });
    await running.said('"event":"checkpoint","stage":"pretrain","step":8');
    const pids = rankPids(running);
    running.child.kill('SIGKILL');
    assert.equal((await running.ended).signal, 'SIGKILL');
    await gone(pids);
    const resumed = await workplace.run({ storage: 'orphaned' });
    assert.equal(resumed.code, 0, resumed.stderr);
    assert.deepEqual(workplace.remains('orphaned'), undisturbed);
  });

  test('another number of ranks takes the same images in the same order: the history agrees but for rounding', async () => {
    const changes = { storage: 'fewer', linear: { epochs: 0, baselines: false } };
    const running = await workplace.start(changes);
    await running.said('"event":"checkpoint","stage":"pretrain","step":8');
    running.child.kill('SIGINT');
    assert.equal((await running.ended).code, 75);
    const resumed = await workplace.run({ ...changes, workers: 1 });
    assert.equal(resumed.code, 0, resumed.stderr);
    assert.match(resumed.stdout, /"code":"ENVIRONMENT_CHANGED".*ranks was 2 and is 1/);
    const figures = (history: string): number[][] =>
      (linesOf(history) as { step: number; epoch: number; loss: number; outputStd: number }[]).map(
        ({ step, epoch, loss, outputStd }) => [step, epoch, loss, outputStd],
      );
    const history = readFileSync(workplace.path('fewer/pretrain/history.jsonl'), 'utf8');
    const expected = figures(undisturbed.histories.pretrain);
    const own = figures(history);
    assert.equal(own.length, 24);
    for (const [i, line] of own.entries())
      for (const [j, value] of line.entries())
        assert.ok(Math.abs(value - expected[i]![j]!) < 1e-4, `step ${i + 1}: ${value} and ${expected[i]![j]}`);
    assert.notDeepEqual(own, expected, 'sums of one rank round otherwise');
  });

  test('another number of loader threads changes nothing', async () => {
    const { code, stderr } = await workplace.run({ storage: 'threads', loaderThreadsPerRank: 3 });
    assert.equal(code, 0, stderr);
    assert.deepEqual(workplace.remains('threads'), undisturbed);
  });

  test('a finished run is finished at once, with the same result', async () => {
    const { code, stdout } = await workplace.run({ storage: 'undisturbed' });
    assert.equal(code, 0);
    const events = eventsOf({ stdout });
    assert.deepEqual(
      events.map(({ event }) => event),
      ['ranks', 'phase', 'phase', 'result'],
    );
    assert.deepEqual(events.at(-1)!['pretrain'], undisturbed.result.pretrain);
    assert.deepEqual(workplace.remains('undisturbed'), undisturbed);
  });

  test('another recipe is refused with the difference, and changes nothing', async () => {
    const { code, stderr } = await workplace.run({ storage: 'undisturbed', pretrain: { seed: 7 } });
    assert.match(
      stderr,
      /^error: .*undisturbed belongs to another recipe: spec\.pretrain\.seed is 0 there and 7 here; .*\n$/,
    );
    assert.equal(code, 64);
    assert.deepEqual(workplace.remains('undisturbed'), undisturbed);
  });

  test('raised epochs extend a finished run', async () => {
    const { code, stdout, stderr } = await workplace.run({ storage: 'undisturbed', pretrain: { epochs: 4 } });
    assert.equal(code, 0, stderr);
    assert.match(stdout, /"phase":"Pretraining","detail":"resumed at step 24"/);
    const { histories, result } = workplace.remains('undisturbed');
    assert.deepEqual([result.pretrain.epochs, result.pretrain.steps], [4, 32]);
    assert.ok(histories.pretrain.startsWith(undisturbed.histories.pretrain));
    assert.equal(linesOf(histories.pretrain).length, 32);
    assert.equal(linesOf(histories.linear).length, 3);
    assert.notEqual(histories.linear, undisturbed.histories.linear);
  });
});
