import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { SimSiamRunStatus } from '../../../api/run.ts';
import type { Progress } from '../../../api/worker.ts';
import { runsTable } from '../../../cli/cluster/runs-table.ts';
import { advanceSeries, noSeries } from '../../../cli/cluster/series.ts';
import { sparkline } from '../../../cli/cluster/sparkline.ts';
import { statusLines } from '../../../cli/cluster/status-text.ts';
import { workersOf } from '../../../cli/cluster/workers.ts';
import { before, containerState, noon, pod, runObject, running } from './objects.ts';

const status: SimSiamRunStatus = {
  phase: 'Pretraining',
  conditions: [
    { type: 'Admitted', status: 'True', reason: 'Created', message: 'all is made', lastTransitionTime: before(600) },
    {
      ...{ type: 'Healthy', status: 'False', reason: 'Unschedulable', lastTransitionTime: before(60) },
      message: 'worker 1 waits: 0/3 nodes are available, add some',
    },
  ],
  pretrain: { epoch: 41.5, loss: -0.5, outputStd: 0.02, knnTop1: 41.25, checkpoint: 'step-1200-g1' },
  restarts: { total: 3, preempted: 2, peerLost: 1 },
  lostSteps: 31,
};

type Condition = NonNullable<SimSiamRunStatus['conditions']>[number];

const progress: Progress = {
  ...{ stage: 'pretrain', phase: 'Pretraining', generation: 1, updatedAt: before(1) },
  pretrain: { epoch: 42, step: 4200, totalSteps: 10_000, loss: -0.75, outputStd: 0.0221, samplesPerSecond: 512 },
  ...{ restarts: { peerLost: 0, hang: 0, failed: 0 }, lostSteps: 0 },
};

describe('the status of a run', () => {
  const run = runObject(status);

  test('from the status alone', () => {
    assert.deepEqual(statusLines({ run, workers: [], progress: undefined }, noSeries, noon), [
      'lab/birds · Pretraining',
      '2 workers, 8 GPUs · resnet50 · batch 512 · age 1 h 00 min',
      '',
      'pretrain ██████████░░░░░░░░░░░░░░ epoch 41/100',
      '         loss -0.5000 · std 0.0200 (healthy: 0.0221) · kNN 41.3 %',
      'linear   ░░░░░░░░░░░░░░░░░░░░░░░░ epoch 0/90',
      '',
      'checkpoint   step-1200-g1',
      'storage      s3://r/birds',
      'restarts     3 (2 preempted, 1 peer lost), 31 steps done again',
      '',
      'Conditions',
      '  ✓ Admitted         True    Created, 10 min 00 s',
      '  ! Healthy          False   Unschedulable, 1 min 00 s',
      '      worker 1 waits: 0/3 nodes are available, add some',
    ]);
  });

  test('of the conditions what has come about is shown, with words where there is something to do', () => {
    const conditions = [
      { type: 'Suspended', status: 'False', reason: 'Stopping', message: 'they finish their step' },
      { type: 'Complete', status: 'False', reason: 'InProgress', message: 'the run goes on' },
      { type: 'Failed', status: 'True', reason: 'Collapsed', message: 'std 0.0001' },
      { type: 'Healthy', status: 'True', reason: 'Running', message: 'all is well' },
    ].map((each) => ({ ...each, lastTransitionTime: before(5) }) as Condition);
    const lines = statusLines({ run: runObject({ conditions }), workers: [], progress: undefined }, noSeries, noon);
    assert.deepEqual(lines.slice(lines.indexOf('Conditions') + 1), [
      '    Suspended        False   Stopping, 5 s',
      '      they finish their step',
      '  ✗ Failed           True    Collapsed, 5 s',
      '      std 0.0001',
      '  ✓ Healthy          True    Running, 5 s',
    ]);
  });

  test('the same words are said once', () => {
    const message = 'the shard is not there';
    const conditions = [
      { type: 'Failed', status: 'True', reason: 'BadData', message },
      { type: 'Healthy', status: 'False', reason: 'Failed', message },
    ].map((each) => ({ ...each, lastTransitionTime: before(5) }) as Condition);
    const lines = statusLines({ run: runObject({ conditions }), workers: [], progress: undefined }, noSeries, noon);
    assert.deepEqual(lines.slice(lines.indexOf('Conditions') + 1), [
      '  ✗ Failed           True    BadData, 5 s',
      `      ${message}`,
      '  ! Healthy          False   Failed, 5 s',
    ]);
  });

  test('what Kubernetes says of a worker is cut where it is long', () => {
    const waiting = { reason: 'ImagePullBackOff', message: 'x'.repeat(100) };
    const workers = workersOf([pod({ index: 0, status: containerState({ waiting }) })]);
    const lines = statusLines({ run, workers, progress: undefined }, noSeries, noon);
    assert.ok(lines.at(-1)!.endsWith(` ${'x'.repeat(59)}…`), lines.at(-1));
  });

  test('what worker 0 says is newer, and has steps: a time is left', () => {
    const lines = statusLines({ run, workers: [], progress }, noSeries, noon);
    assert.equal(lines[3], 'pretrain ██████████░░░░░░░░░░░░░░ epoch 42/100 · 512 images/s · ETA 1 h 36 min');
    assert.match(lines[4]!, /loss -0\.7500 · std 0\.0221 .* kNN 41\.3 %/);
  });

  test('messages are wrapped to the width', () => {
    const lines = statusLines({ run, workers: [], progress: undefined }, noSeries, noon, 40);
    assert.deepEqual(lines.slice(-2), ['      worker 1 waits: 0/3 nodes are', '      available, add some']);
  });

  test('a collapse that worker 0 tells is shown', () => {
    const collapse = 'std 0.0001, far below 0.0221';
    const lines = statusLines({ run, workers: [], progress: { ...progress, collapse } }, noSeries, noon);
    assert.ok(lines.includes(`COLLAPSE     ${collapse}`));
  });

  test('of many workers those that do not run stand first', () => {
    const pods = Array.from({ length: 20 }, (_, index) => pod({ index, ...(index !== 17 && { status: running }) }));
    const lines = statusLines({ run, workers: workersOf(pods), progress: undefined }, noSeries, noon);
    const workers = lines.slice(lines.indexOf('Workers') + 1);
    assert.match(workers[0]!, /^ {2}WORKER +STATE +AGE +RESTARTS +NODE$/);
    assert.match(workers[1]!, /^ {2}pretrain 17 +Unknown +1 min 00 s +0 +-$/);
    assert.equal(workers.at(-1), '  and 8 more; 19 of 20 run');
  });

  test('curves of what was seen; the same step counts once', () => {
    let series = noSeries;
    for (const step of [1, 1, 2, 3]) {
      const pretrain = { ...progress.pretrain!, step, loss: -step / 4 };
      series = advanceSeries(series, { run, workers: [], progress: { ...progress, pretrain } });
    }
    assert.deepEqual(series.loss, [-0.25, -0.5, -0.75]);
    const lines = statusLines({ run, workers: [], progress }, series, noon);
    assert.ok(lines.includes('         loss █▅▁ -0.250 → -0.750'), lines.join('\n'));
  });
});

