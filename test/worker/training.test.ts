import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';

import type { WorkerStage } from '../../api/worker.ts';
import { tinyRun } from '../rank/fixtures/tiny-run.ts';
import { eventsOf, rankPids, Workplace, type Remains } from '../rank/fixtures/workplace.ts';
import { exitCodesOf, Pods, type Pod } from './fixtures/pods.ts';

/** A worker's rank and the process that stands by for it, once that is there. */
async function standingBy(pod: Pod): Promise<[number, number]> {
  for (;;) {
    const [rank, standby] = rankPids(pod);
    if (rank !== undefined && standby !== undefined) return [rank, standby];
    await setTimeout(10);
  }
}

describe('two workers that train one run', { timeout: 300_000 }, () => {
  let workplace: Workplace;
  let pods: Pods;
  let undisturbed: Remains;
  before(async () => {
    workplace = await Workplace.open();
    pods = await Pods.open('simsiam', workplace.folder);
    const { code, stderr } = await workplace.run({ storage: 'alone' });
    assert.equal(code, 0, stderr);
    undisturbed = workplace.remains('alone');
  });
  after(async () => {
    await pods.close();
    workplace.close();
  });

  const errorsOf = async (all: readonly Pod[]): Promise<string> =>
    (await Promise.all(all.map(({ ended }) => ended))).map(({ stderr }) => stderr).join('');
  const startBoth = async (stage: WorkerStage): Promise<Pod[]> => await pods.startAll(2, stage);

  test('both stages leave bit for bit what `simsiam run` leaves with as many ranks', async () => {
    pods.writeRun(tinyRun({ storage: 'together' }));
    const training = await startBoth('pretrain');
    assert.deepEqual(await exitCodesOf(training), [0, 0], await errorsOf(training));
    assert.equal(existsSync(workplace.path('together/result.json')), false);
    assert.equal(training[0]!.message().progress?.pretrain?.step, 24);

    const late = await pods.start(1, 'pretrain');
    const { code, stdout } = await late.ended;
    assert.equal(code, 0);
    assert.deepEqual(
      eventsOf({ stdout }).map(({ event }) => event),
      ['ranks'],
    );

    const evaluating = await startBoth('linear');
    assert.deepEqual(await exitCodesOf(evaluating), [0, 0], await errorsOf(evaluating));
    assert.deepEqual(workplace.remains('together'), undisturbed);
    const { progress } = evaluating[0]!.message();
    assert.deepEqual([progress?.phase, progress?.linear?.top1], ['Finished', undisturbed.result.linear?.top1]);
  });

  test('so they do when a rank of either worker is killed in either stage', async (t) => {
    pods.writeRun(tinyRun({ storage: 'disturbed' }));
    const training = await startBoth('pretrain');
    await training[0]!.said('"event":"checkpoint","stage":"pretrain","step":8');
    const [killed, standby] = await standingBy(training[1]!);
    const killedAt = Date.now();
    process.kill(killed, 'SIGKILL');
    await training[1]!.said('"event":"generation","generation":2');
    assert.equal(rankPids(training[1]!)[0], standby, 'the process that stood by is the rank now');
    assert.deepEqual(await exitCodesOf(training), [0, 0], await errorsOf(training));
    const events = eventsOf(await training[0]!.ended);
    const restarted = events.findLastIndex(({ event }) => event === 'generation');
    const next = events.slice(restarted).find(({ event }) => event === 'progress');
    const seconds = (Date.parse(String(next!['time'])) - killedAt) / 1000;
    t.diagnostic(`kill of a rank to the next finished step: ${seconds.toFixed(1)} s`);
    assert.equal(training[0]!.message().progress?.restarts.failed, 1);

    const evaluating = await startBoth('linear');
    await evaluating[0]!.said('"event":"checkpoint","stage":"linear","step":11');
    process.kill(rankPids(evaluating[0]!)[0]!, 'SIGKILL');
    assert.deepEqual(await exitCodesOf(evaluating), [0, 0], await errorsOf(evaluating));
    assert.deepEqual(workplace.remains('disturbed'), undisturbed);
  });

  test('so they do when the launcher of worker 0 is killed, and another one takes its place', async (t) => {
    pods.writeRun(tinyRun({ storage: 'orphaned' }));
    const [first, other] = await startBoth('pretrain');
    await first!.said('"event":"checkpoint","stage":"pretrain","step":8');
    const killedAt = Date.now();
    first!.child.kill('SIGKILL');
    await first!.ended;
    const next = await pods.start(0, 'pretrain');
    await next.said('"event":"progress"');
    t.diagnostic(`loss of worker 0 to the next finished step: ${((Date.now() - killedAt) / 1000).toFixed(1)} s`);
    assert.deepEqual(await exitCodesOf([next, other!]), [0, 0], await errorsOf([next, other!]));
    assert.deepEqual(await exitCodesOf(await startBoth('linear')), [0, 0]);
    assert.deepEqual(workplace.remains('orphaned'), undisturbed);
  });
});
