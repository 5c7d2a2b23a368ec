import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { FaultBench, patience, pretrainOnly } from './support/fault-bench.ts';
import { eventually } from './support/kube.ts';
import { signalRanks } from './support/processes.ts';
import { tellFault } from './support/tell-fault.ts';
import { conditionOf, timeToNextStep } from './support/watch-run.ts';

const minute = 60_000;

describe('faults while a run pre-trains', { timeout: 60 * minute }, () => {
  let bench: FaultBench;
  before(async () => {
    bench = await FaultBench.open('faults');
  });
  after(() => bench.close());

  test('SIGKILL of a rank: all ranks go on from the last checkpoint, in the same pods', patience, async () => {
    const name = 'rank-killed';
    await bench.start(name);
    const uids = async () => [...(await bench.workplace.workers(name)).values()].map(({ metadata }) => metadata.uid);
    const before = await uids();
    const pod = await bench.worker(name, 1);
    const kill = async () => assert.match(await bench.inPod(pod, signalRanks('SIGKILL')), /rank \d+/);
    const seconds = await timeToNextStep(bench.workplace, name, kill, 3 * minute);
    assert.deepEqual(await uids(), before);
    const { status } = await bench.endsAsUndisturbed(name);
    assert.equal(status.pretrain.generation, 2);
    assert.equal(status.restarts?.crash, 1);
    const outcome = 'the ranks of all workers restart from the last checkpoint, in the same pods';
    tellFault('SIGKILL of a rank', outcome, seconds);
  });

  test('the pod of worker 0 is deleted: a new one takes the lead', patience, async () => {
    const name = 'pod-deleted';
    await bench.start(name);
    const pod = await bench.worker(name, 0);
    const remove = () => bench.workplace.kube.delete(bench.podPath(pod), { gracePeriodSeconds: 0 });
    const seconds = await timeToNextStep(bench.workplace, name, remove, 4 * minute);
    await bench.endsAsUndisturbed(name);
    const outcome = 'the Job makes it anew; the other pods stay and join it';
    tellFault('pod of worker 0 deleted without grace', outcome, seconds);
  });

  test(
    'an eviction: a checkpoint inside the grace period, the other pods stay, no budget is spent',
    patience,
    async () => {
      const name = 'evicted';
      // Without a single restart to spend.
      await bench.start(name, { ...pretrainOnly, failurePolicy: { maxRestarts: 0 } });
      const pod = await bench.worker(name, 1);
      const uid = async (index: number) => (await bench.worker(name, index))['metadata'].uid as string;
      const before = [await uid(0), await uid(2)];
      const metadata = { name: pod['metadata'].name as string, namespace: bench.workplace.namespace };
      const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata };
      const evict = () => bench.workplace.kube.post(bench.podPath(pod, '/eviction'), eviction);
      const seconds = await timeToNextStep(bench.workplace, name, evict, 4 * minute);
      assert.deepEqual([await uid(0), await uid(2)], before);
      const { status } = await bench.endsAsUndisturbed(name);
      assert.equal(status.lostSteps ?? 0, 0);
      assert.equal(status.restarts?.preempted, 1);
      assert.equal(status.restarts?.total, 1);
      const outcome =
        'all ranks commit a checkpoint after their step; the Job makes this pod anew, the others stay, and no budget is spent';
      tellFault('preemption of a pod (eviction, SIGTERM)', outcome, seconds);
    },
  );

  test('S3 is down for a while', patience, async () => {
    const name = 's3-down';
    await bench.start(name);
    await bench.workplace.relay.down();
    await sleep(20_000);
    await bench.workplace.relay.up();
    const { status } = await bench.endsAsUndisturbed(name);
    const { total = 0 } = status.restarts ?? {};
    tellFault('S3 down for 20 s', `the upload is tried again; ${total === 0 ? 'no restart' : `${total} restarts`}`);
  });

  test('an image that does not exist: the status says so', patience, async () => {
    const name = 'no-image';
    await bench.apply(name, { ...pretrainOnly, image: 'simsiam-trainer:missing' });
    const unhealthy = await bench.unhealthy(name, /simsiam-trainer:missing/);
    await bench.workplace.kube.delete(bench.runPath(name));
    const outcome = `the run waits, and its condition Healthy is False with reason ${unhealthy['reason']} and the image`;
    tellFault('an image that does not exist', outcome);
  });

  test('suspend and resume by hand: no pods in between, and nothing is lost', patience, async () => {
    const name = 'suspended';
    await bench.start(name);
    await bench.workplace.kube.patch(bench.runPath(name), { spec: { suspend: true } });
    await eventually('the suspension', 2 * minute, async () => {
      const suspended = conditionOf(await bench.run(name), 'Suspended');
      return suspended?.['status'] === 'True' && (await bench.workplace.workers(name)).size === 0;
    });
    const resume = () => bench.workplace.kube.patch(bench.runPath(name), { spec: { suspend: false } });
    const seconds = await timeToNextStep(bench.workplace, name, resume, 4 * minute);
    const { status } = await bench.endsAsUndisturbed(name);
    assert.equal(status.lostSteps ?? 0, 0);
    tellFault('suspend and resume', 'a checkpoint after the step, then no pods; goes on from there', seconds);
  });
});