describe('the series of curves', () => {
  test('is what worker 0 has kept, when it tells', () => {
    const curve = [1, 2].map((step) => ({ step, loss: -step, outputStd: 0.1 }));
    const series = advanceSeries(noSeries, { run: runObject(), workers: [], progress, curve });
    assert.deepEqual(series, { step: 2, loss: [-1, -2], outputStd: [0.1, 0.1] });
  });
});

describe('a sparkline', () => {
  test('goes from the least to the greatest value', () => assert.equal(sparkline([0, 1, 2, 7], 10), '▁▂▃█'));
  test('of equal values is flat', () => assert.equal(sparkline([3, 3], 10), '▁▁'));
  test('averages what does not fit', () => assert.equal(sparkline([0, 2, 6, 8], 2), '▁█'));
  test('marks what is no number', () => assert.equal(sparkline([0, NaN, 1], 10), '▁×█'));
  test('of nothing is nothing', () => assert.equal(sparkline([], 10), ''));
});

describe('the table of runs', () => {
  test('has a line a run', () => {
    const [head, row] = runsTable([runObject({ ...status, conditions: [] })], true, noon);
    assert.match(head!, /^NAMESPACE +NAME +PHASE +GPUS +EPOCH +LOSS +STD×√D/);
    assert.match(row!, /^lab +birds +Pretraining +8 +41\/100 +-0\.500 +0\.91 +- +41\.3 % +- +- +3 +1 h 00 min$/);
  });
  test('leaves out on a narrow terminal what matters least, and never cuts a column', () => {
    const run = runObject({ ...status, conditions: [] });
    const [wide] = runsTable([run], true, noon, 130);
    assert.match(wide!, /GPUS.*AGE$/);
    const narrow = runsTable([run], true, noon, 80);
    assert.ok(narrow.every((line) => line.length <= 80));
    assert.match(narrow[0]!, /^NAMESPACE +NAME +PHASE +EPOCH +LOSS +STD×√D +KNN +AGE$/);
    assert.match(runsTable([run], true, noon, 20)[0]!, /^NAMESPACE +NAME +PHASE +EPOCH +KNN$/);
  });
  test('says that there are none', () => assert.deepEqual(runsTable([], false, noon), ['there are no SimSiamRuns']));
});
