import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { rawPixels } from '../../trainer/evaluate/extractor.ts';
import { extractFeatures } from '../../trainer/evaluate/features.ts';
import { CounterRandom } from '../../trainer/random.ts';
import { Runtime } from '../../trainer/tensorflow/runtime.ts';
import { close, imageOf, imageSize, loader, lookup, normals } from './support.ts';

const runtime = Runtime.open({ threads: 1 });
after(() => runtime.close());

const size = 11;
const dimension = 3;
const batchSize = 4;
const shape = { batchSize, imageSize };
const table = normals(new CounterRandom(1), size * dimension);
const labelOf = (index: number): number => (index * 7) % 5;

test('features come in the order of the data set, whatever the order of the loader, without padding', async () => {
  const order = new CounterRandom(2).permutation(size);
  for (const of of ['all', 'own'] as const) {
    const extractor = lookup(runtime, table, dimension);
    const found = await extractFeatures({
      runtime,
      extractor,
      loader: loader(order, labelOf, { batchSize }),
      shape,
      of,
    });
    assert.equal(found.size, size);
    assert.deepEqual(found.features, table);
    assert.deepEqual(
      found.labels,
      Int32Array.from({ length: size }, (_, i) => labelOf(i)),
    );
    assert.deepEqual(
      found.indices,
      Int32Array.from({ length: size }, (_, i) => i),
    );
  }
});

test('a part of a data set keeps its places', async () => {
  const extractor = lookup(runtime, table, dimension);
  const part = loader([9, 2, 5], labelOf, { batchSize });
  const found = await extractFeatures({ runtime, extractor, loader: part, shape, of: 'all' });
  assert.deepEqual(found.indices, Int32Array.of(2, 5, 9));
  assert.deepEqual(found.features.subarray(3, 6), table.subarray(15, 18));
});

test('places beyond what float32 counts are exact', async () => {
  const extractor = lookup(runtime, table, dimension);
  const far = [2 ** 24 + 1, 2 ** 24, 2 ** 31 - 1, 65_535];
  const part = async function* () {
    for await (const batch of loader([3, 1, 4, 2], labelOf, { batchSize }))
      yield { ...batch, indices: Int32Array.from(far) };
  };
  const found = await extractFeatures({ runtime, extractor, loader: part(), shape, of: 'all' });
  assert.deepEqual([...found.indices], [65_535, 2 ** 24, 2 ** 24 + 1, 2 ** 31 - 1]);
  assert.deepEqual([...found.labels], [2, 1, 3, 4].map(labelOf));
});

test('an empty loader gives no features', async () => {
  const extractor = lookup(runtime, table, dimension);
  const found = await extractFeatures({
    runtime,
    extractor,
    loader: loader([], labelOf, { batchSize }),
    shape,
    of: 'own',
  });
  assert.deepEqual([found.size, found.features.length], [0, 0]);
});

test('raw pixels are in [0, 1], normalised by channel and flattened', async () => {
  const normalize = { mean: [0.5, 0.25, 0], std: [0.5, 0.25, 2] };
  const extractor = rawPixels(runtime, { imageSize, normalize });
  assert.equal(extractor.dimension, 12);
  const found = await extractFeatures({
    runtime,
    extractor,
    loader: loader([300], labelOf, { batchSize }),
    shape,
    of: 'own',
  });
  const expected = [...imageOf(300)].map((byte, i) => (byte / 255 - normalize.mean[i % 3]!) / normalize.std[i % 3]!);
  expected.forEach((value, i) => assert.ok(close(found.features[i]!, value, 1e-6)));
});

test('what is measured again is not traced again', async (context) => {
  const trace = context.mock.method(runtime, 'trace');
  const counts: number[] = [];
  for (let epoch = 0; epoch < 3; epoch++) {
    const extractor = lookup(runtime, table, dimension, 'again');
    await extractFeatures({ runtime, extractor, loader: loader([1], labelOf, { batchSize }), shape, of: 'all' });
    counts.push(trace.mock.callCount());
  }
  assert.deepEqual(counts, [1, 1, 1]);
});
