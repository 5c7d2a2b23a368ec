import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { allReduceSeconds, type ClusterFigures, estimateStep } from '../../trainer/estimate/step-model.ts';

const figures: ClusterFigures = {
  secondsPerImage: 0.001,
  backwardShare: 0.5,
  gpusPerNode: 8,
  nodeBandwidth: 100e9,
  networkBandwidth: 10e9,
  latency: { base: 5e-6, intra: 1e-6, inter: 4e-6 },
  bytesPerImage: 100e3,
  storeBandwidth: 100e6,
};
const traffic = { gradientBytes: 100e6, normLayers: 50, normBytes: 0, checkpointBytes: 200e6 };

const near = (actual: number, expected: number): void =>
  assert.ok(Math.abs(actual - expected) < 1e-9, `${actual} instead of ${expected}`);

describe('the model of scale', () => {
  test('one GPU talks to nobody', () => {
    assert.equal(allReduceSeconds(1e9, 1, figures), 0);
    assert.equal(estimateStep(1, 100, traffic, figures).efficiency, 1);
  });

  test('an all-reduce inside a node, and between nodes', () => {
    near(allReduceSeconds(100e6, 8, figures), 5e-6 + 2 * 7e-6 + (2 * 7 * 100e6) / (8 * 100e9));
    near(allReduceSeconds(100e6, 64, figures), 5e-6 + 2 * (7e-6 + 3 * 4e-6) + (2 * 63 * 100e6) / (64 * 10e9));
  });

  test('messages of batch norm count by number; gradients hide behind the backward pass', () => {
    const hidden = estimateStep(64, 100, traffic, figures);
    near(hidden.norm, 100 * (5e-6 + 2 * (7e-6 + 12e-6)));
    assert.equal(hidden.gradients, 0);
    assert.equal(hidden.largestCost, 'batch norm messages');
    const bare = estimateStep(64, 1, traffic, figures);
    near(bare.gradients, allReduceSeconds(100e6, 64, figures) - 0.0005);
    assert.equal(bare.largestCost, 'gradients');
  });
});
