import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startApiServer } from '../../scripts/cluster/control-plane.ts';
import { node } from '../../scripts/cluster/layout.ts';
import { killNode, startNode } from '../../scripts/cluster/nodes.ts';
import { endProcess } from '../../scripts/cluster/system.ts';
import { coredns, kubernetes } from '../../scripts/tools/kubernetes.ts';
import { FaultBench, patience } from './support/fault-bench.ts';
import { killLauncher } from './support/processes.ts';
import { tellFault } from './support/tell-fault.ts';
import { timeToNextStep } from './support/watch-run.ts';

const minute = 60_000;
const programs = async () => ({ kubernetes: await kubernetes(), coredns: await coredns() });

/** Processes of the nodes and of the control plane are killed from outside: those of the bare provider are this machine's. */
describe('faults of machines', { timeout: 45 * minute }, () => {
  let bench: FaultBench;
  before(async () => {
    bench = await FaultBench.open('machine-faults');
  });
  after(() => bench.close());

  test('SIGKILL of a launcher', patience, async () => {
    const name = 'launcher-killed';
    await bench.start(name);
    const pod = await bench.worker(name, 1);
    const seconds = await timeToNextStep(bench.workplace, name, () => killLauncher(pod), 4 * minute);
    await bench.endsAsUndisturbed(name);
    tellFault('SIGKILL of a launcher', 'its pod fails and the Job makes it anew; the other pods stay', seconds);
  });

  test('a node vanishes', patience, async () => {
    const name = 'node-lost';
    await bench.start(name);
    const { spec } = await bench.worker(name, 2);
    const lost = node(Number((spec.nodeName as string).slice('node'.length)));
    const seconds = await timeToNextStep(bench.workplace, name, () => killNode(lost), 6 * minute);
    await bench.endsAsUndisturbed(name);
    await startNode(lost, await programs());
    await bench.workplace.kube.kubectl(['wait', '--for=condition=Ready', `node/${lost.name}`, '--timeout=120s']);
    tellFault('a node vanishes', 'its pod is given up 30 s after the node is, and made anew on another node', seconds);
  });

  test('the API server is restarted', patience, async () => {
    const name = 'api-restarted';
    await bench.start(name);
    await endProcess('kube-apiserver');
    await startApiServer({ kubernetes: await kubernetes(), coredns: await coredns() });
    const { status } = await bench.endsAsUndisturbed(name);
    assert.equal(status.pretrain.generation, 1);
    tellFault('the API server is killed and started', 'training goes on; the operator finds back by itself');
  });
});
