import assert from 'node:assert/strict';
import { test } from 'node:test';
import { median, quantile, speedRatio } from '../../bench/statistics.ts';

test('the median does not depend on the order, and is between the middle two of an even number', () => {
  assert.equal(median([9, 1, 5]), 5);
  assert.equal(median([4, 10, 1, 2]), 3);
  assert.throws(() => median([]), RangeError);
  assert.equal(quantile([0, 10, 20], 0.25), 5);
});

test('a ratio is taken round by round, so a slow round of both sides leaves it alone', () => {
  // The second round was disturbed: both sides took ten times as long.
  assert.deepEqual(speedRatio([10, 100, 10], [10, 150, 20]), { median: 1.5, quartiles: [1.25, 1.75] });
  assert.throws(() => speedRatio([1], [1, 2]), RangeError);
});
