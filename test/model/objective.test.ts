import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';

import { ablationSchema } from '../../api/ablation.ts';
import type { AblationSpec } from '../../api/run.ts';
import { floatTensors } from '../../trainer/evaluate/tensors.ts';
import { objectiveOf } from '../../trainer/model/objective.ts';
import { CounterRandom } from '../../trainer/random.ts';
import { Runtime } from '../../trainer/tensorflow/runtime.ts';
import { tf, type Tensor } from '../../trainer/tensorflow/tfjs.ts';

const [rows, dim] = [6, 5];
const runtime = Runtime.open({ threads: 1 });
after(() => runtime.close());

/** Some views' predictions or projections, [rows, dim] each. */
function draw(count: number, stream: number): Float32Array[] {
  const random = new CounterRandom(3, stream);
  return Array.from({ length: count }, () => {
    const values = new Float32Array(rows * dim);
    random.fillNormal(values, 1);
    return values;
  });
}

const rowsOf = (x: Float32Array): number[][] =>
  Array.from({ length: rows }, (_, i) => [...x.subarray(i * dim, (i + 1) * dim)]);
const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
const softmax = (x: readonly number[]): number[] => {
  const total = x.reduce((sum, value) => sum + Math.exp(value), 0);
  return x.map((value) => Math.exp(value) / total);
};

/** D of one row, as the paper writes it. */
const distances = {
  cosine: (p: readonly number[], z: readonly number[]) => -dot(p, z) / Math.sqrt(dot(p, p) * dot(z, z)),
  crossEntropy: (p: readonly number[], z: readonly number[]) => -dot(softmax(z), softmax(p).map(Math.log)),
} as const;
const pairs = {
  symmetric: [
    [0, 1],
    [1, 0],
  ],
  asymmetric: [[0, 1]],
  asymmetric2x: [
    [0, 1],
    [2, 3],
  ],
} as const;

function expected({ similarity, symmetry }: AblationSpec, p: ReadonlyMap<number, Float32Array>, z: Float32Array[]) {
  const terms = pairs[symmetry].flatMap(([from, to]) => {
    const targets = rowsOf(z[to]!);
    return rowsOf(p.get(from)!).map((row, i) => distances[similarity](row, targets[i]!));
  });
  return terms.reduce((a, b) => a + b, 0) / terms.length;
}

/** The loss, and the gradients of all its inputs. */
async function measured(ablation: AblationSpec, p: Float32Array[], z: Float32Array[]): Promise<Float32Array[]> {
  const objective = objectiveOf(ablation);
  const input = floatTensors(
    runtime,
    [...p, ...z].map((values) => ({ shape: [rows, dim], values })),
  );
  const traced = runtime.trace(`objective_${Object.values(ablation).join('_')}`, [input.specs], (tensors) => {
    // tfjs refuses inputs that the result doesn't depend on, as a target without its pair.
    const connected = (all: Tensor[]): Tensor => tf.mul(tf.addN(all.map((x) => tf.sum(x))), 0);
    const loss = (...all: Tensor[]): Tensor =>
      tf.add(objective.loss(all.slice(0, p.length), all.slice(p.length)), connected(all));
    const { value, grads } = tf.valueAndGrads(loss)(tensors);
    return [[tf.reshape(value, [1]), ...grads]];
  });
  const [outputs] = await traced.call([input]);
  traced.dispose();
  return await Promise.all(Array.from({ length: 1 + tensors(p, z) }, (_, i) => outputs!.readFloats(i)));
}
const tensors = (...lists: readonly (readonly unknown[])[]): number => lists.reduce((n, list) => n + list.length, 0);

describe('the objective', () => {
  for (const similarity of ['cosine', 'crossEntropy'] as const) {
    for (const symmetry of ['symmetric', 'asymmetric', 'asymmetric2x'] as const) {
      test(`${symmetry}, ${similarity}: the paper's formula, and no gradient reaches the targets`, async () => {
        const ablation = ablationSchema.parse({ similarity, symmetry });
        const { views, predicting } = objectiveOf(ablation);
        const [p, z] = [draw(predicting.length, 1), draw(views, 2)];
        const [loss, ...gradients] = await measured(ablation, p, z);
        const byView = new Map(predicting.map((view, i) => [view, p[i]!]));
        assert.ok(Math.abs(loss![0]! - expected(ablation, byView, z)) < 1e-5, `${loss![0]}`);
        const largest = gradients.map((gradient) => Math.max(...gradient.map(Math.abs)));
        assert.ok(
          largest.slice(0, p.length).every((value) => value > 1e-4),
          `gradients of predictions: ${largest.join()}`,
        );
        assert.deepEqual(
          largest.slice(p.length),
          z.map(() => 0),
        );
      });
    }
  }

  test('without the stop-gradient it reaches them', async () => {
    const [p, z] = [draw(2, 1), draw(2, 2)];
    const [, ...gradients] = await measured(ablationSchema.parse({ stopGradient: false }), p, z);
    assert.ok(gradients.every((gradient) => Math.max(...gradient.map(Math.abs)) > 1e-4));
  });
});
