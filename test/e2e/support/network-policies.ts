import { networkAgentArchive, networkAgentImage } from '../../../scripts/cluster/network-agent.ts';
import { network } from '../../../scripts/cluster/layout.ts';
import { pauseImage } from '../../../scripts/cluster/node-config.ts';
import { chooseProvider } from '../../../scripts/cluster/provider.ts';
import type { Kube, KubeObject } from './kube.ts';

const name = 'kube-router';
const namespace = 'kube-system';

/** Whether the cluster does it by itself: kind's own network plugin does. */
export const alwaysEnforced = process.env.SIMSIAM_E2E_PROVIDER === 'kind' && process.env.KIND_NODE_IMAGE !== 'packages';

/** Lets all nodes enforce NetworkPolicies, which the network plugin of our own clusters does not. */
export async function enforceNetworkPolicies(kube: Kube): Promise<void> {
  if (alwaysEnforced) return;
  const provider = await chooseProvider(process.env);
  await provider.load([await networkAgentArchive()]);
  for (const object of agent) await kube.apply(object);
  await rolledOut(kube);
}

/** Takes the agent away, and then its rules, which it leaves. */
export async function stopEnforcing(kube: Kube): Promise<void> {
  if (alwaysEnforced) return;
  const flush = (chain: string) => container(`flush-${chain.toLowerCase()}`, ['/usr/sbin/iptables', '--flush', chain]);
  const nothing = { name: 'nothing', image: pauseImage, imagePullPolicy: 'Never' };
  await kube.apply(daemonSet([nothing], ['INPUT', 'FORWARD', 'OUTPUT'].map(flush)));
  await rolledOut(kube);
  await kube.kubectl(['delete', 'daemonset', name, '--namespace', namespace, '--cascade=foreground', '--timeout=60s']);
}

async function rolledOut(kube: Kube): Promise<void> {
  await kube.kubectl(['rollout', 'status', `daemonset/${name}`, '--namespace', namespace, '--timeout=180s']);
}

function container(of: string, command: readonly string[]): KubeObject {
  return {
    name: of,
    image: networkAgentImage,
    imagePullPolicy: 'Never',
    command,
    env: [{ name: 'NODE_NAME', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } }],
    securityContext: { privileged: true, runAsUser: 0 },
    volumeMounts: [{ name: 'lock', mountPath: '/run/xtables.lock' }],
  };
}

/** A pod in the network of each node. */
function daemonSet(containers: readonly KubeObject[], initContainers: readonly KubeObject[] = []): KubeObject {
  // Not to write tables while others do.
  const volumes = [{ name: 'lock', hostPath: { path: '/run/xtables.lock', type: 'FileOrCreate' } }];
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name, namespace },
    spec: {
      selector: { matchLabels: { app: name } },
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '100%' } },
      template: {
        metadata: { labels: { app: name } },
        spec: {
          ...{ hostNetwork: true, serviceAccountName: name, tolerations: [{ operator: 'Exists' }] },
          ...{ initContainers, containers, volumes },
        },
      },
    },
  };
}

const rule = (group: string, resources: readonly string[]) => ({
  ...{ apiGroups: [group], resources },
  verbs: ['get', 'list', 'watch'],
});

/** As its own manifests have it, for the part that enforces policies. */
const agent: readonly KubeObject[] = [
  { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name },
    rules: [
      rule('', ['pods', 'namespaces', 'nodes', 'services', 'endpoints']),
      rule('discovery.k8s.io', ['endpointslices']),
      rule('networking.k8s.io', ['networkpolicies']),
    ],
  },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
    subjects: [{ kind: 'ServiceAccount', name, namespace }],
  },
  daemonSet([
    {
      ...container(name, [
        ...['/usr/local/bin/kube-router', '--run-router=false', '--run-service-proxy=false', '--run-firewall=true'],
        ...['--enable-ipv6=false', `--service-cluster-ip-range=${network.services}`],
      ]),
      readinessProbe: { httpGet: { path: '/healthz', port: 20_244 }, periodSeconds: 1 },
    },
  ]),
];
