import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseManifest } from '../../../api/manifest.ts';
import type { SimSiamRunInput } from '../../../api/run.ts';
import { workerEnvironment } from '../../../api/worker.ts';
import type { Job } from '../../../operator/kube/objects.ts';
import { freeze } from '../../../operator/resources/freeze.ts';
import { buildJob } from '../../../operator/resources/job.ts';
import { buildNetworkPolicy } from '../../../operator/resources/network-policy.ts';
import { buildService } from '../../../operator/resources/service.ts';
import { runOf } from '../fixtures.ts';

type Spec = Partial<SimSiamRunInput['spec']>;

function job(spec: Spec = {}): Job {
  const run = runOf(spec);
  const frozen = freeze(run, 'trainer:1');
  assert.equal(frozen.problem, undefined);
  return buildJob(run, 'pretrain', frozen.run);
}
const podOf = (spec: Spec = {}) => job(spec).spec!.template.spec!;
const trainerOf = (spec: Spec = {}) => podOf(spec).containers[0]!;

describe('the Job of a stage', () => {
  it('gives each worker its own budget, fails on errors that no retry mends, and ends with worker 0', () => {
    const { template: _, ...spec } = job({ workers: 4, failurePolicy: { maxRestarts: 7 } }).spec!;
    const onExitCodes = (values: number[]) => ({ containerName: 'trainer', operator: 'In', values });
    assert.deepEqual(spec, {
      completionMode: 'Indexed',
      completions: 4,
      parallelism: 4,
      backoffLimitPerIndex: 7,
      maxFailedIndexes: 0,
      podReplacementPolicy: 'Failed',
      podFailurePolicy: {
        rules: [
          { action: 'FailJob', onExitCodes: onExitCodes([64, 65, 77]) },
          { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
          { action: 'Ignore', onExitCodes: onExitCodes([75]) },
        ],
      },
      successPolicy: { rules: [{ succeededIndexes: '0' }] },
      suspend: false,
    });
  });

  it('with a queue is made suspended, and names the queue', () => {
    const { metadata, spec } = job({ queueName: 'team' });
    assert.deepEqual([metadata.labels?.['kueue.x-k8s.io/queue-name'], spec?.suspend], ['team', true]);
  });

  it("is the run's: named after it, owned by it, labelled with it", () => {
    const { metadata } = job();
    assert.equal(metadata.name, 'digits-pretrain');
    assert.deepEqual(metadata.ownerReferences?.[0], {
      apiVersion: 'simsiam.dev/v1alpha1',
      kind: 'SimSiamRun',
      name: 'digits',
      uid: '0a1b2c3d-run',
      controller: true,
      blockOwnerDeletion: true,
    });
    assert.equal(metadata.labels?.['simsiam.dev/run-uid'], '0a1b2c3d-run');
  });
});

describe('the pods of a run', () => {
  it('are fit for Pod Security restricted', () => {
    const { securityContext, automountServiceAccountToken, containers } = podOf();
    assert.equal(securityContext?.runAsNonRoot, true);
    assert.deepEqual(securityContext?.seccompProfile, { type: 'RuntimeDefault' });
    assert.equal(automountServiceAccountToken, false);
    assert.deepEqual(containers[0]?.securityContext, {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
  });

  it('are told all that a worker needs, but its index, which the Job sets', () => {
    const names = trainerOf().env?.map(({ name }) => name);
    const { index, ...others } = workerEnvironment;
    for (const name of Object.values(others)) assert.ok(names?.includes(name), name);
    assert.ok(!names?.includes(index));
    const rendezvous = trainerOf().env?.find(({ name }) => name === workerEnvironment.rendezvous);
    assert.equal(rendezvous?.value, 'digits-pretrain-0.digits:7600');
    assert.equal(podOf().subdomain, 'digits');
  });

  it('leave lost nodes after 30 s, and are not moved by autoscalers', () => {
    const { metadata, spec } = job({ podTemplate: { tolerations: [{ key: 'gpu', operator: 'Exists' }] } }).spec!
      .template;
    const seconds = spec?.tolerations?.map(({ key, tolerationSeconds }) => [key, tolerationSeconds]);
    assert.deepEqual(seconds, [
      ['node.kubernetes.io/not-ready', 30],
      ['node.kubernetes.io/unreachable', 30],
      ['gpu', undefined],
    ]);
    assert.equal(metadata?.annotations?.['cluster-autoscaler.kubernetes.io/safe-to-evict'], 'false');
    assert.equal(metadata?.annotations?.['karpenter.sh/do-not-disrupt'], 'true');
  });

  const resources: readonly [reason: string, spec: Spec, expected: object][] = [
    ['a rank on the CPU', { gpusPerWorker: 0 }, { requests: { cpu: '1', memory: '2112Mi' }, limits: {} }],
    [
      'GPUs, and shared memory for them',
      { gpusPerWorker: 2, gpuResourceName: 'amd.com/gpu' },
      { requests: { cpu: '8', memory: '34816Mi' }, limits: { 'amd.com/gpu': '2' } },
    ],
    [
      'what the run says is what counts: a limit alone is its own request',
      { gpusPerWorker: 0, podTemplate: { resources: { requests: { cpu: '500m' }, limits: { memory: '1Gi' } } } },
      { requests: { cpu: '500m' }, limits: { memory: '1Gi' } },
    ],
  ];
  for (const [reason, spec, expected] of resources) {
    it(`ask for ${reason}`, () => assert.deepEqual(trainerOf(spec).resources, expected));
  }

  it('get credentials by reference, and trust the given authority', () => {
    const storage = { uri: 's3://b/r', credentialsSecretRef: { name: 's3' }, caBundleSecretRef: { name: 'ca' } };
    const { envFrom, env } = trainerOf({ storage });
    assert.deepEqual(envFrom, [{ secretRef: { name: 's3' } }]);
    assert.equal(env?.find(({ name }) => name === 'AWS_CA_BUNDLE')?.value, '/etc/simsiam/ca/ca.crt');
    const volume = podOf({ storage }).volumes?.find(({ name }) => name === 'simsiam-ca');
    assert.deepEqual(volume?.secret, { secretName: 'ca', items: [{ key: 'ca.crt', path: 'ca.crt' }] });
  });

  it('get credentials of their own for data', () => {
    const storage = { uri: 's3://b/r', credentialsSecretRef: { name: 's3' } };
    const data = { train: 's3://images/train', val: 's3://images/val', credentialsSecretRef: { name: 'images' } };
    const ofData = { prefix: 'SIMSIAM_DATA_', secretRef: { name: 'images' } };
    assert.deepEqual(trainerOf({ storage, data }).envFrom, [{ secretRef: { name: 's3' } }, ofData]);
    assert.deepEqual(trainerOf({ storage: { uri: '/runs/r' }, data }).envFrom, [ofData]);
    assert.equal(trainerOf({}).envFrom, undefined);
  });

  it('take what the template adds', () => {
    const podTemplate = {
      labels: { team: 'vision' },
      nodeSelector: { zone: 'a' },
      volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'imagenet' } }],
      volumeMounts: [{ name: 'data', mountPath: '/data' }],
      env: [{ name: 'NCCL_DEBUG', value: 'INFO' }],
      terminationGracePeriodSeconds: 300,
    };
    const { metadata, spec } = job({ podTemplate }).spec!.template;
    assert.equal(metadata?.labels?.['team'], 'vision');
    assert.deepEqual(spec?.nodeSelector, { zone: 'a' });
    assert.equal(spec?.terminationGracePeriodSeconds, 300);
    assert.ok(spec?.volumes?.some(({ name }) => name === 'data'));
    assert.ok(spec?.containers[0]?.volumeMounts?.some(({ mountPath }) => mountPath === '/data'));
    assert.ok(spec?.containers[0]?.env?.some(({ name }) => name === 'NCCL_DEBUG'));
  });

  const clashing: readonly [what: string, podTemplate: NonNullable<Spec['podTemplate']>][] = [
    ['labels: simsiam.dev/run', { labels: { 'simsiam.dev/run': 'x' } }],
    ['annotations: karpenter.sh/do-not-disrupt', { annotations: { 'karpenter.sh/do-not-disrupt': 'false' } }],
    ['volumes: simsiam-scratch', { volumes: [{ name: 'simsiam-scratch' }] }],
    ['volumeMounts: /scratch/', { volumeMounts: [{ name: 'x', mountPath: '/scratch/' }] }],
    ['env: SIMSIAM_STAGE', { env: [{ name: 'SIMSIAM_STAGE', value: 'linear' }] }],
    ['env: AWS_CA_BUNDLE', { env: [{ name: 'AWS_CA_BUNDLE', value: '/x' }] }],
    ['resources.limits: nvidia.com/gpu', { resources: { limits: { 'nvidia.com/gpu': 1 } } }],
  ];
  for (const [what, podTemplate] of clashing) {
    it(`refuse ${what}, which is the operator's own`, () => {
      const storage = { uri: 's3://b/r', caBundleSecretRef: { name: 'ca' } };
      assert.match(
        freeze(runOf({ storage, podTemplate }), 'i').problem ?? '',
        new RegExp(`^spec\\.podTemplate\\.${what} is set`),
      );
    });
  }
});

