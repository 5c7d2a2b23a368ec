import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { describe, it } from 'node:test';
import { TensorUseError } from '../../trainer/tensorflow/errors.ts';
import { type GraphFunction, Runtime, type TensorList } from '../../trainer/tensorflow/runtime.ts';
import { tf } from '../../trainer/tensorflow/tfjs.ts';
import { float32, noise, only, runtime, spec, toFloats, trace } from './support.ts';

/** A function that takes `products` products of matrices, one after the other. */
function slow(name: string, size: number, products: number): { fn: GraphFunction; inputs: TensorList } {
  const fn = trace(name, [spec('float32', size, size)], (x) => {
    let y = x;
    for (let i = 0; i < products; i++) y = tf.tanh(tf.matMul(y, x));
    return [tf.sum(y)];
  });
  return { fn, inputs: runtime().tensors([noise(1, size, size)]) };
}

describe('calls', () => {
  it('leave the event loop free', async () => {
    const { fn, inputs } = slow('slow', 512, 20);
    const state = { settled: false };
    const call = fn.call([inputs]).finally(() => (state.settled = true));
    let turns = 0;
    for (await setImmediate(); !state.settled; await setImmediate()) turns++;
    await call;
    assert.ok(turns > 0, 'the event loop turned during the call');
  });

  it('run in the order in which they were made, with reads beside them', async () => {
    const { fn, inputs } = slow('first', 512, 20);
    const quick = trace('second', [spec('float32', 1)], (x) => [tf.add(x, 1)]);
    const small = runtime().tensors([float32([1])]);
    const order: string[] = [];
    await Promise.all([
      fn.call([inputs]).then(() => order.push('slow')),
      quick.call([small]).then(() => order.push('quick')),
      small.read(0).then(() => order.push('read')),
    ]);
    assert.deepEqual(order, ['read', 'slow', 'quick']);
  });

  it('let their inputs be disposed of at once, and their function too', async () => {
    const fn = trace('brief', [spec('float32', 3)], (x) => [tf.mul(x, x)]);
    const inputs = runtime().tensors([float32([1, 2, 3])]);
    const call = fn.call([inputs]);
    inputs.dispose();
    fn.dispose();
    assert.deepEqual(toFloats(await only(await call).read(0)), [1, 4, 9]);
  });

  it('are cancelled by a signal, running or queued, and the runtime goes on', async () => {
    // Minutes of work: a cancellation that does nothing fails by the test's own time limit.
    const { fn, inputs } = slow('endless', 2048, 1000);
    const controller = new AbortController();
    const running = fn.call([inputs], { signal: controller.signal });
    const queued = fn.call([inputs], { signal: controller.signal });
    await setImmediate();
    controller.abort(new RangeError('enough'));
    await assert.rejects(running, /enough/);
    await assert.rejects(queued, /enough/);
    await assert.rejects(fn.call([inputs], { signal: controller.signal }), /enough/);
    const fine = trace('fine', [spec('float32', 1)], (x) => [tf.add(x, 1)]);
    assert.deepEqual(toFloats(await only(await fine.call([runtime().tensors([float32([1])])])).read(0)), [2]);
  });

  it('of a closed runtime reject, and its tensors can still be read', async () => {
    const own = Runtime.open({ threads: 1 });
    const fn = own.trace('late', [[spec('float32', 1)]], (x = []) => [x]);
    const list = own.tensors([float32([4])]);
    own.close();
    own.close();
    await assert.rejects(fn.call([list]), TensorUseError);
    assert.throws(() => own.tensors([]), TensorUseError);
    assert.throws(() => own.trace('later', [], () => []), TensorUseError);
    assert.deepEqual(toFloats(await list.read(0)), [4]);
  });

  it('keep memory flat over 1,000 of them, whether lists are disposed of or left to the collector', async () => {
    // 8 MB of state: without freeing, 1,000 calls would take 8 GB.
    const step = trace('state', [spec('float32', 1000, 1000), spec('float32', 1000, 1000)], (a, b) => [
      tf.add(a, b),
      tf.mul(b, 0.5),
    ]);
    let state = runtime().tensors([noise(1, 1000, 1000), noise(2, 1000, 1000)]);
    const run = async (calls: number, dispose: boolean): Promise<void> => {
      for (let i = 0; i < calls; i++) {
        const next = only(await step.call([state]));
        if (dispose) state.dispose();
        state = next;
      }
    };
    await run(50, true);
    const before = process.memoryUsage().rss;
    await run(500, true);
    const disposed = process.memoryUsage().rss;
    await run(450, false);
    const collected = process.memoryUsage().rss;
    const mib = 2 ** 20;
    assert.ok(disposed - before < 64 * mib, `${(disposed - before) / mib} MiB more after 500 calls`);
    assert.ok(
      collected - before < 1024 * mib,
      `${(collected - before) / mib} MiB more after 450 calls without dispose`,
    );
  });
});
