import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { fc } from '../support/property.ts';

import { floatTensors } from '../../trainer/evaluate/tensors.ts';
import { lars } from '../../trainer/optimize/lars.ts';
import { sgd, type OptimizerInput, type OptimizerOutput } from '../../trainer/optimize/sgd.ts';
import { Runtime, type TensorList } from '../../trainer/tensorflow/runtime.ts';

const runtime = Runtime.open({ threads: 1 });
after(() => runtime.close());

interface Case {
  readonly parameters: number[][];
  readonly gradients: number[][][]; // by step
  readonly learningRates: number[];
  readonly momentum: number;
  readonly weightDecay: number;
}

/** Some steps of an optimiser in TensorFlow. */
async function run(optimizer: (input: OptimizerInput) => OptimizerOutput, c: Case): Promise<number[][]> {
  const tensors = (values: number[][], scalar = false): TensorList =>
    floatTensors(
      runtime,
      values.map((v) => ({ shape: scalar ? [] : [v.length], values: Float32Array.from(v) })),
    );
  let parameters = tensors(c.parameters);
  let momenta = tensors(c.parameters.map((p) => p.map(() => 0)));
  const rates = tensors(
    c.learningRates.map((r) => [r]),
    true,
  );
  const { momentum, weightDecay } = c;
  const step = runtime.trace(
    `test_${optimizer.name}`,
    [parameters.specs, parameters.specs, parameters.specs, rates.specs],
    (parameters, momenta, gradients, learningRates) => {
      const lists = {
        parameters: parameters,
        momenta: momenta,
        gradients: gradients,
        learningRates: learningRates,
      };
      const updated = optimizer({ ...lists, momentum, weightDecay });
      return [updated.parameters, updated.momenta];
    },
  );
  for (const gradients of c.gradients) {
    [parameters, momenta] = (await step.call([parameters, momenta, tensors(gradients), rates])) as [
      TensorList,
      TensorList,
    ];
  }
  step.dispose();
  return Promise.all(c.parameters.map(async (_, i) => [...(await parameters.readFloats(i))]));
}

/** PyTorch's SGD in float64; `adapt` is what LARC does to a gradient before. */
function reference(c: Case, adapt?: (g: number[], w: number[]) => number[]): number[][] {
  return c.parameters.map((start, i) => {
    let w = start.map(Math.fround);
    let v: number[] | undefined;
    for (const gradients of c.gradients) {
      const raw = gradients[i]!.map(Math.fround);
      const g = adapt ? adapt(raw, w) : raw.map((x, j) => x + c.weightDecay * w[j]!);
      v = v ? v.map((x, j) => c.momentum * x + g[j]!) : g; // the first buffer is the gradient itself
      w = w.map((x, j) => x - c.learningRates[i]! * v![j]!);
    }
    return w;
  });
}

function larc(weightDecay: number): (g: number[], w: number[]) => number[] {
  const norm = (x: number[]): number => Math.sqrt(x.reduce((sum, y) => sum + y * y, 0));
  return (g, w) => {
    if (norm(w) === 0 || norm(g) === 0) return g;
    const rate = (0.001 * norm(w)) / (norm(g) + weightDecay * norm(w) + 1e-8);
    return g.map((x, j) => (x + weightDecay * w[j]!) * rate);
  };
}

const number = fc.integer({ min: -1000, max: 1000 }).map((x) => x / 500);
const anyCase: fc.Arbitrary<Case> = fc
  .array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 3 })
  .chain((sizes) => {
    const like = fc.tuple(...sizes.map((n) => fc.array(number, { minLength: n, maxLength: n })));
    return fc.record({
      parameters: like,
      gradients: fc.array(like, { minLength: 1, maxLength: 4 }),
      learningRates: fc.tuple(...sizes.map(() => fc.constantFrom(0.01, 0.1, 1))),
      momentum: fc.constantFrom(0, 0.5, 0.9),
      weightDecay: fc.constantFrom(0, 1e-4, 0.1),
    });
  });

function assertNear(actual: number[][], expected: number[][]): void {
  actual.forEach((values, i) =>
    values.forEach((value, j) => {
      const wanted = expected[i]![j]!;
      assert.ok(Math.abs(value - wanted) <= 1e-5 * (1 + Math.abs(wanted)), `${value} for ${wanted}`);
    }),
  );
}

test('SGD with momentum and decay follows a float64 reference over several steps, each tensor at its own rate', async () => {
  await fc.assert(
    fc.asyncProperty(anyCase, async (c) => assertNear(await run(sgd, c), reference(c))),
    { numRuns: 25 },
  );
});

test('LARS follows a float64 reference of LARC around SGD over several steps', async () => {
  await fc.assert(
    fc.asyncProperty(anyCase, async (c) => assertNear(await run(lars, c), reference(c, larc(c.weightDecay)))),
    { numRuns: 25 },
  );
});

test('LARS leaves the gradient as it is where a norm is zero: a zero bias makes one step at the full rate', async () => {
  const c = { gradients: [[[0.5, -1]]], learningRates: [0.1], momentum: 0.9, weightDecay: 0.1 };
  assertNear(await run(lars, { ...c, parameters: [[0, 0]] }), [[-0.05, 0.1]]);
  const still = await run(lars, { ...c, parameters: [[2, -3]], gradients: [[[0, 0]]] });
  assert.deepEqual(still, [[2, -3]]); // no gradient: not even decay
});

test('LARS makes the first step in proportion to the weights, whatever the scale of the gradient', async () => {
  const c = { parameters: [[3, 4]], learningRates: [1], momentum: 0.9, weightDecay: 0 };
  for (const scale of [1e-3, 1, 1e3]) {
    assertNear(await run(lars, { ...c, gradients: [[[scale, 0]]] }), [[3 - 0.005, 4]]);
  }
});
