import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { RunResult } from '../../api/run-result.ts';
import { summaryOf } from '../../trainer/telemetry/summary.ts';

const result: RunResult = {
  phase: 'Complete',
  pretrain: {
    epochs: 20,
    steps: 1240,
    finalLoss: -0.91,
    outputStd: 0.0213,
    healthyStd: 1 / Math.sqrt(2048),
    effectiveRank: 87.21,
    effectiveRankLimit: 2048,
    effectiveRankSamples: 4000,
    collapse: null,
    knnTop1: 94.5,
  },
  linear: { epochs: 30, top1: 91.2, top5: 99.6 },
  baselines: { rawPixels: { knnTop1: 91, linearTop1: 88.9 }, untrained: { knnTop1: 88.2, linearTop1: 92.1 } },
  ranks: 2,
  durationSeconds: 301,
};

test('the scores stand beside both baselines, and a defeat is said plainly', () => {
  assert.equal(
    summaryOf(result),
    `                     kNN top-1   linear top-1
raw pixels              91.0 %         88.9 %
untrained backbone      88.2 %         92.1 %
SimSiam, 20 epochs      94.5 %         91.2 %

output std 0.0213, 1/√d 0.0221: healthy
effective rank 87.2 of 2048 (4000 samples)
kNN is 3.5 points above the better baseline; linear is NOT above the better baseline (-0.9 points)
5 min 01 s on 2 ranks
`,
  );
});

test('a collapse is said whatever the scores', () => {
  const collapsed = { ...result, pretrain: { ...result.pretrain, outputStd: 0.0001, collapse: 'complete' as const } };
  assert.match(summaryOf(collapsed), /output std 0\.000100, 1\/√d 0\.0221: COLLAPSED: all images/);
});

test('what was not measured is left out', () => {
  const { linear: _, baselines: __, ...rest } = result;
  const { knnTop1: ___, effectiveRank: ____, ...pretrain } = rest.pretrain;
  assert.equal(
    summaryOf({ ...rest, ranks: 1, pretrain }),
    'output std 0.0213, 1/√d 0.0221: healthy\n5 min 01 s on 1 rank\n',
  );
  assert.match(summaryOf({ ...rest, baselines: { rawPixels: { knnTop1: 91 }, untrained: {} } }), /untrained .* - /);
});
