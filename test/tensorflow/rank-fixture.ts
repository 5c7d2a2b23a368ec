// One rank of a cluster in a process of its own, for collectives.test.ts and process-exit.test.ts. The parent sends
// {rank, addresses, timeoutSeconds, scenario}; the rank answers with messages.
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf, SimSiamError } from '../../api/errors.ts';
import { CounterRandom, purpose } from '../../trainer/random.ts';
import { broadcast } from '../../trainer/tensorflow/broadcast.ts';
import { collectiveSeconds } from '../../trainer/tensorflow/collective-wait.ts';
import { allGather, allReduceMax, allReduceSum, rank, world } from '../../trainer/tensorflow/collectives.ts';
import { cast } from '../../trainer/tensorflow/raw-op.ts';
import { type GraphFunction, Runtime, type TensorList } from '../../trainer/tensorflow/runtime.ts';
import { tf } from '../../trainer/tensorflow/tfjs.ts';

export type Scenario = 'reduce' | 'sums' | 'late' | 'busy' | 'loop' | 'abort' | 'exit' | 'fail' | 'end';

export interface RankOrder {
  readonly rank: number;
  readonly addresses: readonly string[];
  /** Where the ranks exchange tensors in memory. */
  readonly exchange?: string | undefined;
  readonly timeoutSeconds: number;
  readonly scenario: Scenario;
}

export type RankReport =
  | { readonly type: 'outputs'; readonly runs: readonly (readonly number[])[][] }
  | { readonly type: 'stepped' }
  | { readonly type: 'failed'; readonly name: string; readonly code: string; readonly message: string };

function report(message: RankReport): void {
  process.send?.(message);
}

process.once('message', (order: RankOrder) => {
  void scenarios[order.scenario](order).catch((error: unknown) => {
    const code = error instanceof SimSiamError ? error.code : 'NONE';
    report({ type: 'failed', name: error instanceof Error ? error.name : 'none', code, message: messageOf(error) });
    process.disconnect();
  });
});

function open({ rank, addresses, exchange, timeoutSeconds }: RankOrder): Runtime {
  const collective = { hint: 'auto', timeoutSeconds } as const;
  return Runtime.open({ threads: 1, cluster: { rank, addresses }, exchange, collective });
}

// Element i of rank r is (r + 0.1)·(i + 1), rounded to float32.
function vectorOf(runtime: Runtime): TensorList {
  const values = Float32Array.from({ length: 1000 }, (_, i) => (runtime.rank + 0.1) * (i + 1));
  return runtime.tensors([{ spec: { dtype: 'float32', shape: [1000] }, bytes: values }]);
}

function sum(runtime: Runtime, name: string): GraphFunction {
  return runtime.trace(name, [[{ dtype: 'float32', shape: [1000] }]], (x = []) => [allReduceSum(x)]);
}

/** Calls, each in a runtime of its own. Products are all of different sizes, so that each has a kernel of its own. */
function several(order: RankOrder, { calls, products, rows }: Record<'calls' | 'products' | 'rows', number>) {
  return Array.from({ length: calls }, (_, own) => {
    const runtime = open(order);
    const spec = { dtype: 'float32', shape: [rows, rows] } as const;
    const fn = runtime.trace('products', [[spec]], ([x] = []) => {
      const times = Array.from({ length: products }, (_, i) => 1 + i * calls + own);
      return [[tf.addN(times.map((n) => tf.sum(tf.matMul(tf.tile(x!, [n, 1]), x!))))]];
    });
    const inputs = runtime.tensors([{ spec, bytes: new Float32Array(rows * rows) }]);
    return () => fn.call([inputs]);
  });
}

