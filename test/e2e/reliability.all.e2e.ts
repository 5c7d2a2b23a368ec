import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { startApiServer } from '../../scripts/cluster/control-plane.ts';
import { node } from '../../scripts/cluster/layout.ts';
import { killNode, startNode } from '../../scripts/cluster/nodes.ts';
import { endProcess } from '../../scripts/cluster/system.ts';
import { coredns, kubernetes } from '../../scripts/tools/kubernetes.ts';
import { credentials } from '../storage/s3-server.ts';
import { FaultBench, patience, pretrainOnly } from './support/fault-bench.ts';
import { eventually, type KubeObject } from './support/kube.ts';
import { killLauncher, signalRanks } from './support/processes.ts';
import { smallRun } from './support/recipe.ts';
import { tellFault } from './support/tell-fault.ts';
import { conditionOf, timeToNextStep } from './support/watch-run.ts';

const minute = 60_000;
/** Of these the test harness must own the nodes. */
const bareOnly = process.env.SIMSIAM_E2E_PROVIDER !== 'bare' && 'wants the bare provider';
const programs = async () => ({ kubernetes: await kubernetes(), coredns: await coredns() });

describe('more faults while a run pre-trains', { timeout: 90 * minute }, () => {
  let bench: FaultBench;
  before(async () => {
    bench = await FaultBench.open('more-faults');
  });
  after(() => bench.close());

  const unhealthy = (name: string, message: RegExp): Promise<KubeObject> =>
    eventually(`the word of ${name}'s status`, 3 * minute, async () => {
      const healthy = conditionOf(await bench.run(name), 'Healthy');
      return healthy?.['status'] === 'False' && message.test(healthy['message'] as string) && healthy;
    });

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

  test('a damaged checkpoint', patience, async () => {
    const name = 'damaged';
    await bench.start(name);
    await bench.workplace.kube.patch(bench.runPath(name), { spec: { suspend: true } });
    await eventually('the suspension', 2 * minute, async () => {
      return conditionOf(await bench.run(name), 'Suspended')?.['status'] === 'True';
    });
    const register = JSON.parse(await bench.workplace.object(`runs/${name}/pretrain/latest.json`)) as KubeObject;
    const newest = register['checkpoints'].at(-1).key as string;
    const file = join(bench.workplace.s3.bucketFolder, `runs/${name}`, newest, 'model.safetensors');
    await writeFile(file, 'damaged');
    await bench.workplace.kube.patch(bench.runPath(name), { spec: { suspend: false } });
    await bench.endsAsUndisturbed(name);
    tellFault('the newest checkpoint is damaged', 'the run goes on from the one before');
  });

  test('S3 refuses the credentials', patience, async () => {
    const name = 'refused';
    const wrong = { AWS_ACCESS_KEY_ID: 'simsiam-test', AWS_SECRET_ACCESS_KEY: 'not-the-password' };
    await bench.workplace.kube.apply(bench.workplace.secret('wrong', wrong));
    await bench.apply(name, {
      ...pretrainOnly,
      storage: { credentialsSecretRef: { name: 'wrong' } },
      failurePolicy: { maxRestarts: 0 },
    });
    const failed = await eventually('the end', 3 * minute, async () => {
      const condition = conditionOf(await bench.run(name), 'Failed');
      return condition?.['status'] === 'True' && condition;
    });
    assert.doesNotMatch(JSON.stringify(await bench.run(name)), /not-the-password/);
    await bench.workplace.kube.delete(bench.runPath(name));
    tellFault('S3 refuses the credentials', `tried again until the budget is spent, then Failed: ${failed['reason']}`);
  });

  test('a Secret is missing', patience, async () => {
    const name = 'no-secret';
    await bench.apply(name, { ...pretrainOnly, storage: { credentialsSecretRef: { name: 'missing' } } });
    const healthy = await unhealthy(name, /missing/);
    await bench.workplace.kube.apply(bench.workplace.secret('missing', credentials));
    await bench.endsAsUndisturbed(name);
    tellFault('a Secret is missing', `Healthy is False (${healthy['reason']}); once it is there the run starts`);
  });

  test('no capacity, and then there is', patience, async () => {
    const name = 'no-capacity';
    const slot = 'simsiam.dev/slot';
    await bench.apply(name, { ...pretrainOnly, podTemplate: withResource(bench, slot) });
    const healthy = await unhealthy(name, /slot|Insufficient/);
    for (const { metadata } of await bench.workplace.kube.list('/api/v1/nodes')) {
      await bench.workplace.kube.patch(`/api/v1/nodes/${metadata.name}/status`, {
        status: { capacity: { [slot]: '1' } },
      });
    }
    await bench.endsAsUndisturbed(name);
    tellFault('not enough capacity', `Healthy is False (${healthy['reason']}); once there is the run starts`);
  });

  test('the run is deleted in the middle and made anew', patience, async () => {
    const name = 'deleted';
    await bench.start(name);
    await bench.workplace.kube.delete(bench.runPath(name));
    await eventually('the end of its pods', 2 * minute, async () => {
      const pods = await bench.workplace.kube.list(bench.workplace.path('pods'), `simsiam.dev/run=${name}`);
      return pods.length === 0;
    });
    await bench.apply(name);
    await bench.endsAsUndisturbed(name);
    tellFault('the run is deleted, and made anew later', 'all but the checkpoints goes; the new one goes on from them');
  });

  test('the API server is restarted', { ...patience, skip: bareOnly }, async () => {
    const name = 'api-restarted';
    await bench.start(name);
    await endProcess('kube-apiserver');
    await startApiServer(await programs());
    const { status } = await bench.endsAsUndisturbed(name);
    assert.equal(status.pretrain.generation, 1);
    tellFault('the API server is killed and started', 'training goes on; the operator finds back by itself');
  });

  test('a node is drained', patience, async () => {
    const name = 'drained';
    await bench.start(name);
    const { spec } = await bench.worker(name, 1);
    const flags = ['--ignore-daemonsets', '--delete-emptydir-data', '--timeout=120s'];
    const drain = () => bench.workplace.kube.kubectl(['drain', spec.nodeName as string, ...flags]);
    const seconds = await timeToNextStep(bench.workplace, name, drain, 4 * minute);
    await bench.endsAsUndisturbed(name);
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