describe('the network of a run', () => {
  it('finds workers before they are ready, and those of this very run alone', () => {
    const { spec } = buildService(runOf());
    assert.deepEqual([spec?.clusterIP, spec?.publishNotReadyAddresses], ['None', true]);
    assert.deepEqual(spec?.selector, { 'simsiam.dev/run': 'digits', 'simsiam.dev/run-uid': '0a1b2c3d-run' });
  });
  it('lets others in only where progress and metrics are', () => {
    const [own, others] = buildNetworkPolicy(runOf()).spec?.ingress ?? [];
    assert.equal(own?.ports, undefined);
    assert.deepEqual(others, { from: [{ namespaceSelector: {} }], ports: [{ port: 8080, protocol: 'TCP' }] });
    const prometheus = { podSelector: { matchLabels: { app: 'prometheus' } } };
    assert.deepEqual(buildNetworkPolicy(runOf(), [prometheus]).spec?.ingress?.[1]?.from, [prometheus]);
    // A rule without any peer would let in everybody.
    assert.deepEqual(buildNetworkPolicy(runOf(), []).spec?.ingress, [own]);
  });
});

describe('examples/cluster.yaml', () => {
  it('is a run that the operator takes as it is', async () => {
    const path = fileURLToPath(new URL('../../../../examples/cluster.yaml', import.meta.url));
    const { spec } = parseManifest(await readFile(path, 'utf8'), path);
    const frozen = freeze(runOf({}, { spec }), 'trainer:1');
    assert.equal(frozen.problem, undefined);
    const pods = buildJob(runOf({}, { spec }), 'pretrain', frozen.run).spec?.template.spec;
    assert.equal(pods?.containers[0]?.resources?.limits?.['nvidia.com/gpu'], '1');
    assert.ok(pods?.volumes?.some(({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName === 'imagenet'));
  });
});
