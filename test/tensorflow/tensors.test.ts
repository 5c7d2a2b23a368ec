import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TensorUseError } from '../../trainer/tensorflow/errors.ts';
import { cast, rawOp } from '../../trainer/tensorflow/raw-op.ts';
import { TensorList } from '../../trainer/tensorflow/runtime.ts';
import { tf } from '../../trainer/tensorflow/tfjs.ts';
import { callAndRead, evaluate, float32, only, runtime, spec, toFloats, trace, type Value } from './support.ts';

const every: readonly Value[] = [
  { spec: spec('float32', 2), bytes: Float32Array.of(1.5, -2) },
  { spec: spec('float64', 2), bytes: Float64Array.of(Math.PI, -1e300) },
  { spec: spec('int32', 2), bytes: Int32Array.of(-7, 2 ** 31 - 1) },
  { spec: spec('int64', 2), bytes: BigInt64Array.of(-7n, 2n ** 60n) },
  { spec: spec('uint8', 3), bytes: Uint8Array.of(0, 128, 255) },
  { spec: spec('bfloat16', 2), bytes: Uint16Array.of(0x3f80, 0xc000) },
  { spec: spec('bool', 2), bytes: Uint8Array.of(1, 0) },
  { spec: spec('float32'), bytes: Float32Array.of(3) },
  { spec: spec('float32', 0, 4), bytes: new Float32Array(0) },
];

const bytesOf = ({ bytes }: Value): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

describe('tensor lists', () => {
  it('give back what went in, for every dtype', async () => {
    const list = runtime().tensors(every);
    const read = await list.readAll();
    every.forEach((value, i) => assert.deepEqual(Buffer.from(read[i]!), bytesOf(value)));
    assert.deepEqual(
      list.specs,
      every.map(({ spec }) => spec),
    );
  });

  it('of every dtype pass through a function', async () => {
    const fn = trace(
      'through',
      every.map(({ spec }) => spec),
      (...xs) => xs.map((x) => rawOp('Identity', [x])),
    );
    const read = await callAndRead(fn, every);
    every.forEach((value, i) => assert.deepEqual(Buffer.from(read[i]!), bytesOf(value)));
    assert.deepEqual(fn.outputs, [every.map(({ spec }) => spec)]);
  });

  it('copy in and out: changing a buffer changes no tensor', async () => {
    const values = Float32Array.of(1, 2);
    const list = runtime().tensors([{ spec: spec('float32', 2), bytes: values }]);
    values.fill(9);
    const first = await list.read(0);
    first.fill(0);
    assert.deepEqual(toFloats(await list.read(0)), [1, 2]);
  });

  it('are cut and joined without ending one another', async () => {
    const list = runtime().tensors([float32([0]), float32([1]), float32([2])]);
    const tail = list.slice(1);
    const joined = TensorList.concat([tail, list.slice(0, 1), tail]);
    list.dispose();
    tail.dispose();
    assert.deepEqual(
      (await joined.readAll()).map((bytes) => toFloats(bytes)[0]),
      [1, 2, 0, 1, 2],
    );
    assert.equal(joined.length, 5);
    assert.throws(() => joined.slice(3, 6), TensorUseError);
    await assert.rejects(joined.read(5), TensorUseError);
    assert.throws(() => TensorList.concat([]), TensorUseError);
  });

  it('are snapshots: a chain of steps leaves an old state as it was', async () => {
    const step = runtime().trace('chain', [[spec('float32', 2), spec('float32')]], (state = []) => [
      // The second tensor passes through, so old and new state share its memory.
      [tf.add(state[0]!, 1), state[1]!],
    ]);
    let state = runtime().tensors([float32([0, 10]), float32([5], [])]);
    const snapshots: TensorList[] = [];
    for (let i = 0; i < 5; i++) {
      snapshots.push(state);
      state = only(await step.call([state]));
    }
    for (const [i, snapshot] of snapshots.entries()) {
      assert.deepEqual((await snapshot.readAll()).map(toFloats), [[i, 10 + i], [5]]);
    }
    assert.deepEqual((await state.readAll()).map(toFloats), [[5, 15], [5]]);
  });
});

describe('dtypes inside functions', () => {
  it('uint8 pixels are cast in the graph', async () => {
    const pixels: Value = { spec: spec('uint8', 2, 2), bytes: Uint8Array.of(0, 51, 102, 255) };
    const normal = only(await evaluate([pixels], (x) => [tf.div(tf.cast(x, 'float32'), 255)]));
    toFloats(normal).forEach((value, i) => assert.ok(Math.abs(value - [0, 0.2, 0.4, 1][i]!) < 1e-6));
  });

  it('bfloat16 computes with its own precision between float32 ends, and gradients come back as float32', async () => {
    const fn = trace('half', [spec('float32', 2)], (x) => {
      const { value, grads } = tf.valueAndGrads((x) => {
        const half = cast(x, 'bfloat16');
        // 1 + 2^-10 rounds to 1 in bfloat16; the scalar is a float32 constant that meets bfloat16.
        return tf.sum(cast(tf.mul(tf.add(half, 2 ** -10), half), 'float32')).asScalar();
      })([x]);
      return [value, only(grads)];
    });
    assert.deepEqual(fn.outputs, [[spec('float32'), spec('float32', 2)]]);
    const [value, gradient] = await callAndRead(fn, [float32([1, 4])]);
    assert.deepEqual(toFloats(value!), [17]);
    assert.deepEqual(toFloats(gradient!), [2, 8]);
  });

  it('cast goes by the real dtype and is the identity for the same', () => {
    trace('casts', [spec('float32', 1)], (x) => {
      assert.equal(cast(x, 'float32'), x);
      return [cast(cast(x, 'bfloat16'), 'float32')];
    });
  });

  it('float64 keeps its digits', async () => {
    const third: Value = { spec: spec('float64', 1), bytes: Float64Array.of(1 / 3) };
    const bytes = only(await evaluate([third], (x) => [rawOp('Add', [x, x])]));
    assert.deepEqual([...new Float64Array(bytes.slice().buffer)], [2 / 3]);
  });
});
