import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';

import type { FeatureSet } from '../../trainer/evaluate/features.ts';
import { ridgePredictions, ridgeProbe } from '../../trainer/evaluate/ridge-probe.ts';
import { CounterRandom } from '../../trainer/random.ts';
import { Runtime } from '../../trainer/tensorflow/runtime.ts';

const runtime = Runtime.open({ threads: 1 });
after(() => runtime.close());

const [classes, dimension] = [3, 4];

function featureSet(features: Float32Array, labels: ArrayLike<number>): FeatureSet {
  const size = labels.length;
  return {
    size,
    dimension,
    features,
    labels: Int32Array.from(labels),
    indices: Int32Array.from({ length: size }, (_, i) => i),
  };
}

/** Points around three corners that no line through the origin tells apart: far away, and of one direction. */
function points(seed: number, size: number, spread: number): FeatureSet {
  const random = new CounterRandom(seed);
  const features = new Float32Array(size * dimension);
  random.fillNormal(features, spread);
  const labels = Array.from({ length: size }, (_, i) => i % classes);
  labels.forEach((label, i) => {
    for (let d = 0; d < dimension; d++) features[i * dimension + d]! += 100;
    features[i * dimension + label]! += 3;
  });
  return featureSet(features, labels);
}

/** Ridge regression by Gauss's elimination in float64, row by row as the formula has it. */
function reference(bank: FeatureSet, queries: FeatureSet): number[] {
  const rows = [...bank.labels.keys()].filter((i) => bank.labels[i]! >= 0);
  const n = rows.length;
  const x = (i: number, d: number): number => bank.features[i * dimension + d]!;
  const mean = Array.from({ length: dimension }, (_, d) => rows.reduce((sum, i) => sum + x(i, d), 0) / n);
  const prior = Array.from({ length: classes }, (_, c) => rows.filter((i) => bank.labels[i] === c).length / n);
  const covariance = mean.map((_, a) =>
    mean.map((_, b) => rows.reduce((sum, i) => sum + (x(i, a) - mean[a]!) * (x(i, b) - mean[b]!), 0) / n),
  );
  const ridge = (1e-3 * covariance.reduce((sum, row, d) => sum + row[d]!, 0)) / dimension;
  const system = covariance.map((row, a) => [
    ...row.map((value, b) => value + (a === b ? ridge : 0)),
    ...prior.map(
      (p, c) => rows.reduce((sum, i) => sum + (x(i, a) - mean[a]!) * ((bank.labels[i] === c ? 1 : 0) - p), 0) / n,
    ),
  ]);
  for (let a = 0; a < dimension; a++) {
    const pivot = system[a]![a]!;
    system[a] = system[a]!.map((value) => value / pivot);
    for (let b = 0; b < dimension; b++) {
      if (b === a) continue;
      const factor = system[b]![a]!;
      system[b] = system[b]!.map((value, j) => value - factor * system[a]![j]!);
    }
  }
  return Array.from({ length: queries.size }, (_, q) => {
    const scores = prior.map((p, c) =>
      mean.reduce((sum, m, d) => sum + (queries.features[q * dimension + d]! - m) * system[d]![dimension + c]!, p),
    );
    return scores.indexOf(Math.max(...scores));
  });
}

describe('the ridge probe', () => {
  test('predicts what the formula says, over more rows than one chunk, and leaves out those without a class', async () => {
    const bank = points(1, 1500, 1.5);
    const unlabelled = { ...bank, labels: bank.labels.map((label, i) => (i % 7 === 0 ? -1 : label)) };
    const queries = points(2, 300, 1.5);
    for (const each of [bank, unlabelled]) {
      const predictions = [...(await ridgePredictions({ runtime, bank: each, classes }, queries))];
      const expected = reference(each, queries);
      const differing = predictions.filter((prediction, i) => prediction !== expected[i]).length;
      // Scores in float32 decide a tie otherwise now and then.
      assert.ok(differing <= 1, `${differing} of ${predictions.length} differ`);
    }
  });

  test('tells apart what a line can, and counts labelled queries only', async () => {
    const queries = points(4, 90, 0.3);
    const labels = queries.labels.map((label, i) => (i < 30 ? -1 : i < 60 ? label : (label + 1) % classes));
    const options = { runtime, bank: points(3, 300, 0.3), classes };
    assert.equal(await ridgeProbe(options, queries), 100);
    assert.equal(await ridgeProbe(options, { ...queries, labels }), 50);
  });

  test('of constant features it gives the commonest class, and no NaN', async () => {
    const bank = featureSet(new Float32Array(10 * dimension).fill(2), [0, 1, 1, 1, 1, 1, 2, 2, 0, 2]);
    assert.deepEqual(
      [...(await ridgePredictions({ runtime, bank, classes }, bank))],
      Array.from({ length: 10 }, () => 1),
    );
  });
});
