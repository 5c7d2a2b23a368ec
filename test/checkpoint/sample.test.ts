import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { FileStore } from '../../storage/file-store.ts';
import type { Sample } from '../../trainer/checkpoint/sample.ts';
import { readSample, sampleStep, writeSample } from '../../trainer/checkpoint/sample.ts';

const sample: Sample = {
  ...{ step: 24, set: 'val', classes: ['cat', 'dog'], names: ['a/"1".jpg', 'ä.jpg', 'c'] },
  labels: Int32Array.of(1, -1, 0),
  ...{ dimension: 2, features: Float32Array.of(1, 2, 3, 4, 5, 0.1) },
  thumbnails: [Uint8Array.of(1, 2, 3), Uint8Array.of(), Uint8Array.of(4)],
};

describe("a run's sample", () => {
  let folder: string;
  let store: FileStore;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'simsiam-sample-'));
    store = new FileStore(folder);
  });
  after(() => rm(folder, { recursive: true }));

  test('is read as it was written', async () => {
    assert.deepEqual([await readSample(store), await sampleStep(store)], [undefined, undefined]);
    await writeSample(store, sample);
    assert.deepEqual([await readSample(store), await sampleStep(store)], [sample, 24]);
    const empty: Sample = {
      ...sample,
      names: [],
      labels: new Int32Array(),
      features: new Float32Array(),
      thumbnails: [],
    };
    await writeSample(store, empty);
    assert.deepEqual(await readSample(store), empty);
  });

  test('is refused, and no more than that, where it is none', async () => {
    await writeSample(store, { ...sample, labels: Int32Array.of(2, 0, 0) });
    await assert.rejects(readSample(store), /a label has no class/);
    await writeSample(store, { ...sample, classes: [] });
    await assert.rejects(readSample(store), /a label has no class/);
    await store.put('pretrain/sample.safetensors', Buffer.from('not a sample'));
    await assert.rejects(readSample(store), {
      code: 'CHECKPOINT_DAMAGED',
      message: /pretrain\/sample\.safetensors in .* can't be read/,
    });
    assert.equal(await sampleStep(store), undefined);
  });
});
