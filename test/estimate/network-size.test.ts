import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { architectures, pretrainSchema } from '../../api/pretrain.ts';
import { trafficOf } from '../../trainer/estimate/figures.ts';
import { networkSize } from '../../trainer/estimate/network-size.ts';
import { simSiam } from '../../trainer/model/simsiam.ts';

/** The same of the network that is trained. */
function counted(input: object) {
  const { entries } = simSiam(pretrainSchema.parse(input));
  const size = (of: readonly string[]): number =>
    entries
      .filter(({ role }) => of.includes(role))
      .reduce((total, { shape }) => total + shape.reduce((product, n) => product * n, 1), 0);
  const means = entries.filter(({ name }) => name.endsWith('.running_mean'));
  const trainable = size(['trainable']);
  return {
    parameters: trainable,
    normLayers: means.length,
    normChannels: means.reduce((total, { shape }) => total + shape[0]!, 0),
    checkpointBytes: 4 * (2 * trainable + size(['statistic'])),
  };
}

describe('the size of a network is that of the one which is trained:', () => {
  const others = { stem: 'cifar', width: 32, dim: 256, predictorDim: 64, projectorLayers: 2 };
  for (const input of [...architectures.map((arch) => ({ arch })), { arch: 'resnet18', ...others }]) {
    test(JSON.stringify(input), () => {
      const { multiplyAdds: _, ...size } = networkSize(pretrainSchema.parse(input));
      const { checkpointBytes } = trafficOf(networkSize(pretrainSchema.parse(input)));
      assert.deepEqual({ ...size, checkpointBytes }, counted(input));
    });
  }
});

test('multiply-adds of a view are those that the papers and torchvision name', () => {
  // He et al. 2015, table 1, and torchvision's GFLOPS of its weights: without the heads.
  for (const [arch, billions] of [
    ['resnet18', 1.81],
    ['resnet34', 3.66],
    ['resnet50', 4.09],
    ['resnet101', 7.8],
    ['resnet152', 11.51],
  ] as const) {
    const heads = { dim: 1, predictorDim: 1, projectorLayers: 2 };
    const { multiplyAdds } = networkSize(pretrainSchema.parse({ arch, ...heads }));
    assert.ok(Math.abs(multiplyAdds / 1e9 - billions) < 0.02, `${arch}: ${multiplyAdds / 1e9}`);
  }
});
