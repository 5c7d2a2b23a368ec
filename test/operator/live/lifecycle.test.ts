import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, describe, it } from 'node:test';

import type { Progress, WorkerStage } from '../../../api/worker.ts';
import { workerPorts } from '../../../api/worker.ts';
import type { Job, KubeObject } from '../../../operator/kube/objects.ts';
import { leaseRules, runRules } from '../../../operator/rbac.ts';
import { smallestRun } from '../../api/smallest-run.ts';
import { startControlPlane } from '../../support/control-plane.ts';
import { kubectlOutput } from '../../support/kubectl.ts';
import { is, LiveCluster, operatorUser } from './live-cluster.ts';
import { OperatorProcess } from './operator-process.ts';

const group = 'system:serviceaccounts';
const { plane, skip } = await startControlPlane({
  controllers: true,
  users: [{ name: operatorUser, groups: [group, 'system:authenticated'] }],
  audited: operatorUser,
});

const childKinds = [
  { apiVersion: 'v1', kind: 'Secret' },
  { apiVersion: 'v1', kind: 'ConfigMap' },
  { apiVersion: 'v1', kind: 'Service' },
  { apiVersion: 'v1', kind: 'Pod' },
  { apiVersion: 'batch/v1', kind: 'Job' },
  { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy' },
];

function progress(stage: WorkerStage, phase: Progress['phase']): Progress {
  const figures =
    stage === 'pretrain'
      ? { pretrain: { epoch: 3, step: 12, totalSteps: 40, loss: -0.87654, outputStd: 0.0441 } }
      : { linear: { epoch: 2, top1: 61.25 } };
  const restarts = { peerLost: 0, hang: 0, failed: 0 };
  return { stage, phase, generation: 1, updatedAt: new Date().toISOString(), ...figures, restarts, lostSteps: 0 };
}

/** Who wants what a field is, as `simsiam-operator Apply`. */
function managersOf({ metadata }: KubeObject, field: string): string[] {
  const owners = metadata.managedFields?.filter(({ fieldsV1 }) => JSON.stringify(fieldsV1).includes(`"${field}"`));
  return (owners ?? []).map(({ manager, operation }) => `${manager} ${operation}`);
}

describe('runs on a real API server', { skip, concurrency: true }, () => {
  let cluster: LiveCluster;
  let operator: OperatorProcess;
  /** What worker 0 of all runs answers. */
  const worker = createServer((_, response) => response.end(JSON.stringify(progress('pretrain', 'Pretraining'))));

  before(async () => {
    cluster = await LiveCluster.prepare(plane!);
    operator = new OperatorProcess(plane!.kubeconfig(operatorUser));
    await operator.line('leads');
    worker.listen(workerPorts.http, '127.77.0.1');
  });
  after(async () => {
    await operator.stop();
    worker.close();
    await cluster.close();
  });

  const finish = async (run: string, stage: WorkerStage): Promise<void> => {
    await cluster.kubelet.running(run, stage, 0);
    await cluster.kubelet.end(run, stage, 1, 0);
    await cluster.kubelet.end(run, stage, 0, 0, { progress: progress(stage, 'Finished') });
  };
  const childrenOf = async (run: string): Promise<KubeObject[]> =>
    (await Promise.all(childKinds.map((kind) => cluster.list(kind, `simsiam.dev/run=${run}`)))).flat();

  it('does both stages, tells how far they are, and is deleted with all its children', async () => {
    await cluster.create('whole');
    const during = await cluster.until('whole', (status) => status?.pretrain?.epoch !== undefined);
    assert.deepEqual([during?.phase, during?.pretrain?.loss], ['Pretraining', -0.8765]);
    await finish('whole', 'pretrain');
    await cluster.until('whole', is('PretrainComplete'));
    await finish('whole', 'linear');
    await kubectlOutput(plane!, ['wait', 'ssr/whole', '--for=condition=Complete', '--timeout=60s']);
    assert.match(await kubectlOutput(plane!, ['get', 'ssr', 'whole']), /^whole +Succeeded +3 +-0\.8765 +61\.25 +0 /m);
    assert.match(await kubectlOutput(plane!, ['describe', 'ssr', 'whole']), /Complete/);
    const kinds = (await childrenOf('whole')).map(({ kind }) => kind).filter((kind) => kind !== 'Pod');
    const both = ['ConfigMap', 'ConfigMap', 'Job', 'Job'];
    assert.deepEqual(kinds.toSorted(), [...both, 'NetworkPolicy', 'Secret', 'Service']);
    const run = (await cluster.list(smallestRun)).find(({ metadata }) => metadata.name === 'whole')!;
    assert.deepEqual(managersOf(run, 'f:status'), ['simsiam-operator Apply']);
    await kubectlOutput(plane!, ['delete', 'ssr', 'whole']);
    while ((await childrenOf('whole')).length > 0);
  });

  it('fails with what the worker said, and makes no other pod', async () => {
    await cluster.create('failing');
    const message = 'data.train: there are no images in ./train';
    await cluster.kubelet.running('failing', 'pretrain', 0);
    await cluster.kubelet.end('failing', 'pretrain', 1, 65, { code: 'DATA_EMPTY', message });
    const status = await cluster.until('failing', is('Failed'));
    const failed = status?.conditions?.find(({ type }) => type === 'Failed');
    assert.equal(failed?.reason, 'BadData');
    assert.ok(failed.message.includes(message), failed.message);
    assert.equal(status?.phase, 'Failed');
  });

  it('is suspended and resumed', async () => {
    await cluster.create('paused');
    await cluster.kubelet.running('paused', 'pretrain', 1);
    await cluster.patch('paused', { suspend: true });
    await cluster.until('paused', is('Suspended'));
    assert.ok(
      (await cluster.kubelet.pods()).every(({ metadata: { labels }, status }) => {
        return labels?.['simsiam.dev/run'] !== 'paused' || status?.phase === 'Failed';
      }),
    );
    const [job] = await cluster.list({ apiVersion: 'batch/v1', kind: 'Job' }, 'simsiam.dev/run=paused');
    assert.ok(managersOf(job!, 'f:suspend').includes('simsiam-operator Apply'));
    // What somebody writes into the status is not counted from.
    const stranger = JSON.stringify({ status: { activeSince: '2026-01-01T00:00:00Z' } });
    await kubectlOutput(plane!, ['patch', 'ssr', 'paused', '--subresource=status', '--type=merge', '-p', stranger]);
    await cluster.until('paused', (status) => status?.activeSince === undefined);
    await cluster.patch('paused', { suspend: false });
    await finish('paused', 'pretrain');
    await cluster.until('paused', is('PretrainComplete'));
  });

  it('waits for its queue, and leaves its Jobs to who admits them', async () => {
    await cluster.create('queued', { 'spec.queueName': 'lab' });
    const job = async (stage: WorkerStage): Promise<Job> => {
      for (;;) {
        const found = await cluster.list<Job>(
          { apiVersion: 'batch/v1', kind: 'Job' },
          `simsiam.dev/run=queued,simsiam.dev/stage=${stage}`,
        );
        if (found[0] !== undefined) return found[0];
      }
    };
    // What Kueue does: it alone writes `suspend` of a Job with this label.
    const admit = async (stage: WorkerStage, admitted = true): Promise<void> => {
      await cluster.until('queued', is('Admitted', admitted ? 'False' : 'True'));
      await job(stage);
      const patch = JSON.stringify({ spec: { suspend: !admitted } });
      await kubectlOutput(plane!, ['patch', 'job', `queued-${stage}`, '--field-manager=kueue', '-p', patch]);
    };
    await cluster.until('queued', is('Admitted', 'False'));
    const waiting = await job('pretrain');
    assert.equal(waiting.metadata.labels?.['kueue.x-k8s.io/queue-name'], 'lab');
    assert.deepEqual([waiting.spec?.suspend, waiting.status?.active ?? 0], [true, 0]);
    await admit('pretrain');
    const first = await cluster.kubelet.running('queued', 'pretrain', 0);
    // Preempted by the queue, and admitted again: other pods of the same Job go on.
    await admit('pretrain', false);
    await cluster.until('queued', is('Admitted', 'False'));
    await admit('pretrain');
    let next = first;
    while (next.metadata.uid === first.metadata.uid) next = await cluster.kubelet.running('queued', 'pretrain', 0);
    assert.equal((await job('pretrain')).metadata.uid, waiting.metadata.uid);
    await finish('queued', 'pretrain');
    // The other stage waits for its turn as well.
    await cluster.until('queued', is('PretrainComplete'));
    await admit('linear');
    await finish('queued', 'linear');
    await cluster.until('queued', is('Complete'));
    for (const stage of ['pretrain', 'linear'] as const) {
      assert.deepEqual(managersOf(await job(stage), 'f:suspend'), ['kueue Update']);
    }
  });

  it('is stopped at its deadline, and deleted when its time to live is over', async () => {
    await cluster.create('short', { 'spec.activeDeadlineSeconds': 5, 'spec.ttlSecondsAfterFinished': 1 });
    const failed = await cluster.until('short', is('Failed'));
    assert.equal(failed?.conditions?.find(({ type }) => type === 'Failed')?.reason, 'DeadlineExceeded');
    await cluster.until('short', (status) => status === undefined);
    while ((await childrenOf('short')).length > 0);
  });

  it('gets another pod for one whose node is gone', async () => {
    await cluster.create('lost', { 'spec.podTemplate': { terminationGracePeriodSeconds: 1 } });
    const pod = await cluster.kubelet.running('lost', 'pretrain', 1);
    cluster.kubelet.lose(pod);
    const reason = 'DeletionByTaintManager';
    const lastTransitionTime = new Date().toISOString();
    const condition = { type: 'DisruptionTarget', status: 'True', reason, lastTransitionTime };
    const patch = JSON.stringify({ status: { conditions: [condition] } });
    await kubectlOutput(plane!, ['patch', 'pod', pod.metadata.name, '--subresource=status', '-p', patch]);
    await kubectlOutput(plane!, ['delete', 'pod', pod.metadata.name, '--wait=false']);
    for (let next = pod; next.metadata.uid === pod.metadata.uid;) {
      next = await cluster.kubelet.running('lost', 'pretrain', 1);
    }
  });

  it('goes on when the CustomResourceDefinition is upgraded', async () => {
    await cluster.create('upgraded');
    await cluster.kubelet.running('upgraded', 'pretrain', 1);
    const column = { name: 'Step', type: 'integer', jsonPath: '.status.pretrain.step' };
    const field = { type: 'string', default: 'new' };
    const patch = [
      { op: 'add', path: '/spec/versions/0/additionalPrinterColumns/-', value: column },
      { op: 'add', path: '/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/later', value: field },
    ];
    const crd = ['crd', 'simsiamruns.simsiam.dev', '--type=json', '-p', JSON.stringify(patch)];
    await kubectlOutput(plane!, ['patch', ...crd]);
    await finish('upgraded', 'pretrain');
    await finish('upgraded', 'linear');
    await cluster.until('upgraded', is('Complete'));
  });
});

describe('the operator', { skip }, () => {
  it('asked for nothing that its role denies, and its role grants nothing that it did not use', () => {
    const requests = plane!.audit();
    const denied = requests.filter(({ responseStatus }) => responseStatus?.code === 403);
    assert.deepEqual(denied, []);
    const used = new Set(
      requests.flatMap(({ verb, objectRef }) => {
        if (objectRef === undefined) return [];
        const { apiGroup = '', resource, subresource } = objectRef;
        return `${verb} ${apiGroup}/${resource}${subresource === undefined ? '' : `/${subresource}`}`;
      }),
    );
    const granted = [...runRules, ...leaseRules].flatMap(({ apiGroups, resources, verbs }) =>
      apiGroups.flatMap((of) => resources.flatMap((resource) => verbs.map((verb) => `${verb} ${of}/${resource}`))),
    );
    // An admission plugin that isn't on here asks for it when a child with an owner is made.
    const ofAdmission = 'update simsiam.dev/simsiamruns/finalizers';
    assert.deepEqual([...used].toSorted(), granted.filter((one) => one !== ofAdmission).toSorted());
  });
});
