import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { FaultBench, patience, pretrainOnly } from './support/fault-bench.ts';
import { signalRanks } from './support/processes.ts';
import { smallRun } from './support/recipe.ts';
import { tellFault } from './support/tell-fault.ts';
import { timeToNextStep } from './support/watch-run.ts';

const minute = 60_000;

describe('faults of pods and nodes', { timeout: 45 * minute }, () => {
  let bench: FaultBench;
  before(async () => {
    bench = await FaultBench.open('node-faults');
  });
  after(() => bench.close());

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

  test('the node of worker 0 is drained', patience, async () => {
    const name = 'drained';
    await bench.start(name);
    const { spec } = await bench.worker(name, 0);
    const uid = async (index: number) => (await bench.worker(name, index))['metadata'].uid as string;
    const before = [await uid(1), await uid(2)];
    const flags = ['--ignore-daemonsets', '--delete-emptydir-data', '--timeout=120s'];
    // It returns when the pods are gone; what counts begins when they are told to go.
    let drained: Promise<string> | undefined;
    const drain = async (): Promise<void> => {
      drained = bench.workplace.kube.kubectl(['drain', spec.nodeName as string, ...flags]);
    };
    const seconds = await timeToNextStep(bench.workplace, name, drain, 4 * minute);
    assert.deepEqual([await uid(1), await uid(2)], before);
    await bench.endsAsUndisturbed(name);
    await drained;
    await bench.workplace.kube.kubectl(['uncordon', spec.nodeName as string]);
    tellFault('the node of worker 0 is drained', 'as preemption; the new pod starts on another node', seconds);
  });
});

/** The pods of a small run, of which each takes one of something that nodes may have. */
function withResource({ workplace }: FaultBench, name: string) {
  const { podTemplate } = smallRun('any', workplace.namespace, workplace.relay.endpoint).spec;
  return { ...podTemplate, resources: { ...podTemplate.resources, limits: { [name]: '1' } } };
}
