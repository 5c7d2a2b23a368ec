import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { FaultBench, patience, pretrainOnly } from './support/fault-bench.ts';
import { eventually, type KubeObject } from './support/kube.ts';
import { installKueue, makeQueue, priorityClass, removeKueue, workloadOf } from './support/kueue.ts';
import { smallRun } from './support/recipe.ts';
import { tellFault } from './support/tell-fault.ts';
import { conditionOf } from './support/watch-run.ts';

const minute = 60_000;
const namespace = 'queued';
const queueName = 'lab';
const skip = process.env.SIMSIAM_E2E_PROVIDER === 'existing' && 'Kueue is not put into a cluster that others made';

describe('runs in a queue of Kueue', { timeout: 40 * minute, skip }, () => {
  let bench: FaultBench;
  before(async () => {
    bench = await FaultBench.open(namespace);
    await installKueue(bench.workplace.kube);
    // Room for the three workers of one run.
    await makeQueue(bench.workplace.kube, namespace, queueName, { cpu: '300m', memory: '1536Mi' });
  });
  after(async () => {
    await removeKueue(bench.workplace.kube);
    await bench.close();
  });
  const admitted = (run: string, status: 'True' | 'False'): Promise<KubeObject> =>
    eventually(`Admitted of ${run} is ${status}`, 5 * minute, async () => {
      const condition = conditionOf(await bench.run(run), 'Admitted');
      return condition?.['status'] === status && condition;
    });

  test('with room for one, the second waits, and then does both stages', patience, async () => {
    const { workplace } = bench;
    const { kube } = workplace;
    await bench.start('first', { ...pretrainOnly, queueName });
    assert.equal((await admitted('first', 'True'))['reason'], 'QueueAdmitted');
    await bench.apply('second', { queueName });
    assert.equal((await admitted('second', 'False'))['reason'], 'WaitingForQueue');
    // It is Kueue that makes it wait, for what the other one has.
    const waiting = await eventually('the word of the queue', minute, async () => {
      const workload = await workloadOf(kube, namespace, 'second-pretrain');
      return workload && conditionOf(workload, 'QuotaReserved');
    });
    assert.equal(waiting['status'], 'False');
    assert.match(waiting['message'] as string, /insufficient unused quota/);
    const job = await kube.get(workplace.path('jobs/second-pretrain', 'apis/batch/v1'));
    assert.equal(job['spec'].suspend, true);
    assert.equal((await kube.list(workplace.path('pods'), 'simsiam.dev/run=second')).length, 0);
    await bench.endsAsUndisturbed('first');
    const { status } = await bench.endsAsUndisturbed('second');
    assert.ok(status.linear.top1 > 0, 'the other stage was admitted too');
  });

  test('a more important run takes its place, and it goes on where it was', patience, async () => {
    const { kube, relay } = bench.workplace;
    const urgent = priorityClass('urgent');
    await kube.apply(urgent);
    await bench.start('usual', { ...pretrainOnly, queueName });
    const { podTemplate } = smallRun('any', namespace, relay.endpoint).spec;
    const important = { ...podTemplate, priorityClassName: 'urgent' };
    await bench.apply('urgent', { ...pretrainOnly, queueName, podTemplate: important });
    await admitted('usual', 'False');
    await admitted('urgent', 'True');
    assert.equal((await bench.workplace.workers('usual')).size, 0);
    await bench.endsAsUndisturbed('urgent');
    const { status } = await bench.endsAsUndisturbed('usual');
    assert.equal(status.lostSteps ?? 0, 0);
    await kube.delete('/apis/scheduling.k8s.io/v1/priorityclasses/urgent');
    tellFault(
      'Kueue preempts a run for a more important one',
      'a checkpoint after the step, then no pods; once admitted again it goes on from there',
    );
  });
});
