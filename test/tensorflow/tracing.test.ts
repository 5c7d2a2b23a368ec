import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { TensorFlowError, TensorUseError, TracingError } from '../../trainer/tensorflow/errors.ts';
import { rawOp, rawOps, realDType } from '../../trainer/tensorflow/raw-op.ts';
import { tf, type Tensor } from '../../trainer/tensorflow/tfjs.ts';
import { evaluate, float32, noise, only, runtime, spec, toFloats, trace } from './support.ts';

const source = readFileSync(new URL('../../../test/tensorflow/tracing.test.ts', import.meta.url), 'utf8').split('\n');

/** Whether an error of tracing says this, and names the line of this file that has `text`. */
function tracingErrorAt(message: RegExp, text: string): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof TracingError);
    assert.match(error.message, message);
    const line = /\(tracing\.test\.ts:(\d+)\)/.exec(error.message)?.[1];
    assert.ok(source[Number(line) - 1]?.includes(text), error.message);
    return true;
  };
}

describe('tracing', () => {
  it('executes nothing', () => {
    // Executed, this would take hundreds of GB.
    const fn = trace('huge', [spec('float32', 100_000, 100_000)], (x) => [tf.sum(tf.matMul(x, x))]);
    assert.deepEqual(fn.outputs, [[spec('float32')]]);
  });

  it('calls the body once and records every op', () => {
    let calls = 0;
    const fn = trace('counted', [spec('float32', 2)], (x) => {
      calls++;
      return [tf.exp(tf.exp(x))];
    });
    assert.equal(calls, 1);
    assert.equal(fn.nodes, 3);
  });

  it('refuses to read a value', async () => {
    const readNow = (x: Tensor): Tensor[] => [tf.tensor(x.dataSync())];
    assert.throws(
      () => trace('read', [spec('float32', 2)], readNow),
      tracingErrorAt(/while read is traced/, 'readNow'),
    );
    let reading: Promise<unknown> | undefined;
    trace('readLater', [spec('float32', 2)], (x) => {
      reading = x.data(); // readLater
      reading.catch(() => undefined);
      return [x];
    });
    await assert.rejects(reading!, tracingErrorAt(/while readLater is traced/, 'readLater'));
  });

  it('refuses a symbolic tensor outside its trace, in another trace and as an output of another', () => {
    let stale: Tensor | undefined;
    trace('source', [spec('float32', 2)], (x) => {
      stale = tf.keep(tf.add(x, 1));
      return [x];
    });
    const add = (): Tensor => tf.add(stale!, 1);
    assert.throws(add, tracingErrorAt(/outside its trace/, 'const add'));
    const read = (): unknown => stale!.dataSync();
    assert.throws(read, tracingErrorAt(/read after its trace/, 'const read'));
    const mix = (x: Tensor): Tensor[] => [tf.add(x, stale!)];
    assert.throws(() => trace('other', [spec('float32', 2)], mix), tracingErrorAt(/of another trace/, 'const mix'));
    assert.throws(() => trace('other', [], () => [stale!]), TracingError);
  });

  it('refuses shapes that depend on values', () => {
    assert.throws(
      () => trace('unique', [spec('float32', 5)], (x) => [rawOps('Unique', [x], {}, 2)[0]!]),
      /TracingError|depends on values/,
    );
  });

  it('refuses to nest, raw ops outside, and bad names', () => {
    assert.throws(
      () => trace('outer', [], () => [only(trace('inner', [], () => [tf.scalar(1)]).outputs) as never]),
      TracingError,
    );
    assert.throws(() => rawOp('Exp', [tf.scalar(1)]), TracingError);
    assert.throws(() => trace('not a name', [], () => [tf.scalar(1)]), TracingError);
  });

  it('works again after a failed trace, and leaves eager execution alone', async () => {
    assert.throws(
      () =>
        trace('fails', [spec('float32', 2)], () => {
          throw new RangeError('mine');
        }),
      RangeError,
    );
    assert.deepEqual([...tf.add(tf.tensor1d([1, 2]), 1).dataSync()], [2, 3]);
    assert.deepEqual(toFloats(only(await evaluate([float32([1, 2])], (x) => [tf.add(x, 1)]))), [2, 3]);
  });

  it('bakes eager tensors in, written or not, and leaves them usable', async () => {
    const fresh = tf.tensor1d([1, 2]);
    const computed = tf.mul(tf.tensor1d([3, 4]), 10);
    const sum = only(
      await evaluate([float32([100, 200])], (x) => [tf.add(tf.add(x, fresh), tf.add(computed, computed))]),
    );
    assert.deepEqual(toFloats(sum), [161, 282]);
    assert.deepEqual([...tf.add(fresh, computed).dataSync()], [31, 42]);
  });

  it('refuses to bake in large tensors, but for uniform ones', () => {
    const large = tf.tensor(noise(1, 1100, 2000).bytes as Float32Array, [1100, 2000]);
    const bake = (): Tensor[] => [tf.sum(large)];
    assert.throws(
      () => trace('large', [], bake),
      tracingErrorAt(/8 MiB from outside the trace was used .*; pass it as an input/, 'const bake'),
    );
    trace('uniform', [], () => [tf.sum(tf.ones([1100, 2000]))]);
  });

  it('leaves no tensors behind in tfjs', () => {
    const before = tf.memory().numTensors;
    trace('clean', [spec('float32', 2)], (x) => [tf.add(tf.mul(x, tf.scalar(2)), 1)]);
    assert.equal(tf.memory().numTensors, before);
  });

  it('knows the real dtypes', () => {
    trace(
      'dtypes',
      [spec('uint8', 1), spec('int64', 1), spec('float64', 1), spec('bfloat16', 1), spec('bool', 1)],
      (...xs) => {
        assert.deepEqual(xs.map(realDType), ['uint8', 'int64', 'float64', 'bfloat16', 'bool']);
        assert.deepEqual(
          xs.map((x) => x.dtype),
          ['int32', 'int32', 'float32', 'float32', 'bool'],
        );
        return xs;
      },
    );
  });
});

