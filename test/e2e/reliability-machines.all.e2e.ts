import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Machines } from '../../scripts/cluster/machines.ts';
import { chooseProvider } from '../../scripts/cluster/provider.ts';
import { FaultBench, patience } from './support/fault-bench.ts';
import { killLauncher } from './support/processes.ts';
import { tellFault } from './support/tell-fault.ts';
import { timeToNextStep } from './support/watch-run.ts';

const minute = 60_000;
const skip = process.env.SIMSIAM_E2E_PROVIDER === 'existing' && 'the machines of a cluster that others made are theirs';

describe('faults of machines', { timeout: 45 * minute, skip }, () => {
  let bench: FaultBench;
  let machines: Machines;
  before(async () => {
    bench = await FaultBench.open('machine-faults');
    machines = (await chooseProvider(process.env)).machines!;
  });
  after(() => bench.close());

  test('SIGKILL of a launcher', patience, async () => {
    const name = 'launcher-killed';
    await bench.start(name);
    const pod = await bench.worker(name, 1);
    const seconds = await timeToNextStep(bench.workplace, name, () => killLauncher(machines, pod), 4 * minute);
    await bench.endsAsUndisturbed(name);
    tellFault('SIGKILL of a launcher', 'its pod fails and the Job makes it anew; the other pods stay', seconds);
  });

  test('a node vanishes', patience, async () => {
    const name = 'node-lost';
    await bench.start(name);
    const { spec } = await bench.worker(name, 2);
    const lost = spec.nodeName as string;
    const seconds = await timeToNextStep(bench.workplace, name, () => machines.cutPower(lost), 6 * minute);
    await bench.endsAsUndisturbed(name);
    await machines.powerOn(lost);
    await bench.workplace.kube.kubectl(['wait', '--for=condition=Ready', `node/${lost}`, '--timeout=180s']);
    tellFault('a node vanishes', 'its pod is given up 30 s after the node is, and made anew on another node', seconds);
  });

  test('the API server is restarted', patience, async () => {
    const name = 'api-restarted';
    await bench.start(name);
    await machines.restartApiServer();
    const { status } = await bench.endsAsUndisturbed(name);
    assert.equal(status.pretrain.generation, 1);
    tellFault('the API server is killed and started', 'training goes on; the operator finds back by itself');
  });
});
