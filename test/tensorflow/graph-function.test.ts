import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { cast } from '../../trainer/tensorflow/raw-op.ts';
import { tf, type Tensor } from '../../trainer/tensorflow/tfjs.ts';
import { callAndRead, evaluate, float32, noise, toFloats, trace, type Value } from './support.ts';

/** Functions that must give the same when traced as when tfjs executes them op by op. */
const cases: Record<string, { inputs: Value[]; body: (...xs: Tensor[]) => Tensor[] }> = {
  add: { inputs: [noise(1, 2, 3), noise(2, 3)], body: (a, b) => [tf.add(a, b)] },
  sub: { inputs: [noise(1, 2, 3), noise(2, 2, 1)], body: (a, b) => [tf.sub(a, b)] },
  'mul and div by constants': { inputs: [noise(1, 4)], body: (a) => [tf.div(tf.mul(a, 3), 7)] },
  matMul: { inputs: [noise(1, 4, 5), noise(2, 5, 3)], body: (a, b) => [tf.matMul(a, b)] },
  'matMul, transposed': { inputs: [noise(1, 5, 4), noise(2, 3, 5)], body: (a, b) => [tf.matMul(a, b, true, true)] },
  conv2d: {
    inputs: [noise(1, 2, 8, 8, 3), noise(2, 3, 3, 3, 4)],
    body: (x, w) => [tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 2, 'same')],
  },
  maxPool: { inputs: [noise(1, 1, 6, 6, 2)], body: (x) => [tf.maxPool(x as tf.Tensor4D, 3, 2, 'valid')] },
  relu: { inputs: [noise(1, 9)], body: (x) => [tf.relu(x)] },
  'sigmoid, tanh, exp': { inputs: [noise(1, 9)], body: (x) => [tf.sigmoid(x), tf.tanh(x), tf.exp(x)] },
  'sqrt, square, abs, log': {
    inputs: [noise(1, 9)],
    body: (x) => [tf.sqrt(tf.abs(x)), tf.square(x), tf.log(tf.abs(x))],
  },
  'sum, mean, max over axes': {
    inputs: [noise(1, 3, 4, 5)],
    body: (x) => [tf.sum(x, 1), tf.mean(x, [0, 2]), tf.max(x, -1, true)],
  },
  'argMax, topk': { inputs: [noise(1, 4, 6)], body: (x) => [tf.argMax(x, 1), ...Object.values(tf.topk(x, 2))] },
  softmax: { inputs: [noise(1, 4, 6)], body: (x) => [tf.softmax(x)] },
  'concat, split, stack': {
    inputs: [noise(1, 2, 4), noise(2, 2, 4)],
    body: (a, b) => [...tf.split(tf.concat([a, b], 1), [3, 5], 1), tf.stack([a, b])],
  },
  'reshape, transpose, slice': {
    inputs: [noise(1, 2, 3, 4)],
    body: (x) => [tf.transpose(tf.reshape(x, [6, 4])), tf.slice(x, [0, 1, 0], [2, 2, -1])],
  },
  'pad, tile, reverse': {
    inputs: [noise(1, 2, 3)],
    body: (x) => [
      tf.pad(x, [
        [1, 0],
        [0, 2],
      ]),
      tf.tile(x, [2, 1]),
      tf.reverse(x, 1),
    ],
  },
  'gather, oneHot': {
    inputs: [noise(1, 5, 2)],
    body: (x) => [tf.gather(x, tf.tensor1d([4, 0, 0], 'int32')), tf.oneHot(tf.tensor1d([1, 0], 'int32'), 3)],
  },
  'greater, where': { inputs: [noise(1, 8)], body: (x) => [tf.where(tf.greater(x, 0), x, tf.zerosLike(x))] },
  cumsum: { inputs: [noise(1, 3, 4)], body: (x) => [tf.cumsum(x, 1)] },
  'zeros and ones as large constants': {
    inputs: [noise(1, 40, 40)],
    body: (x) => [tf.add(x, tf.sub(tf.ones([40, 40]), tf.zeros([40, 40])))],
  },
  'gradients of a small network': {
    inputs: [noise(1, 2, 6, 6, 3), noise(2, 3, 3, 3, 4), noise(3, 4, 5), noise(4, 5)],
    body: (x, w, v, bias) => {
      const loss = (w: Tensor, v: Tensor, bias: Tensor): tf.Scalar => {
        const features = tf.mean(tf.relu(tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, 'same')), [1, 2]);
        return tf.neg(tf.mean(tf.logSoftmax(tf.add(tf.matMul(features, v), bias)))).asScalar();
      };
      const { value, grads } = tf.valueAndGrads((...p) => loss(p[0]!, p[1]!, p[2]!))([w, v, bias]);
      return [value, ...grads];
    },
  },
  'gradients of norms, broadcasts and maxima': {
    inputs: [noise(1, 3, 4), noise(2, 4)],
    body: (x, y) => {
      const { value, grads } = tf.valueAndGrads((a, b) =>
        tf.sum(tf.div(tf.mul(a, b), tf.sqrt(tf.add(tf.sum(tf.square(a), 1, true), tf.max(tf.abs(b)))))).asScalar(),
      )([x, y]);
      return [value, ...grads];
    },
  },
  customGrad: {
    inputs: [noise(1, 3)],
    body: (x) => {
      const doubled = tf.customGrad((...args) => ({
        value: tf.clone(args[0] as Tensor),
        gradFunc: (dy: Tensor) => tf.mul(dy, 2),
      }));
      return [tf.grad((x) => doubled(tf.square(x)))(x)];
    },
  },
};

describe('a traced function', () => {
  for (const [name, { inputs, body }] of Object.entries(cases)) {
    it(`equals eager execution: ${name}`, async () => {
      const eager = tf.tidy(() =>
        body(...inputs.map(({ spec, bytes }) => tf.tensor(bytes as Float32Array, [...spec.shape]))),
      );
      const expected = eager.map((tensor) => [...tensor.dataSync()]);
      const dtypes = eager.map(({ dtype }) => dtype);
      eager.forEach((tensor) => tensor.dispose());
      const fn = trace(
        'case',
        inputs.map(({ spec }) => spec),
        body,
      );
      assert.deepEqual(
        fn.outputs[0]?.map(({ dtype }) => dtype),
        dtypes,
      );
      fn.dispose();
      const actual = await evaluate(inputs, (...xs) => body(...xs).map((y) => cast(y, 'float32')));
      expected.forEach((values, i) => {
        const got = toFloats(actual[i]!);
        assert.equal(got.length, values.length);
        values.forEach((value, k) =>
          assert.ok(Math.abs(got[k]! - value) <= 1e-5 * (1 + Math.abs(value)), `${got[k]} instead of ${value}`),
        );
      });
    });
  }

  it('is called many times, each time with new values', async () => {
    const fn = trace('twice', [{ dtype: 'float32', shape: [2] }], (x) => [tf.mul(x, 2)]);
    assert.deepEqual(toFloats((await callAndRead(fn, [float32([1, 2])]))[0]!), [2, 4]);
    assert.deepEqual(toFloats((await callAndRead(fn, [float32([-3, 0.5])]))[0]!), [-6, 1]);
  });

  it('may answer with its inputs, a constant, and one tensor twice', async () => {
    const input = noise(1, 3);
    const [a, b, c, d] = await evaluate([input], (x) => [x, x, tf.scalar(5), tf.scalar(5)]);
    const values = [...(input.bytes as Float32Array)];
    assert.deepEqual(
      [a, b, c, d].map((bytes) => toFloats(bytes!)),
      [values, values, [5], [5]],
    );
  });
});
