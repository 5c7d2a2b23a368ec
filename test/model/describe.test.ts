import assert from 'node:assert/strict';
import { test } from 'node:test';

import { pretrainSchema } from '../../api/pretrain.ts';
import { describeModel } from '../../trainer/model/describe.ts';

/** Trainable parameters of backbone, projector and predictor in the original's code, with its defaults. */
const counts = {
  resnet18: 14_851_648,
  resnet34: 24_959_808,
  resnet50: 38_199_360,
  resnet101: 57_191_488,
  resnet152: 72_835_136,
} as const;

for (const [arch, trainable] of Object.entries(counts)) {
  test(`${arch} has the original's trainable parameters`, () => {
    assert.equal(describeModel(pretrainSchema.parse({ arch })).parameters.trainable, trainable);
  });
}
