import assert from 'node:assert/strict';
import { test } from 'node:test';

import { modelTable } from '../../cli/commands/model.ts';
import type { ModelDescription } from '../../trainer/model/describe.ts';
import { simsiam } from './fixtures/processes.ts';

test('model --json: arch, counts, and layers by their names in PyTorch', async () => {
  const { code, stdout, stderr } = await simsiam('model', '--arch', 'resnet18', '--json');
  assert.deepEqual([code, stderr], [0, '']);
  const { arch, parameters, layers } = JSON.parse(stdout) as ModelDescription;
  assert.equal(arch, 'resnet18');
  assert.deepEqual(layers[0], { name: 'encoder.conv1.weight', shape: [64, 3, 7, 7], trainable: true });
  const elements = (counted: typeof layers): number =>
    counted.reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0);
  assert.equal(elements(layers), parameters.total);
  assert.equal(elements(layers.filter(({ trainable }) => trainable)), parameters.trainable);
});

test('for people: a line a parameter, then the totals', () => {
  const layers = [
    { name: 'a.weight', shape: [2, 3], trainable: true },
    { name: 'b', shape: [1200], trainable: false },
  ];
  assert.equal(
    modelTable({ arch: 'resnet18', parameters: { total: 1206, trainable: 6 }, layers }),
    'a.weight  2×3\nb         1200  frozen\n\nresnet18: 1,206 parameters, 6 of them trainable\n',
  );
});