describe('errors', () => {
  it('of tracing name the op and the line', () => {
    assert.throws(
      () => trace('shapes', [spec('float32', 2), spec('float32', 3, 3)], (x, y) => [rawOp('MatMul', [x, y])]),
      (error) => {
        assert.ok(error instanceof TensorFlowError);
        assert.equal(error.code, 'TF_INVALID_ARGUMENT');
        assert.equal(error.op, 'MatMul');
        assert.match(error.tracedAt ?? '', /^tracing\.test\.ts:\d+$/);
        assert.doesNotMatch(error.message, /\n/);
        return true;
      },
    );
  });

  it('of unknown ops, attributes and input counts are clear', () => {
    assert.throws(() => trace('a', [spec('float32')], (x) => [rawOp('NoSuchOp', [x])]), /NoSuchOp/);
    assert.throws(() => trace('a', [spec('float32')], (x) => [rawOp('Add', [x])]), /Add takes 2 inputs, not 1/);
    assert.throws(
      () => trace('a', [spec('float32')], (x) => [rawOp('Cast', [x], { DstT: 'float33' })]),
      /DstT.*float33/,
    );
  });

  it('of a call name the op and the line', async () => {
    const fn = trace('checked', [spec('float32', 2)], (x) => [
      rawOp('CheckNumerics', [tf.log(x)], { message: 'logarithm' }),
    ]);
    const inputs = runtime().tensors([float32([-1, 1])]);
    await assert.rejects(fn.call([inputs]), (error) => {
      assert.ok(error instanceof TensorFlowError);
      assert.equal(error.op, 'CheckNumerics');
      const [file, line] = (error.tracedAt ?? '').split(':');
      assert.equal(file, 'tracing.test.ts');
      assert.match(source[Number(line) - 1] ?? '', /rawOp\('CheckNumerics'/);
      assert.match(error.message, /checked: logarithm/);
      return true;
    });
  });

  it('of wrong inputs say what the function takes', async () => {
    const fn = trace('typed', [spec('float32', 2)], (x) => [x]);
    await assert.rejects(fn.call([]), TensorUseError);
    await assert.rejects(fn.call([runtime().tensors([])]), TensorUseError);
    await assert.rejects(fn.call([runtime().tensors([float32([1, 2, 3])])]), /it takes float32\[2\], not float32\[3\]/);
    assert.throws(
      () => runtime().tensors([{ spec: spec('float32', 2), bytes: new Uint8Array(7) }]),
      /takes 8 bytes, not 7/,
    );
  });

  it('of things used after their end are clear', async () => {
    const fn = trace('ended', [spec('float32', 1)], (x) => [x]);
    const list = runtime().tensors([float32([1])]);
    list.dispose();
    list.dispose();
    await assert.rejects(fn.call([list]), TensorUseError);
    await assert.rejects(list.read(0), TensorUseError);
    fn.dispose();
    await assert.rejects(fn.call([runtime().tensors([float32([1])])]), TensorUseError);
  });
});
