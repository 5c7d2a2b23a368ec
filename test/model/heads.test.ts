import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { ablationSchema } from '../../api/ablation.ts';
import type { AblationSpec } from '../../api/run.ts';
import { predictionHead, projectionHead } from '../../trainer/model/heads.ts';

const width = 7;
const names = (ablation: Partial<AblationSpec>, projectorLayers: 2 | 3 = 3): string[] => {
  const spec = { dim: 5, predictorDim: 3, projectorLayers, ablation: ablationSchema.parse(ablation) };
  return [projectionHead('fc.', width, spec), predictionHead('predictor.', spec)]
    .flatMap(({ entries }) => entries)
    .filter(({ role }) => role === 'trainable' || role === 'frozen')
    .map(({ name, shape, role }) => `${name} ${shape.join('×')}${role === 'frozen' ? ' frozen' : ''}`);
};

const projector = [
  ...['fc.0.weight 7×7', 'fc.1.weight 7', 'fc.1.bias 7'],
  ...['fc.3.weight 7×7', 'fc.4.weight 7', 'fc.4.bias 7'],
];
const hiddenOfPredictor = ['predictor.0.weight 3×5', 'predictor.1.weight 3', 'predictor.1.bias 3'];
const predictor = [...hiddenOfPredictor, 'predictor.3.weight 5×3', 'predictor.3.bias 5'];
const output = ['fc.6.weight 5×7', 'fc.6.bias 5 frozen'];

describe('the heads', () => {
  test('by default: batch norm everywhere but at the output of the predictor', () => {
    assert.deepEqual(names({}), [...projector, ...output, ...predictor]);
  });

  test('with two layers in the projector', () => {
    assert.deepEqual(names({}, 2).slice(0, 5), [...projector.slice(0, 3), 'fc.3.weight 5×7', 'fc.3.bias 5 frozen']);
  });

  test('with batch norm in hidden layers only, the projector ends with a trained bias', () => {
    assert.deepEqual(names({ headBatchNorm: 'hidden' }), [
      ...projector,
      ...['fc.6.weight 5×7', 'fc.6.bias 5'],
      ...predictor,
    ]);
  });

  test('without batch norm every layer has a bias instead', () => {
    assert.deepEqual(names({ headBatchNorm: 'none' }), [
      ...['fc.0.weight 7×7', 'fc.0.bias 7', 'fc.3.weight 7×7', 'fc.3.bias 7', 'fc.6.weight 5×7', 'fc.6.bias 5'],
      ...['predictor.0.weight 3×5', 'predictor.0.bias 3', 'predictor.3.weight 5×3', 'predictor.3.bias 5'],
    ]);
  });

  test('with batch norm everywhere, the output of the predictor has one too, and no bias in front', () => {
    assert.deepEqual(names({ headBatchNorm: 'all' }), [
      ...[...projector, ...output, ...hiddenOfPredictor],
      ...['predictor.3.weight 5×3', 'predictor.4.weight 5', 'predictor.4.bias 5'],
    ]);
  });

  test('a fixed random predictor has the same entries, and none of them is trained', () => {
    assert.deepEqual(names({ predictor: 'fixedRandom' }), [
      ...[...projector, ...output],
      ...predictor.map((name) => `${name} frozen`),
    ]);
  });

  test('without a predictor there are none', () => {
    assert.deepEqual(names({ predictor: 'none' }), [...projector, ...output]);
  });
});
