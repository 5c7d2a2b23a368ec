import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';

import { pretrainSchema } from '../../api/pretrain.ts';
import { simSiam } from '../../trainer/model/simsiam.ts';
import { InitFromError } from '../../trainer/pretrain/errors.ts';
import { valuesToStartFrom } from '../../trainer/pretrain/init-from.ts';
import { described, expected, fixtures } from '../interchange/fixtures.ts';

const file = join(fixtures, 'pretrain.pth.tar');
const network = { arch: 'resnet18', width: 1, dim: 4, predictorDim: 2 } as const;

test('resumeFrom has the momenta of the file, initFrom has none', async () => {
  const spec = pretrainSchema.parse({ ...network, resumeFrom: file });
  const { entries } = simSiam(spec);
  const resumed = await valuesToStartFrom(spec, entries);
  assert.equal(resumed!.epoch, 3);
  const initFrom = await valuesToStartFrom(pretrainSchema.parse({ ...network, initFrom: file }), entries);
  assert.equal(initFrom!.epoch, undefined);
  for (const [name, bytes] of resumed!.values.momenta) {
    const { dtype, shape, sha256 } = expected.pretrain.momenta[name]!;
    assert.deepEqual(described('F32', shape, bytes), { dtype, shape, sha256 }, name);
    assert.ok(initFrom!.values.momenta.get(name)!.every((byte) => byte === 0));
  }
});

test('what can not be read is said with its field', async () => {
  for (const [from, message] of [
    ['nowhere.pth.tar', /spec\.pretrain\.initFrom: nowhere\.pth\.tar.*can't be read/],
    ['s3://bucket/x', /s3:\/\/ is not supported/],
    ['package.json', /package\.json: give a \.pth\.tar/],
  ] as const) {
    const spec = pretrainSchema.parse({ ...network, initFrom: from });
    await assert.rejects(valuesToStartFrom(spec, simSiam(spec).entries), (error: unknown) => {
      return error instanceof InitFromError && message.test(error.message);
    });
  }
});
