import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { unionLength } from '../../trainer/tensorflow/collective-wait.ts';
import { allGather, allReduceMax, allReduceSum } from '../../trainer/tensorflow/collectives.ts';
import { TensorFlowError, TracingError } from '../../trainer/tensorflow/errors.ts';
import { InstanceKeys } from '../../trainer/tensorflow/instance-keys.ts';
import { Runtime } from '../../trainer/tensorflow/runtime.ts';
import { freeAddresses, startRanks, type Way, ways } from './cluster.ts';
import { evaluate, spec, toFloats, trace } from './support.ts';

for (const way of ways)
  describe(`collectives by ${way}`, { timeout: 600_000 }, () => {
    it('sum, take the maximum and gather over two processes, the same on both and at every run', async () => {
      const ranks = await startRanks('reduce', 2, { way });
      const [first, second] = await Promise.all(ranks.map((rank) => rank.report('outputs')));
      assert.deepEqual(second, first);
      const [run, ...others] = first!.runs;
      for (const other of others) assert.deepEqual(other, run);
      const element = (rank: number, i: number): number => Math.fround((rank + 0.1) * (i + 1));
      const range = [0, 1, 2, 3];
      const total = range.map((i) => Math.fround(element(0, i) + element(1, i)));
      const greatest = range.map((i) => element(1, i));
      const chained = range.map((i) => 2 * Math.fround(total[i]! + greatest[i]!));
      const gathered = [...range.map((i) => element(0, i)), ...greatest];
      const own = range.map((i) => element(0, i));
      assert.deepEqual(run!.slice(0, -1), [total, [3], [1], greatest, chained, gathered, [7, 8], total, own, [2]]);
      assert.deepEqual(
        run!.at(-1),
        Array.from({ length: 1000 }, (_, i) => Math.fround(element(0, i) + element(1, i))),
      );
      for (const { exited } of ranks) assert.deepEqual(await exited, { code: 0, signal: null });
    });

    it('tell each rank how long it waits for the others: the late one waits least', async () => {
      const ranks = await startRanks('late', 2, { way });
      const [punctual, late] = (await Promise.all(ranks.map((rank) => rank.report('outputs')))).map(
        ({ runs }) => runs[0]![0]![0]!,
      );
      assert.ok(late! >= 0 && punctual! > late!, `${punctual} and ${late} s`);
    });

    it('tell the time of collectives alone, not that of work that goes on after one', async () => {
      const ranks = await startRanks('busy', 2, { way });
      const [idle, busy] = (await Promise.all(ranks.map((rank) => rank.report('outputs')))).map(
        ({ runs }) => runs[0]![0]![0]!,
      );
      assert.ok(busy! < idle! / 2, `${idle} and ${busy} s`);
    });

    it('of a killed peer end with PeerLostError, and the survivor can exit', async () => {
      const [survivor, victim] = await startRanks('loop', 2, { way });
      await Promise.all([survivor!.report('stepped'), victim!.report('stepped')]);
      victim!.process.kill('SIGKILL');
      const failed = await survivor!.report('failed');
      assert.equal(failed.name, 'PeerLostError', failed.message);
      assert.equal(failed.code, 'PEER_LOST');
      assert.match(failed.message, /traced at rank-fixture\.ts:\d+/);
      assert.deepEqual(await survivor!.exited, { code: 0, signal: null });
    });

    it('that wait for a peer that never comes end with PeerLostError after the timeout', async () => {
      const [alone] = await startRanks('loop', 2, { way, started: 1, timeoutSeconds: 1 });
      const failed = await alone!.report('failed');
      assert.equal(failed.name, 'PeerLostError', failed.message);
      assert.match(failed.message, /TF_DEADLINE_EXCEEDED/);
      assert.deepEqual(await alone!.exited, { code: 0, signal: null });
    });

    it('of a peer that stands still end with PeerLostError after the timeout', async () => {
      const [waiting, stuck] = await startRanks('loop', 2, { way, timeoutSeconds: 5 });
      await Promise.all([waiting!.report('stepped'), stuck!.report('stepped')]);
      stuck!.process.kill('SIGSTOP');
      const failed = await waiting!.report('failed');
      stuck!.process.kill('SIGKILL');
      assert.equal(failed.name, 'PeerLostError', failed.message);
      assert.match(failed.message, /did not finish it together within 5 s/);
      assert.deepEqual(await waiting!.exited, { code: 0, signal: null });
    });

    it('that wait are cancelled by a signal', async () => {
      const [alone] = await startRanks('abort', 2, { way, started: 1 });
      assert.equal((await alone!.report('failed')).name, 'AbortError');
      assert.deepEqual(await alone!.exited, { code: 0, signal: null });
    });
  });

describe('collectives', { timeout: 600_000 }, () => {
  for (const world of ways.length > 1 ? [2, 3, 4] : []) {
    it(`of ${world} ranks add up the same bits in memory as by messages`, async () => {
      const digestsBy = async (way: Way): Promise<unknown> => {
        const ranks = await startRanks('sums', world, { way });
        const [first, ...others] = await Promise.all(ranks.map((rank) => rank.report('outputs')));
        for (const other of others) assert.deepEqual(other, first);
        return first!.runs;
      };
      assert.deepEqual(await digestsBy('memory'), await digestsBy('messages'));
    });
  }

  it('that overlap count once as waiting', async () => {
    // In no order; one is inside another, one begins where another ends, and one at the same time as another.
    const from = Float64Array.of(1007, 1000, 1001, 1003, 1010, 1010);
    const to = Float64Array.of(1008.5, 1003, 1002, 1004, 1011, 1010.5);
    const [seconds] = await evaluate(
      [from, to].map((bytes) => ({ spec: spec('float64', 6), bytes })),
      (begins, ends) => [unionLength(begins, ends)],
    );
    assert.deepEqual(toFloats(seconds!), [4 + 1.5 + 1]);
  });

  it('add nothing with one rank', () => {
    const fn = trace('single', [spec('float32', 2)], (x) => [...allReduceSum([x]), ...allReduceMax([x]), allGather(x)]);
    assert.deepEqual(fn.outputs, [[spec('float32', 2), spec('float32', 2), spec('float32', 2)]]);
    assert.equal(fn.nodes, 4); // the placeholder and an Identity for each output
  });

  it('say it when the port is taken', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const taken = `127.0.0.1:${(server.address() as { port: number }).port}`;
    const [free] = await freeAddresses(1);
    assert.throws(
      () => Runtime.open({ threads: 1, cluster: { rank: 0, addresses: [taken, free!] } }),
      (error) => error instanceof TensorFlowError && error.message.includes(taken),
    );
    server.close();
  });
});

describe('instance keys', () => {
  it('follow from the name and the position, and never meet', () => {
    const keys = new InstanceKeys();
    const [step, evaluate] = [keys.reserve('step'), keys.reserve('evaluate')];
    assert.equal(step(3), new InstanceKeys().reserve('step')(3));
    assert.equal(step(3) - step(0), 3);
    assert.ok(Math.abs(step(0) - evaluate(0)) >= 65_536);
    assert.ok(step(65_535) < 2 ** 31);
    assert.throws(() => step(65_536), TracingError);
  });

  it('refuse a second function whose name hashes alike', () => {
    const keys = new InstanceKeys();
    keys.reserve('step');
    assert.throws(() => keys.reserve('step'), TracingError);
  });
});
