import assert from 'node:assert/strict';
import { test } from 'node:test';

import { pretrainSchema } from '../../api/pretrain.ts';
import { learningRates, planSteps } from '../../trainer/pretrain/progress.ts';

const stepsPerEpoch = 5;
const epochs = 20;
/** A batch of 512 images doubles the base rate: the run begins at 0.1. */
const spec = pretrainSchema.parse({ epochs, batchSize: 512, learningRate: 0.05 });
const ratesOf = (changes: Partial<typeof spec>, step: number): ReturnType<typeof learningRates> => {
  const changed = { ...spec, ...changes };
  return learningRates(changed, planSteps(changed, stepsPerEpoch), step);
};

function assertNear(actual: number, expected: number): void {
  assert.ok(Math.abs(actual - expected) < 1e-15, `${actual} instead of ${expected}`);
}

test('the encoder follows the cosine of its epoch, all steps of an epoch alike', () => {
  for (const [epoch, expected] of [
    [0, 0.1],
    [epochs / 2, 0.05],
    [epochs - 1, 0.05 * (1 + Math.cos((Math.PI * 19) / 20))],
  ] as const)
    for (const step of [epoch * stepsPerEpoch, (epoch + 1) * stepsPerEpoch - 1])
      assertNear(ratesOf({}, step).encoder, expected);
});

test('the predictor keeps the initial rate, by default; otherwise it follows the encoder', () => {
  assert.equal(spec.fixPredictorLearningRate, true);
  for (const epoch of [0, epochs / 2, epochs - 1]) {
    const step = epoch * stepsPerEpoch + 2;
    assert.equal(ratesOf({}, step).predictor, 0.1);
    const { encoder, predictor } = ratesOf({ fixPredictorLearningRate: false }, step);
    assert.equal(predictor, encoder);
    assert.equal(encoder, ratesOf({}, step).encoder);
  }
});

test('in a warm-up both grow with each step, the first one included, up to the initial rate', () => {
  const warmUp = { warmupEpochs: 2 };
  const steps = 2 * stepsPerEpoch;
  for (let step = 0; step < steps; step++) {
    const { encoder, predictor } = ratesOf(warmUp, step);
    assertNear(encoder, (0.1 * (step + 1)) / steps);
    assert.equal(predictor, encoder);
  }
  // Half of the 18 epochs that are left.
  const halfway = ratesOf(warmUp, (2 + 9) * stepsPerEpoch);
  assertNear(halfway.encoder, 0.05);
  assert.equal(halfway.predictor, 0.1);
});

test('maxSteps ends a run early and leaves its rates as they are', () => {
  assert.deepEqual(planSteps(spec, stepsPerEpoch), { stepsPerEpoch, totalSteps: 100 });
  assert.deepEqual(planSteps({ ...spec, maxSteps: 52 }, stepsPerEpoch), { stepsPerEpoch, totalSteps: 52 });
  assert.deepEqual(planSteps({ ...spec, maxSteps: 101 }, stepsPerEpoch), { stepsPerEpoch, totalSteps: 100 });
  for (const step of [0, 27, 51]) assert.deepEqual(ratesOf({ maxSteps: 52 }, step), ratesOf({}, step));
});
