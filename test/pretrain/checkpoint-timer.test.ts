import assert from 'node:assert/strict';
import { test } from 'node:test';

import { CheckpointTimer } from '../../trainer/pretrain/checkpoint-timer.ts';

const minute = 60_000;

test('within an epoch a checkpoint is due so many minutes after the start, and after the last one', () => {
  let now = 7 * minute;
  const timer = new CheckpointTimer({ everyEpochs: 1, everyMinutes: 15, keep: 2 }, () => now);
  assert.equal(timer.isDue(), false);
  now += 15 * minute - 1;
  assert.equal(timer.isDue(), false);
  now += 1;
  assert.equal(timer.isDue(), true);
  now += minute;
  assert.equal(timer.isDue(), true, 'until it is committed');
  timer.committed();
  assert.equal(timer.isDue(), false);
  now += 14 * minute;
  assert.equal(timer.isDue(), false);
  now += minute;
  assert.equal(timer.isDue(), true);
});

test('without minutes none is ever due within an epoch', () => {
  let now = 0;
  const timer = new CheckpointTimer({ everyEpochs: 1, everyMinutes: 0, keep: 2 }, () => now);
  assert.equal(timer.isDue(), false);
  now = 1e12;
  assert.equal(timer.isDue(), false);
});

test('after epochs one is due with every so many, whatever the clock says', () => {
  let now = 0;
  const due = (everyEpochs: number): number[] => {
    const timer = new CheckpointTimer({ everyEpochs, everyMinutes: 1, keep: 2 }, () => (now += minute));
    return [0, 1, 2, 3, 4, 5, 6].filter((epoch) => timer.isDueAfter(epoch));
  };
  assert.deepEqual(due(1), [0, 1, 2, 3, 4, 5, 6]);
  assert.deepEqual(due(2), [1, 3, 5]);
  assert.deepEqual(due(3), [2, 5]);
});
