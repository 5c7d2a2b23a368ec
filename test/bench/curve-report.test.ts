import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RunResult } from '../../api/run-result.ts';
import { curvePlot, curveReport, trainingOf } from '../../bench/curve-report.ts';

const result = {
  phase: 'Complete',
  pretrain: { epochs: 2, steps: 4, healthyStd: 0.5, knnTop1: 40, collapse: null },
  linear: { epochs: 1, top1: 50, top5: 90 },
  baselines: { rawPixels: { knnTop1: 30, linearTop1: 31 }, untrained: { knnTop1: 20, linearTop1: 21 } },
} as unknown as RunResult;

const ours = trainingOf(
  [
    { epoch: 0, loss: -0.1, outputStd: 0.4 },
    { epoch: 0, loss: -0.3, outputStd: 0.6, effectiveRank: 7, knnTop1: 33 },
    { epoch: 1, loss: -0.5, outputStd: 0.5, effectiveRank: 8, knnTop1: 40 },
  ],
  0.5,
  result,
);

test('a curve has means over the steps of an epoch and the figures of its end', () => {
  assert.deepEqual(
    ours.curve.map(({ epoch, loss, std, effectiveRank, knnTop1 }) => [
      epoch,
      loss.toFixed(3),
      std,
      effectiveRank,
      knnTop1,
    ]),
    [
      [1, '-0.200', 1, 7, 33],
      [2, '-0.500', 1, 8, 40],
    ],
  );
  assert.deepEqual(
    [ours.pixels, ours.untrained, ours.simsiam],
    [
      { knn: 30, linear: 31 },
      { knn: 20, linear: 21 },
      { knn: 40, linear: 50 },
    ],
  );
});

test('the report sets both sides beside each other', () => {
  const pytorch = { ...ours, curve: ours.curve.map((epoch) => ({ ...epoch, knnTop1: epoch.knnTop1 + 1 })) };
  const report = curveReport(ours, pytorch);
  assert.match(report, /\| 1 \| -0\.200 \| -0\.200 \| 1\.00 \| 1\.00 \| 7 \| 7 \| 33\.0 \| 34\.0 \|/);
  assert.match(report, /\| simsiam \| 40\.0 \| 40\.0 \| 50\.0 \| 50\.0 \|/);
  assert.match(report, /further apart than 0\.000, and the kNN accuracies than 1\.0 points\./);
  assert.match(curvePlot(ours, pytorch), /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"[^>]*><style>/);
});

test('a run that was left early has what it has', () => {
  const records = [
    { epoch: 0, loss: -0.1, outputStd: 0.5, effectiveRank: 7, knnTop1: 33 },
    { epoch: 1, loss: -0.2, outputStd: 0.5 },
  ];
  const report = curveReport(trainingOf(records, 0.5), ours);
  assert.match(report, /Our run was left after 1 of 2 epochs\./);
  assert.match(report, /\| 2 \| – \| -0\.500 \|/);
  assert.match(report, /\| simsiam \| – \| 40\.0 \| – \| 50\.0 \|/);
  assert.doesNotMatch(curveReport(ours, ours), /was left/);
});
