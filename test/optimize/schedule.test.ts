import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  constantLearningRateAt,
  cosineLearningRate,
  learningRateAt,
  scaledLearningRate,
} from '../../trainer/optimize/schedule.ts';

test('the base learning rate is that of a batch of 256', () => {
  assert.equal(scaledLearningRate(0.05, 256), 0.05);
  assert.equal(scaledLearningRate(0.05, 512), 0.1);
  assert.equal(scaledLearningRate(0.1, 4096), 1.6);
});

test('the cosine begins at the initial rate, halves in the middle and does not reach zero in the last epoch', () => {
  assert.equal(cosineLearningRate(0.1, 0, 100), 0.1);
  assert.ok(Math.abs(cosineLearningRate(0.1, 50, 100) - 0.05) < 1e-15);
  assert.ok(Math.abs(cosineLearningRate(0.1, 25, 100) - 0.05 * (1 + Math.SQRT1_2)) < 1e-15);
  const last = cosineLearningRate(0.1, 99, 100);
  assert.ok(last > 0 && last < 0.0001);
});

test('warm-up grows with each step to the initial rate, and the cosine goes over the epochs after it', () => {
  const plain = { learningRate: 0.05, batchSize: 512, epochs: 90 };
  const warm = { ...plain, epochs: 100, warmupEpochs: 10 };
  assert.equal(learningRateAt(warm, 0, 1 / 4), 0.1 / 40);
  assert.equal(learningRateAt(warm, 9, 1), 0.1);
  for (const epoch of [0, 1, 45, 89])
    assert.equal(learningRateAt(warm, 10 + epoch, 0.5), learningRateAt(plain, epoch, 0.5));
  assert.equal(learningRateAt(plain, 45, 0.5), cosineLearningRate(0.1, 45, 90));
  assert.equal(constantLearningRateAt(warm, 4, 0.5), learningRateAt(warm, 4, 0.5));
  assert.equal(constantLearningRateAt(warm, 60, 0.5), 0.1);
});
