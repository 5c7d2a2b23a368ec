import assert from 'node:assert/strict';
import { test } from 'node:test';

import { parseManifest } from '../../api/manifest.ts';
import type { ProgressMessage } from '../../trainer/launch/messages.ts';
import type { RankContext } from '../../trainer/rank/context.ts';
import { LinearProgress } from '../../trainer/rank/linear-progress.ts';
import { tinyRun } from './fixtures/tiny-run.ts';

test('progress of linear evaluation counts what this process did, without validation', () => {
  let now = 1000;
  const told: ProgressMessage[] = [];
  const context = {
    run: parseManifest(JSON.stringify(tinyRun({ storage: 'nowhere' })), 'the tiny run'),
    clock: () => now,
    progressInterval: 250,
    send: (message: ProgressMessage) => told.push(message),
  } as unknown as RankContext;
  const progress = new LinearProgress(context, 11);
  const step = (number: number, at: number): void => {
    now = at;
    progress.afterStep({
      epoch: 1,
      step: number,
      loss: 2,
      learningRate: 0.5,
      images: 30,
      trainTop1: 50,
      trainTop5: 80,
      milliseconds: { data: 10, step: 20 },
    });
  };
  // Resumed in the middle of epoch 1.
  step(6, 1100);
  step(7, 1300);
  now = 9000;
  progress.afterEpoch({ epoch: 1, loss: 1, learningRate: 0.5, top1: 40, top5: 90 });
  const seconds = { data: 0.02, step: 0.04, evaluation: 0, checkpoint: 0 };
  const common = { type: 'progress', stage: 'linear', epoch: 1, epochs: 3, totalSteps: 33, learningRate: 0.5 } as const;
  assert.deepEqual(told, [
    { ...common, step: 18, loss: 2, trainTop1: 50, trainTop5: 80, samplesPerSecond: 200, seconds, epochEnd: false },
    { ...common, step: 22, loss: 1, top1: 40, top5: 90, samplesPerSecond: 200, seconds, epochEnd: true },
  ]);
});
