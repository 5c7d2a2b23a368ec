import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { simSiamRunSchema } from '../../api/run.ts';
import { runCost } from '../../trainer/estimate/run-cost.ts';
import { smallestRun } from '../api/smallest-run.ts';

function costOf(changes: object) {
  const spec = { ...smallestRun.spec, ...changes };
  return runCost(simSiamRunSchema.parse({ ...smallestRun, spec }).spec);
}
const near = (actual: number | undefined, expected: number): void =>
  assert.ok(actual !== undefined && Math.abs(actual - expected) < 1e-6 * expected, `${actual} instead of ${expected}`);

describe('what a run costs', () => {
  const one = { workers: 1, gpusPerWorker: 1 };
  const bf16 = { precision: 'bf16', epochs: 10 };

  test('on one GPU: the measured step for each image and epoch', () => {
    const cost = costOf({ ...one, pretrain: bf16, linear: { epochs: 6 } });
    near(cost?.pretrainGpuSeconds, (10 * 0.1471) / 256);
    near(cost?.linearGpuSeconds, 0.1471 / 256);
    assert.deepEqual([cost?.gpus, cost?.efficiency], [1, 1]);
  });

  test('grows with the image, the network and the precision', () => {
    const seconds = (pretrain: object): number =>
      costOf({ ...one, pretrain: { ...bf16, ...pretrain } })!.pretrainGpuSeconds;
    near(seconds({ precision: 'fp32' }), 2 * seconds({}));
    assert.ok(seconds({ imageSize: 448 }) > 3.9 * seconds({}));
    assert.ok(seconds({ arch: 'resnet18' }) < 0.5 * seconds({}));
  });

  test('several GPUs cost more together than one, and more the smaller their batches are', () => {
    const efficiency = (batchSize: number): number =>
      costOf({ workers: 8, gpusPerWorker: 8, pretrain: { ...bf16, batchSize } })!.efficiency;
    assert.ok(efficiency(64 * 256) < 1);
    assert.ok(efficiency(64) < efficiency(64 * 256));
  });

  test('on the CPU nothing is claimed', () => assert.equal(costOf({ gpusPerWorker: 0 }), undefined));
});
