import { fileURLToPath } from 'node:url';
import { must } from '../../../scripts/cluster/system.ts';
import { runProgram } from '../../../scripts/setup/process.ts';
import { helm } from '../../../scripts/tools/cluster-tools.ts';
import { eventually, type Kube } from './kube.ts';

const chart = fileURLToPath(new URL('../../../../helm/simsiam-operator', import.meta.url));
export const operatorNamespace = 'simsiam-system';

/**
 * Installs the operator from its chart, as its users do, and waits until it serves. The tests ask workers by way of the API
 * server, which is no pod: it may read their figures too, where policies are enforced.
 */
export async function installOperator(kube: Kube): Promise<void> {
  const { subsets } = await kube.get('/api/v1/namespaces/default/endpoints/kubernetes');
  const apiServers = (subsets as { addresses: { ip: string }[] }[]).flatMap(({ addresses }) => addresses);
  const readers = apiServers.map(({ ip }) => ({ ipBlock: { cidr: `${ip}/32` } }));
  await must(
    await helm(),
    ...['upgrade', '--install', 'simsiam', chart, '--namespace', operatorNamespace, '--create-namespace'],
    ...['--set-json', `networkPolicy.readers=${JSON.stringify([prometheus, ...readers])}`],
    ...['--set', 'image.tag=dev', '--set', 'trainerImage.tag=dev', '--wait', '--timeout', '300s'],
  );
}

/** Of the chart's default. */
const prometheus = {
  namespaceSelector: {},
  podSelector: { matchLabels: { 'app.kubernetes.io/name': 'prometheus' } },
};

/** `helm test`, with the log of its pod. */
export async function testRelease(): Promise<{ readonly passed: boolean; readonly output: string }> {
  const args = ['test', 'simsiam', '--namespace', operatorNamespace, '--logs', '--timeout', '60s'];
  const ended = await runProgram(await helm(), args);
  return { passed: ended?.code === 0, output: `${ended?.stdout ?? ''}${ended?.stderr ?? 'helm is missing'}` };
}

/** Sets how many replicas there are, and waits until there are that many and all of them serve. */
export async function scaleOperator(kube: Kube, replicas: number): Promise<void> {
  const deployment = `/apis/apps/v1/namespaces/${operatorNamespace}/deployments/simsiam-simsiam-operator`;
  await kube.patch(deployment, { spec: { replicas } });
  await eventually(`${replicas} replicas of the operator`, 120_000, async () => {
    const pods = await kube.list(
      `/api/v1/namespaces/${operatorNamespace}/pods`,
      'app.kubernetes.io/name=simsiam-operator,app.kubernetes.io/component!=test',
    );
    const ready = pods.filter(({ status }) =>
      (status.conditions ?? []).some((is: Condition) => is.type === 'Ready' && is.status === 'True'),
    );
    return pods.length === replicas && ready.length === replicas;
  });
}

interface Condition {
  readonly type: string;
  readonly status: string;
}

/** Kills all its pods at once, as a power cut does; its Deployment makes others. */
export async function killOperator(kube: Kube): Promise<void> {
  const pods = `/api/v1/namespaces/${operatorNamespace}/pods`;
  for (const { metadata } of await kube.list(pods)) {
    await kube.delete(`${pods}/${metadata.name}`, { gracePeriodSeconds: 0 });
  }
}
