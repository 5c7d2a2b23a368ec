import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import type { RunResult } from '../../api/run-result.ts';
import type { Ended } from '../cli/fixtures/processes.ts';
import type { TinyChanges } from './fixtures/tiny-run.ts';
import { eventsOf, Workplace } from './fixtures/workplace.ts';

/** So high a rate that without the stop-gradient nothing holds the outputs apart; with it they stay. */
const hot = { epochs: 5, batchSize: 32, learningRate: 16 };

describe('collapse', { timeout: 300_000 }, () => {
  let workplace: Workplace;
  before(async () => {
    workplace = await Workplace.open();
  });
  after(() => workplace.close());

  async function train(storage: string, stopGradient: boolean, onCollapse: 'Warn' | 'Fail'): Promise<Ended> {
    const changes: TinyChanges = {
      storage,
      failurePolicy: { onCollapse },
      pretrain: { ...hot, ablation: { stopGradient } },
      linear: { epochs: 0, baselines: false },
    };
    return await workplace.run(changes);
  }

  const alarms = (ended: Ended): unknown[] => eventsOf(ended).filter(({ code }) => code === 'TRAINING_COLLAPSED');
  const resultOf = (ended: Ended): RunResult => eventsOf(ended).at(-1) as unknown as RunResult;

  test('a healthy run raises no alarm, even where the policy is Fail', async () => {
    const ended = await train('healthy', true, 'Fail');
    assert.equal(ended.code, 0, ended.stderr);
    assert.deepEqual(alarms(ended), []);
    const { pretrain } = resultOf(ended);
    assert.equal(pretrain.collapse, null);
    assert.ok(pretrain.outputStd! > 0.8 * pretrain.healthyStd, `output std ${pretrain.outputStd}`);
  });

  test('without the stop-gradient it is told, and stands in the result', async () => {
    const ended = await train('warned', false, 'Warn');
    assert.equal(ended.code, 0, ended.stderr);
    assert.equal(alarms(ended).length, 1);
    assert.match(ended.stdout, /epoch \d: the representation collapsed .*keep ablation\.stopGradient on/);
    assert.match(ended.stderr, /COLLAPSED/);
    const { pretrain } = resultOf(ended);
    assert.equal(pretrain.collapse, 'dimensional');
    assert.ok(pretrain.finalLoss! < -0.5, 'the loss alone looks like success');
  });

  test('with onCollapse: Fail it ends the run with 77, and keeps what came before', async () => {
    const ended = await train('failed', false, 'Fail');
    assert.match(ended.stderr, /^error: rank 0: epoch \d: the representation collapsed .* \[TRAINING_COLLAPSED\]\n$/);
    assert.equal(ended.code, 77);
    assert.ok(workplace.committed('failed').pretrain > 0);
  });
});
