import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { effectiveRankSamples, measureEffectiveRank, rankOfSpectrum } from '../../trainer/evaluate/effective-rank.ts';
import { CounterRandom } from '../../trainer/random.ts';
import { Runtime } from '../../trainer/tensorflow/runtime.ts';
import { close, imageSize, loader, lookup, normals } from './support.ts';

const runtime = Runtime.open({ threads: 1 });
after(() => runtime.close());

const batchSize = 8;

async function measure(z: Float32Array, dimension: number) {
  const extractor = lookup(runtime, z, dimension);
  const order = Array.from({ length: z.length / dimension }, (_, i) => i);
  return measureEffectiveRank({
    runtime,
    extractor,
    loader: loader(order, () => 0, { batchSize }),
    shape: { batchSize, imageSize },
  });
}

/** The rows of a matrix from its entries. */
function matrix(rows: number, dimension: number, entry: (i: number, j: number) => number): Float32Array {
  return Float32Array.from({ length: rows * dimension }, (_, k) => entry(Math.floor(k / dimension), k % dimension));
}

test('the rank of a spectrum is exp of the entropy of its singular values', () => {
  assert.ok(close(rankOfSpectrum(Float64Array.of(1, 1, 1, 1)), 4, 1e-12));
  assert.equal(rankOfSpectrum(Float64Array.of(0, 0, 9)), 1);
  assert.equal(rankOfSpectrum(Float64Array.of(-1e-17, 1e-18, 9)), 1); // what rounding leaves of zeros
  const [a, b] = [0.75, 0.25]; // singular values 3 and 1
  const expected = Math.exp(-a * Math.log(a) - b * Math.log(b));
  assert.ok(close(rankOfSpectrum(Float64Array.of(9, 1)), expected, 1e-12));
  assert.equal(rankOfSpectrum(new Float64Array(5)), 0);
  assert.ok(Number.isNaN(rankOfSpectrum(Float64Array.of(NaN, 1))));
});

test('orthogonal embeddings have the full rank, and a scale changes nothing', async () => {
  for (const scale of [1, 1e-3, 1e3]) {
    const { effectiveRank, samples, limit } = await measure(
      matrix(24, 6, (i, j) => (i % 6 === j ? scale : 0)),
      6,
    );
    assert.ok(close(effectiveRank, 6, 1e-6), String(effectiveRank));
    assert.deepEqual([samples, limit], [24, 6]);
  }
});

test('embeddings on one line have rank 1, and zero embeddings rank 0', async () => {
  assert.ok(
    close(
      (
        await measure(
          matrix(20, 5, (i, j) => (i - 7) * (j + 1)),
          5,
        )
      ).effectiveRank,
      1,
      1e-4,
    ),
  );
  assert.equal((await measure(new Float32Array(60), 5)).effectiveRank, 0);
});

test('singular values are not centred: a common offset is a direction', async () => {
  const spread = matrix(16, 4, (i, j) => (j === 0 ? 1 : 0) + (j === 1 ? (i % 2 === 0 ? 1 : -1) : 0));
  assert.ok(close((await measure(spread, 4)).effectiveRank, 2, 1e-5)); // singular values 4 and 4
});

test('padding does not count, and fewer samples than dimensions limit the rank', async () => {
  const { effectiveRank, samples, limit } = await measure(
    matrix(3, 10, (i, j) => Number(i === j)),
    10,
  );
  assert.ok(close(effectiveRank, 3, 1e-6), String(effectiveRank));
  assert.deepEqual([samples, limit], [3, 3]);
});

test('small singular values beside a large one are resolved in float64', async () => {
  const small = 1e-6; // its square is 1e-12 of the Gram matrix: lost in float32
  const { effectiveRank } = await measure(
    matrix(6, 2, (i, j) => (i === 0 && j === 0 ? 1 : i === 1 && j === 1 ? small : 0)),
    2,
  );
  const p = [1 / (1 + small), small / (1 + small)];
  assert.ok(
    close(effectiveRank, Math.exp(-p.reduce((sum, x) => sum + x * Math.log(x), 0)), 1e-9),
    String(effectiveRank),
  );
});

test('normal embeddings have nearly the full rank', async () => {
  const { effectiveRank } = await measure(normals(new CounterRandom(1), 256 * 8), 8);
  assert.ok(effectiveRank > 7.9 && effectiveRank <= 8, String(effectiveRank));
});

test('four samples a dimension are measured, or the whole training set', () => {
  assert.equal(effectiveRankSamples(2048, 1_281_167), 8192);
  assert.equal(effectiveRankSamples(2048, 4000), 4000);
});
