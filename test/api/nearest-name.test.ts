import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearestName } from '../../api/nearest-name.ts';

const names = ['batchSize', 'epochs', 'dim', 'predictorDim', 'momentum'];

for (const [written, meant] of [
  ['batch_size', 'batchSize'],
  ['BatchSize', 'batchSize'],
  ['bacthSize', 'batchSize'],
  ['epoch', 'epochs'],
  ['Dim', 'dim'],
  ['predDim', undefined],
  ['predictorDims', 'predictorDim'],
  ['zzz', undefined],
  ['', undefined],
] as const) {
  test(`${JSON.stringify(written)} was meant to be ${meant ?? 'none of them'}`, () => {
    assert.equal(nearestName(written, names), meant);
  });
}
