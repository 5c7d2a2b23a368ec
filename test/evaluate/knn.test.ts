import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { fc } from '../support/property.ts';

import type { FeatureSet } from '../../trainer/evaluate/features.ts';
import { knnAccuracy, knnPredictions } from '../../trainer/evaluate/knn.ts';
import { CounterRandom } from '../../trainer/random.ts';
import { Runtime } from '../../trainer/tensorflow/runtime.ts';
import { normals } from './support.ts';

const runtime = Runtime.open({ threads: 1 });
after(() => runtime.close());

function featureSet(features: Float32Array, dimension: number, labels: ArrayLike<number>): FeatureSet {
  const size = features.length / dimension;
  const indices = Int32Array.from({ length: size }, (_, i) => i);
  return { size, dimension, features, labels: Int32Array.from(labels), indices };
}

interface Task {
  readonly bank: FeatureSet;
  readonly queries: FeatureSet;
  readonly classes: number;
  readonly k: number;
  readonly temperature: number;
}

/** Sums the votes of each class over all neighbours, in float64. */
function bruteForce({ bank, queries, classes, k, temperature }: Task): number[] {
  const unit = (set: FeatureSet, i: number): number[] => {
    const row = [...set.features.subarray(i * set.dimension, (i + 1) * set.dimension)];
    const length = Math.hypot(...row);
    return row.map((x) => (length === 0 ? 0 : x / length));
  };
  return Array.from({ length: queries.size }, (_, q) => {
    const query = unit(queries, q);
    const near = Array.from({ length: bank.size }, (_, i) => ({
      similarity: unit(bank, i).reduce((sum, x, j) => sum + x * query[j]!, 0),
      label: bank.labels[i]!,
    }));
    near.sort((a, b) => b.similarity - a.similarity);
    const votes = Array.from({ length: classes }, () => 0);
    for (const { similarity, label } of near.slice(0, k)) votes[label]! += Math.exp(similarity / temperature);
    return votes.indexOf(Math.max(...votes));
  });
}

function randomTask(
  seed: number,
  o: { bank: number; queries: number; dimension: number; k: number; temperature: number },
): Task {
  const random = new CounterRandom(seed);
  const classes = 5;
  const labels = (n: number): Int32Array => Int32Array.from({ length: n }, () => random.integer(classes));
  return {
    bank: featureSet(normals(random, o.bank * o.dimension), o.dimension, labels(o.bank)),
    queries: featureSet(normals(random, o.queries * o.dimension, 3), o.dimension, labels(o.queries)),
    classes,
    k: o.k,
    temperature: o.temperature,
  };
}

test('predictions are those of a brute-force search, in chunks of any size', async () => {
  const shape = fc.record({
    bank: fc.integer({ min: 1, max: 40 }),
    queries: fc.integer({ min: 1, max: 12 }),
    dimension: fc.integer({ min: 2, max: 6 }),
    k: fc.integer({ min: 1, max: 50 }),
    temperature: fc.constantFrom(0.07, 0.1, 1),
  });
  await fc.assert(
    fc.asyncProperty(fc.nat(1000), shape, fc.integer({ min: 1, max: 13 }), async (seed, o, chunk) => {
      const task = randomTask(seed, o);
      assert.deepEqual([...(await knnPredictions({ runtime, ...task, chunk }, task.queries))], bruteForce(task));
    }),
    { numRuns: 25 },
  );
});

test('of equally near neighbours those earlier in the bank are taken', async () => {
  const bank = featureSet(Float32Array.of(1, 0, 2, 0, 3, 0, 0, 1), 2, [2, 1, 1, 0]);
  const queries = featureSet(Float32Array.of(5, 0), 2, [2]);
  const options = { runtime, bank, classes: 3, temperature: 0.1 };
  assert.deepEqual(await knnPredictions({ ...options, k: 1 }, queries), Int32Array.of(2));
  assert.deepEqual(await knnPredictions({ ...options, k: 2 }, queries), Int32Array.of(1)); // a tie of votes: the lower class
});

test('accuracy is in percent of the labelled queries', async () => {
  const bank = featureSet(Float32Array.of(1, 0, 0, 1), 2, [0, 1]);
  const queries = featureSet(Float32Array.of(1, 0.1, 0.1, 1, 1, 0.2, 3, 0), 2, [0, 1, 1, -1]);
  const options = { runtime, bank, classes: 2, k: 200, temperature: 0.1 };
  assert.deepEqual(await knnAccuracy(options, queries), { top1: 200 / 3, queries: 3 });
});

test('nothing to ask, or nobody to ask, is no error', async () => {
  const bank = featureSet(Float32Array.of(1, 0), 2, [0]);
  const none = featureSet(new Float32Array(0), 2, []);
  const options = { runtime, classes: 2, k: 1, temperature: 0.1 };
  assert.deepEqual(await knnAccuracy({ ...options, bank }, none), { top1: 0, queries: 0 });
  assert.deepEqual(await knnAccuracy({ ...options, bank: none }, bank), { top1: 0, queries: 1 });
});
