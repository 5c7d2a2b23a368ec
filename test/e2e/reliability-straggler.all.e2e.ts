import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { FaultBench, patience } from './support/fault-bench.ts';
import { slowRanks } from './support/processes.ts';
import { tellFault } from './support/tell-fault.ts';

describe('a rank that is slow', { timeout: 900_000 }, () => {
  let bench: FaultBench;
  before(async () => {
    bench = await FaultBench.open('straggler');
  });
  after(() => bench.close());

  test('a straggler', patience, async () => {
    const name = 'straggler';
    await bench.start(name);
    const waits = async (index: number): Promise<number> => {
      const pod = await bench.worker(name, index);
      const metrics = await bench.workplace.kube.text(bench.podPath(pod, ':8080/proxy/metrics'));
      const line = /^simsiam_collective_wait_seconds_total\{rank="(\d)"\} (.+)$/m.exec(metrics ?? '');
      assert.equal(line?.[1], String(index));
      return Number(line[2]);
    };
    const all = () => Promise.all([0, 1, 2].map(waits));
    const before = await all();
    await bench.inPod(await bench.worker(name, 1), slowRanks(15));
    const [first, slowed, third] = (await all()).map((seconds, index) => seconds - before[index]!);
    assert.ok(slowed! < 0.5 * Math.min(first!, third!), `${first}, ${slowed} and ${third} s`);
    await bench.endsAsUndisturbed(name);
    const outcome =
      `its \`simsiam_collective_wait_seconds_total\` grows least (${slowed!.toFixed(1)} s in 15 s; the others' ` +
      `${first!.toFixed(1)} and ${third!.toFixed(1)} s), for which the alert SimSiamStraggler names it`;
    tellFault('a rank runs for a tenth of the time', outcome);
  });
});
