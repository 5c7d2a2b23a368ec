import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rules } from '../../api/rules.ts';
import { simSiamRunSchema } from '../../api/run.ts';
import { nodeAt } from '../../api/schema-tree.ts';
import { smallestRun } from './smallest-run.ts';

test('every rule names a field of the spec', () => {
  for (const { field } of rules) assert.ok(nodeAt(['spec', ...field.split('.')]) !== undefined, field);
});

test('every rule is told to the API server, except within augmentation, which CEL cannot see', () => {
  for (const { field, cel } of rules) {
    assert.equal(cel === undefined, field.startsWith('pretrain.augmentation.'), field);
  }
});

test('the smallest run holds every rule', () => {
  const { spec } = simSiamRunSchema.parse(smallestRun);
  for (const { field, holds } of rules) assert.ok(holds(spec), field);
});
