import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';

import { openDataset } from '../../trainer/data/dataset.ts';
import { epochOf } from './loaders.ts';

/** A folder with CIFAR-10 as tar shards (train-000 … 007, val-000 and 001) and classes.txt. */
const folder = process.env['SIMSIAM_CIFAR10'] ?? '';

test(
  'CIFAR-10 shards open with names and give a batch',
  { skip: folder === '' && 'SIMSIAM_CIFAR10 is not set' },
  async (t) => {
    const train = await openDataset(join(folder, 'train-{000..007}.tar'));
    const val = await openDataset(join(folder, 'val-{000..001}.tar'), { classes: train.classes });
    t.after(() => Promise.all([train.close(), val.close()]));
    assert.equal(train.classes.length, 10);
    assert.equal(train.classes[0], 'airplane');
    assert.deepEqual([...train.warnings, ...val.warnings], []);
    const labels = new Set(Array.from({ length: val.size }, (_, i) => val.label(i)));
    assert.equal(labels.size, 10);
    const steps = Math.floor(train.size / 512);
    const [last] = await epochOf(train, { batchSize: 512, imageSize: 32, threads: 2 }, { fromStep: steps - 1 });
    assert.equal(new Set(last?.indices).size, 512);
  },
);
