import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { node } from '../../scripts/cluster/layout.ts';
import { killNode, startNode } from '../../scripts/cluster/nodes.ts';
import { coredns, kubernetes } from '../../scripts/tools/kubernetes.ts';
import { bareOnly, FaultBench, patience, pretrainOnly } from './support/fault-bench.ts';
import { killLauncher, signalRanks } from './support/processes.ts';
import { smallRun } from './support/recipe.ts';
import { tellFault } from './support/tell-fault.ts';
import { timeToNextStep } from './support/watch-run.ts';

const minute = 60_000;
const programs = async () => ({ kubernetes: await kubernetes(), coredns: await coredns() });

describe('faults of pods and nodes', { timeout: 45 * minute }, () => {
  let bench: FaultBench;
  before(async () => {
    bench = await FaultBench.open('node-faults');
  });
  after(() => bench.close());

  test('SIGKILL of a launcher', { ...patience, skip: bareOnly }, async () => {
    const name = 'launcher-killed';
    await bench.start(name);
    const pod = await bench.worker(name, 1);
    const seconds = await timeToNextStep(bench.workplace, name, () => killLauncher(pod), 4 * minute);
    await bench.endsAsUndisturbed(name);
    tellFault('SIGKILL of a launcher', 'its pod fails and the Job makes it anew; the other pods stay', seconds);
  });

  test('SIGSTOP of a rank is a hang', patience, async () => {
    const name = 'rank-stopped';
    await bench.start(name, { ...pretrainOnly, failurePolicy: { hangTimeoutSeconds: 30 } });
    const pod = await bench.worker(name, 2);
    const stop = () => bench.inPod(pod, signalRanks('SIGSTOP'));
    const seconds = await timeToNextStep(bench.workplace, name, stop, 4 * minute);
    const { status } = await bench.endsAsUndisturbed(name);
    assert.equal(status.restarts?.hang, 1);
    tellFault('SIGSTOP of a rank', 'a hang after `hangTimeoutSeconds` (30 here); then as after SIGKILL', seconds);
  });

  test('no capacity, and then there is', patience, async () => {
    const name = 'no-capacity';
    const slot = 'simsiam.dev/slot';
    await bench.apply(name, { ...pretrainOnly, podTemplate: withResource(bench, slot) });
    const healthy = await bench.unhealthy(name, /slot|Insufficient/);
    for (const { metadata } of await bench.workplace.kube.list('/api/v1/nodes')) {
      await bench.workplace.kube.patch(`/api/v1/nodes/${metadata.name}/status`, {
        status: { capacity: { [slot]: '1' } },
      });
    }
    await bench.endsAsUndisturbed(name);
    tellFault('not enough capacity', `Healthy is False (${healthy['reason']}); once there is the run starts`);
  });

  test('a node is drained', patience, async () => {
    const name = 'drained';
    await bench.start(name);
    const { spec } = await bench.worker(name, 1);
    const flags = ['--ignore-daemonsets', '--delete-emptydir-data', '--timeout=120s'];
    // It returns when the pods are gone; what counts begins when they are told to go.
    let drained: Promise<string> | undefined;
    const drain = async (): Promise<void> => {
      drained = bench.workplace.kube.kubectl(['drain', spec.nodeName as string, ...flags]);
    };
    const seconds = await timeToNextStep(bench.workplace, name, drain, 4 * minute);
    await bench.endsAsUndisturbed(name);
    await drained;
    await bench.workplace.kube.kubectl(['uncordon', spec.nodeName as string]);
    tellFault('a node is drained', 'as preemption; the new pod starts on another node', seconds);
  });

  test('a node vanishes', { ...patience, skip: bareOnly }, async () => {
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
});

/** The pods of a small run, of which each takes one of something that nodes may have. */
function withResource({ workplace }: FaultBench, name: string) {
  const { podTemplate } = smallRun('any', workplace.namespace, workplace.relay.endpoint).spec;
  return { ...podTemplate, resources: { ...podTemplate.resources, limits: { [name]: '1' } } };
}
