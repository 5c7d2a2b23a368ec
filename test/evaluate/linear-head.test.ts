import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { classify, headStep, headSums, initialHead } from '../../trainer/evaluate/linear-head.ts';
import { CounterRandom } from '../../trainer/random.ts';
import { Runtime } from '../../trainer/tensorflow/runtime.ts';
import { tf, type Tensor } from '../../trainer/tensorflow/tfjs.ts';
import { close, normals } from './support.ts';

const runtime = Runtime.open({ threads: 1 });
after(() => runtime.close());

interface Problem {
  readonly features: Float32Array;
  readonly labels: Int32Array;
  readonly mask: Float32Array;
  readonly weight: Float32Array;
  readonly bias: Float32Array;
}

/** Float64 softmax cross-entropy: sums, and gradients of the mean loss. */
function reference(p: Problem) {
  const classes = p.bias.length;
  const rows = p.labels.length;
  const d = p.features.length / rows;
  const sums = [0, 0, 0, 0];
  const dWeight = new Float64Array(p.weight.length);
  const dBias = new Float64Array(classes);
  for (let n = 0; n < rows; n++) {
    if (p.mask[n] === 0) continue;
    const x = p.features.subarray(n * d, (n + 1) * d);
    const logits = [...p.bias].map((b, c) => x.reduce((sum, v, j) => sum + v * p.weight[j * classes + c]!, b));
    const total = logits.reduce((sum, l) => sum + Math.exp(l), 0);
    const label = p.labels[n]!;
    const place = logits.filter((l, c) => l > logits[label]! || (l === logits[label]! && c < label)).length;
    sums[headSums.loss]! += Math.log(total) - logits[label]!;
    sums[headSums.top1]! += Number(place < 1);
    sums[headSums.top5]! += Number(place < 5);
    sums[headSums.count]! += 1;
    logits.forEach((l, c) => {
      const slope = Math.exp(l) / total - Number(c === label);
      dBias[c]! += slope;
      x.forEach((v, j) => (dWeight[j * classes + c]! += slope * v));
    });
  }
  const count = sums[headSums.count]!;
  return { sums, dWeight: dWeight.map((g) => g / count), dBias: dBias.map((g) => g / count) };
}

async function inGraph(p: Problem, body: (t: Record<keyof Problem, Tensor>) => Tensor[]): Promise<Float32Array[]> {
  const rows = p.labels.length;
  const classes = p.bias.length;
  const inputs = runtime.tensors([
    { spec: { dtype: 'float32', shape: [rows, p.features.length / rows] }, bytes: p.features },
    { spec: { dtype: 'int32', shape: [rows] }, bytes: p.labels },
    { spec: { dtype: 'float32', shape: [rows] }, bytes: p.mask },
    { spec: { dtype: 'float32', shape: [p.weight.length / classes, classes] }, bytes: p.weight },
    { spec: { dtype: 'float32', shape: [classes] }, bytes: p.bias },
  ]);
  const traced = runtime.trace('test_head', [inputs.specs], ([features, labels, mask, weight, bias]) => [
    body({ features: features!, labels: labels!, mask: mask!, weight: weight!, bias: bias! }),
  ]);
  const [outputs] = await traced.call([inputs]);
  traced.dispose();
  return Promise.all(Array.from({ length: outputs!.length }, (_, i) => outputs!.readFloats(i)));
}

function problem(seed: number, { rows = 7, d = 5, classes = 8 } = {}): Problem {
  const random = new CounterRandom(seed);
  return {
    features: normals(random, rows * d),
    labels: Int32Array.from({ length: rows }, () => random.integer(classes)),
    mask: new Float32Array(rows).fill(1),
    weight: normals(random, d * classes, 0.5),
    bias: normals(random, classes, 0.5),
  };
}

/** With two more rows that must not count. */
function padded(p: Problem): Problem {
  const d = p.features.length / p.labels.length;
  return {
    ...p,
    features: Float32Array.of(...p.features, ...new Float32Array(2 * d).fill(100)),
    labels: Int32Array.of(...p.labels, -1, 0),
    mask: Float32Array.of(...p.mask, 0, 0),
  };
}

function assertNear(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance = 1e-5): void {
  assert.equal(actual.length, expected.length);
  for (let i = 0; i < actual.length; i++) {
    assert.ok(close(actual[i]!, expected[i]!, tolerance), `[${i}]: ${actual[i]} for ${expected[i]}`);
  }
}

test('the classifier starts at N(0, 0.01) with a zero bias, the same for the same seed', () => {
  const { weight, bias } = initialHead(200, 100, new CounterRandom(1));
  const mean = weight.reduce((a, b) => a + b, 0) / weight.length;
  const std = Math.sqrt(weight.reduce((sum, w) => sum + (w - mean) ** 2, 0) / weight.length);
  assert.ok(close(mean, 0, 3e-4) && close(std, 0.01, 3e-4));
  assert.deepEqual(bias, new Float32Array(100));
  assert.deepEqual(initialHead(200, 100, new CounterRandom(1)).weight, weight);
});

test('loss and hits follow a float64 reference, and padding changes nothing', async () => {
  for (let seed = 0; seed < 10; seed++) {
    const p = problem(seed);
    const expected = reference(p).sums;
    for (const q of [p, padded(p)]) {
      const [sums] = await inGraph(q, (t) => [classify(t, t.weight, t.bias).sums]);
      assertNear(sums!, expected, 1e-4);
    }
  }
});

test('with fewer than five classes the right one is always among the first five', async () => {
  const p = problem(3, { classes: 3 });
  const [sums] = await inGraph(p, (t) => [classify(t, t.weight, t.bias).sums]);
  assert.equal(sums![headSums.top5], p.labels.length);
});

test('of equal logits the lower class counts as the first', async () => {
  const p = { ...problem(0, { rows: 8, classes: 8 }), weight: new Float32Array(40), bias: new Float32Array(8) };
  const [sums] = await inGraph({ ...p, labels: Int32Array.from({ length: 8 }, (_, i) => i) }, (t) => [
    classify(t, t.weight, t.bias).sums,
  ]);
  assertNear(sums!, [8 * Math.log(8), 1, 5, 8]);
});

test('logits of a thousand neither overflow nor lose the loss', async () => {
  const p = { ...problem(0, { rows: 1, d: 1, classes: 2 }), features: Float32Array.of(1), bias: new Float32Array(2) };
  const weight = Float32Array.of(1000, -1000);
  const [sums] = await inGraph({ ...p, labels: Int32Array.of(1), weight }, (t) => [classify(t, t.weight, t.bias).sums]);
  assertNear(sums!, [2000, 0, 1, 1]);
});

test('a step moves by the gradient of the mean loss over the images that the mask shows', async () => {
  for (let seed = 0; seed < 5; seed++) {
    const p = problem(seed);
    const { dWeight, dBias } = reference(p);
    const rate = 0.5;
    for (const q of [p, padded(p)]) {
      const [weight, bias] = await inGraph(q, (t) => {
        const head = [t.weight, t.bias] as const;
        const scalar = tf.scalar(rate);
        const momenta = [tf.zerosLike(t.weight), tf.zerosLike(t.bias)] as const;
        const step = { ...t, head, momenta, learningRate: scalar, signal: scalar };
        return headStep(step, { optimizer: 'sgd', momentum: 0.9, weightDecay: 0 }).parameters;
      });
      assertNear(
        weight!,
        dWeight.map((g, i) => p.weight[i]! - rate * g),
        1e-6,
      );
      assertNear(
        bias!,
        dBias.map((g, i) => p.bias[i]! - rate * g),
        1e-6,
      );
    }
  }
});
