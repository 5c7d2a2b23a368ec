import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { programArchive } from '../../../scripts/cluster/program-image.ts';
import { chooseProvider } from '../../../scripts/cluster/provider.ts';
import { kueue, kueueManifests } from '../../../scripts/tools/cluster-tools.ts';
import { eventually, type Kube, type KubeObject } from './kube.ts';

const image = 'docker.io/library/kueue:test';
const api = 'kueue.x-k8s.io/v1beta2';
const settle = 120_000;

/** Installs Kueue from its own manifests, webhooks included; only the image is of this machine. */
export async function installKueue(kube: Kube): Promise<void> {
  const provider = await chooseProvider(process.env);
  await provider.load([await programArchive(await kueue(), image)]);
  const manifests = (await kube.kubectl(['kustomize', await kueueManifests()]))
    .replace(/image: \S+\/kueue:\S+/, `image: ${image}`)
    .replace('imagePullPolicy: Always', 'imagePullPolicy: Never')
    .replace('- /manager', '- /kueue');
  const folder = await mkdtemp(join(tmpdir(), 'simsiam-kueue-'));
  const file = join(folder, 'kueue.yaml');
  await writeFile(file, manifests);
  await kube.kubectl(['apply', '--server-side', '--filename', file]);
  await rm(folder, { recursive: true });
  const deployment = ['deployment/kueue-controller-manager', '--namespace', 'kueue-system'];
  await kube.kubectl(['rollout', 'status', ...deployment, '--timeout=300s']);
}

/** Takes away what of Kueue other tests would notice. */
export async function removeKueue(kube: Kube): Promise<void> {
  // While an API service has no server, no namespace ends: what is in one can't be listed.
  const kinds = ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations', 'apiservices'];
  for (const kind of kinds) await kube.kubectl(['delete', kind, '--selector', 'app.kubernetes.io/name=kueue']);
  await kube.kubectl(['delete', 'namespace', 'kueue-system', '--timeout=120s']);
}

/** A queue of a namespace that holds so much of each resource, where the more important comes first. */
export async function makeQueue(kube: Kube, namespace: string, name: string, quota: KubeObject): Promise<void> {
  const resources = Object.entries(quota).map(([resource, nominalQuota]) => ({ name: resource, nominalQuota }));
  const resourceGroups = [{ coveredResources: Object.keys(quota), flavors: [{ name: 'default', resources }] }];
  const preemption = { withinClusterQueue: 'LowerPriority' };
  const objects = [
    { kind: 'ResourceFlavor', metadata: { name: 'default' }, spec: {} },
    { kind: 'ClusterQueue', metadata: { name }, spec: { namespaceSelector: {}, resourceGroups, preemption } },
    { kind: 'LocalQueue', metadata: { name, namespace }, spec: { clusterQueue: name } },
  ];
  for (const object of objects) {
    // Its webhooks take some seconds until they answer.
    await eventually(`the ${object.kind}`, settle, async () => {
      await kube.apply({ apiVersion: api, ...object });
      return true;
    });
  }
}

/** The pods of this class are more important than those of none. */
export function priorityClass(name: string): KubeObject {
  return {
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass',
    metadata: { name },
    value: 1000,
    // It is the queue that makes room, not the scheduler.
    preemptionPolicy: 'Never',
  };
}

/** What Kueue says of the Job of a run's stage. */
export async function workloadOf(kube: Kube, namespace: string, job: string): Promise<KubeObject | undefined> {
  const workloads = await kube.list(`/apis/${api}/namespaces/${namespace}/workloads`);
  return workloads.find(({ metadata }) =>
    (metadata.ownerReferences ?? []).some((owner: KubeObject) => owner['name'] === job),
  );
}
