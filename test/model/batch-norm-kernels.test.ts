/** Our kernels for CPUs beside the same in TensorFlow's. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { activated, rectifiedGradient } from '../../trainer/model/layers/elementwise.ts';
import { EPSILON, normalizeWith } from '../../trainer/model/layers/local-batch-norm.ts';
import { sgd } from '../../trainer/optimize/sgd.ts';
import { normalizeGradient, normalizeRows, normalizeSums, rowMoments } from '../../trainer/tensorflow/kernels.ts';
import { cast } from '../../trainer/tensorflow/raw-op.ts';
import { Runtime } from '../../trainer/tensorflow/runtime.ts';
import { tf, type Tensor } from '../../trainer/tensorflow/tfjs.ts';
import { callAndRead, evaluate, float32, noise, toFloats, trace, type Value } from '../tensorflow/support.ts';

type FloatType = 'float32' | 'bfloat16';

/** [x, skip, dy, scale, shift, slope, offset] */
function valuesOf(images: number, side: number, channels: number): Value[] {
  const shape = [images, side, side, channels];
  return [...[1, 2, 3].map((i) => noise(i, ...shape)), ...[4, 5, 6, 7].map((i) => noise(i, channels))];
}

/** The greatest distance over the length of the longer, as vectors. */
function distance(a: readonly number[], b: readonly number[]): number {
  const length = (values: readonly number[]): number => Math.sqrt(values.reduce((sum, x) => sum + x * x, 0));
  return length(a.map((value, i) => value - b[i]!)) / Math.max(length(a), length(b), 1e-6);
}

const kinds = [false, true].flatMap((relu) => [false, true].map((skips) => ({ relu, skips })));

describe("normalising with sum and ReLU agrees with TensorFlow's kernels, forward and backward", () => {
  for (const { relu, skips } of kinds) {
    for (const type of ['float32', 'bfloat16'] as const satisfies FloatType[]) {
      it([type, skips ? 'sum' : '', relu ? 'ReLU' : ''].filter((part) => part !== '').join(', '), async () => {
        for (const [images, side, channels] of [
          [1, 3, 5],
          [3, 7, 16],
          [4, 24, 65],
        ] as const) {
          const outputs = await evaluate(valuesOf(images, side, channels), (...inputs) => {
            const [x, skip, dy] = inputs.slice(0, 3).map((tensor) => cast(tensor, type)) as [Tensor, Tensor, Tensor];
            const [scale, shift, slope, offset] = inputs.slice(3) as [Tensor, Tensor, Tensor, Tensor];
            const by = { scale, shift, ...rowMoments(x) };
            const options = { epsilon: EPSILON, relu };
            const activation = { relu, ...(skips ? { skip } : {}) };
            const normalized = normalizeWith(x, scale, shift, by.mean, by.variance);
            // With the ReLU in the kernels, and with its gradient taken before by what their forward pass gives.
            const through = relu ? rectifiedGradient(dy, normalizeRows(x, by, options)) : dy;
            const plain = { ...options, relu: false };
            const [own, other] = [normalizeSums(dy, x, by, options), normalizeSums(through, x, by, plain)];
            const line = { slope, offset };
            const pairs = [
              [normalizeRows(x, by, options, activation), activated(normalized, activation)],
              [own.dScale, other.dScale],
              [own.dShift, other.dShift],
              [normalizeGradient(dy, x, by, options, line), normalizeGradient(through, x, by, plain, line)],
            ];
            return pairs.flat().map((tensor) => cast(tensor, 'float32'));
          });
          for (let i = 0; i < outputs.length; i += 2) {
            const far = distance(toFloats(outputs[i]!), toFloats(outputs[i + 1]!));
            assert.ok(
              far <= (type === 'float32' ? 1e-6 : 1e-2),
              `output ${i} of ${images}×${side}×${channels}: ${far}`,
            );
          }
        }
      });
    }
  }
});

it('all of it has the same bits with any number of threads', async () => {
  const values = valuesOf(16, 32, 64);
  const fn = trace(
    'one_thread',
    values.map(({ spec }) => spec),
    (x, skip, dy, scale, shift, slope, offset) => {
      const by = { scale: scale, shift: shift, ...rowMoments(x) };
      const options = { epsilon: EPSILON, relu: true };
      const { dScale, dShift } = normalizeSums(dy, x, by, options);
      const dx = normalizeGradient(dy, x, by, options, { slope: slope, offset: offset });
      return [by.mean, by.variance, normalizeRows(x, by, options, { skip }), dScale, dShift, dx];
    },
  );
  const alone = await callAndRead(fn, values);
  const other = Runtime.open({ threads: 4 }); // from now on the kernels have four
  assert.deepEqual(await callAndRead(fn, values), alone);
  other.close();
});

it('a value that is no number stays one through the ReLU', async () => {
  const x = float32([1, Number.NaN, 2, 3], [4, 1, 1, 1]);
  const [y] = await evaluate([x, float32([1]), float32([0])], (x, scale, shift) => {
    const by = { scale: scale, shift: shift, mean: tf.zeros([1]), variance: tf.ones([1]) };
    return [normalizeRows(x, by, { epsilon: EPSILON, relu: true })];
  });
  assert.deepEqual(
    toFloats(y!).map((value) => Number.isNaN(value)),
    [false, true, false, false],
  );
});

it('SGD is v ← 0.9·v + (g + 0.1·w), w ← w − 0.5·v, with no decay as well', async () => {
  const values = [float32([1, -2]), float32([0.5, 1]), float32([0.25, 4]), float32([0.5], [])];
  for (const weightDecay of [0.1, 0]) {
    const outputs = await evaluate(values, (w, v, g, rate) => {
      const { parameters, momenta } = sgd({
        ...{ parameters: [w], momenta: [v], gradients: [g], learningRates: [rate], momentum: 0.9, weightDecay },
      });
      return [...parameters, ...momenta];
    });
    const moved = [0.9 * 0.5 + 0.25 + weightDecay, 0.9 + 4 - 2 * weightDecay];
    const updated = [1 - 0.5 * moved[0]!, -2 - 0.5 * moved[1]!];
    for (const [i, wanted] of [updated, moved].entries()) {
      const found = toFloats(outputs[i]!);
      assert.ok(distance(found, wanted) < 1e-6, `${found.join()} instead of ${wanted.join()}`);
    }
  }
});