const scenarios: Readonly<Record<Scenario, (order: RankOrder) => Promise<void>>> = {
  async reduce({ rank: own, addresses, exchange }) {
    // The last rank traces before it knows the others.
    const unjoined = own === addresses.length - 1;
    const runtime = unjoined
      ? Runtime.openUnjoined({ threads: 1, rank: own, world: addresses.length, exchange })
      : Runtime.open({ threads: 1, cluster: { rank: own, addresses }, exchange });
    const fn = runtime.trace('reductions', [[{ dtype: 'float32', shape: [1000] }]], ([x] = []) => {
      const vector = tf.slice(x!, [0], [4]);
      const [total, scalar, half] = allReduceSum([vector, tf.scalar(rank() + 1), cast(tf.scalar(0.5), 'bfloat16')]);
      // Two that don't depend on one another, and one on both.
      const greatest = allReduceMax([tf.mul(vector, rank() === 0 ? -1 : 1)]);
      const chained = allReduceSum([tf.add(total!, greatest[0]!)]);
      const gathered = [allGather(tf.reshape(vector, [2, 2])), allGather(tf.scalar(rank() + 7, 'int32').reshape([1]))];
      const precise = allReduceSum([cast(vector, 'float64')]).map((y) => cast(y, 'float32'));
      const outputs = [
        total!,
        scalar!,
        half!,
        ...greatest,
        ...chained,
        ...gathered,
        ...precise,
        ...broadcast([vector]),
        tf.scalar(world()),
      ];
      return [[...outputs.map((y) => cast(y, 'float32')), ...allReduceSum([x!])]];
    });
    if (unjoined) runtime.join(addresses);
    const vector = vectorOf(runtime);
    const runs = [];
    for (let run = 0; run < 3; run++) {
      const [outputs] = await fn.call([vector]);
      runs.push((await outputs!.readAll()).map(({ buffer }) => [...new Float32Array(buffer)]));
    }
    report({ type: 'outputs', runs });
    process.disconnect();
  },

  // Sums whose last bits show in which order ranks were added up, of lengths around those of slots and of a ring's chunks.
  async sums(order) {
    const runtime = open(order);
    const lengths = [[1], [7], [960], [961], [1020], [1024, 3], [65_536], [65_537], [100_000, 1, 0, 200_000]];
    const specs = lengths.flat().map((length) => ({ dtype: 'float32', shape: [length] }) as const);
    const fn = runtime.trace('sums', [specs], (all = []) => {
      const xs = [...all];
      const sums = lengths.flatMap(({ length }) => allReduceSum(xs.splice(0, length)));
      return [[...sums, ...allReduceSum([cast(all[2]!, 'float64')]).map((sum) => cast(sum, 'float32'))]];
    });
    const random = new CounterRandom(5, purpose.order, runtime.rank);
    const values = specs.map((spec) => ({
      spec,
      bytes: Float32Array.from({ length: spec.shape[0] }, () => 2 * random.uniform() - 1),
    }));
    const [outputs] = await fn.call([runtime.tensors(values)]);
    const digests = (await outputs!.readAll()).map(({ buffer }) => {
      return [createHash('sha256').update(new Uint8Array(buffer)).digest().readUInt32LE()];
    });
    report({ type: 'outputs', runs: [digests] });
    process.disconnect();
  },

  // Rank 1 comes a second late to the second call, in which two collectives follow each other.
  async late(order) {
    const runtime = open(order);
    const fn = runtime.trace('late', [[{ dtype: 'float32', shape: [1000] }]], (x = []) => {
      const twice = allReduceSum(allReduceSum(x));
      return [[collectiveSeconds(), ...twice]];
    });
    const vector = vectorOf(runtime);
    await fn.call([vector]);
    if (runtime.rank === 1) await sleep(1000);
    const [outputs] = await fn.call([vector]);
    report({ type: 'outputs', runs: [[[...(await outputs!.readFloats(0))]]] });
    process.disconnect();
  },

  // Rank 1 has much to compute between two collectives, on the only thread there is.
  async busy(order) {
    const runtime = open(order);
    const fn = runtime.trace('busy', [[{ dtype: 'float32', shape: [1000] }]], (x = []) => {
      const [sum] = allReduceSum(x);
      const size = 512;
      const mean = tf.fill([size, size], 1 / size);
      let product: tf.Tensor = tf.mul(mean, tf.slice(sum!, [0], [1]));
      for (let i = 0; rank() === 1 && i < 60; i++) product = tf.matMul(product, mean);
      const second = allReduceSum([tf.slice(product, [0, 0], [1, 1])]);
      return [[collectiveSeconds(), ...second]];
    });
    const vector = vectorOf(runtime);
    await fn.call([vector]);
    const [outputs] = await fn.call([vector]);
    report({ type: 'outputs', runs: [[[...(await outputs!.readFloats(0))]]] });
    process.disconnect();
  },

  async loop(order) {
    const runtime = open(order);
    const fn = sum(runtime, 'loop');
    const vector = vectorOf(runtime);
    for (;;) {
      for (const list of await fn.call([vector])) list.dispose();
      report({ type: 'stepped' });
    }
  },

  // Waits for a rank that never comes, and gives up.
  async abort(order) {
    const runtime = open(order);
    const controller = new AbortController();
    const call = sum(runtime, 'waiting').call([vectorOf(runtime)], { signal: controller.signal });
    report({ type: 'stepped' });
    setImmediate(() => controller.abort());
    await call;
  },

  // Ends the process in the middle of a call.
  async exit(order) {
    const runtime = open(order);
    void sum(runtime, 'cut').call([vectorOf(runtime)]);
    report({ type: 'stepped' });
    process.on('message', () => process.exit(7));
  },

  // Ends the process in the middle of first calls, which make their kernels.
  async fail(order) {
    await Promise.race(several(order, { calls: 8, products: 100, rows: 8 }).map((call) => call()));
    process.exit(7);
  },

  // Lets the process end by itself, with calls and a read that go on while Node takes its environment down.
  async end(order) {
    const calls = several(order, { calls: 16, products: 2, rows: 128 });
    const vector = vectorOf(open(order));
    await Promise.all(calls.map((call) => call()));
    process.once('exit', () => {
      for (const call of calls) void call();
      void vector.read(0);
    });
    process.disconnect();
  },
};
