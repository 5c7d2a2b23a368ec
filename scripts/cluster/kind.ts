import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { kind } from '../tools/cluster-tools.ts';
import { nodeArchive, nodeImage } from './kind-node/image.ts';
import { must, until } from './system.ts';
import type { Provider } from './provider.ts';

const name = 'simsiam';
const controlPlaneNode = `${name}-control-plane`;
const podSubnet = '10.244.0.0/16';
const kubeconfig = join(tmpdir(), 'simsiam-kind-kubeconfig');

/**
 * Clusters of stock kind. KIND_NODE_IMAGE names another image for the nodes than kind's own; `packages` is one that is
 * made here of Debian's packages and Kubernetes' sources, where no registry of images can be reached.
 */
export function kindProvider(wanted = process.env.KIND_NODE_IMAGE): Provider {
  const run = async (...args: readonly string[]) => must(await kind(), ...args, '--name', name);
  const isOwn = wanted === 'packages';
  const load = async (archives: readonly string[]): Promise<void> => {
    for (const archive of archives) await run('load', 'image-archive', archive);
  };
  return {
    name: 'kind',
    load,
    up: async (nodes, archives, say) => {
      await run('delete', 'cluster');
      if (isOwn) await must('docker', 'load', '--input', await nodeArchive());
      const image = isOwn ? nodeImage : wanted;
      const config = join(tmpdir(), 'simsiam-kind.yaml');
      await writeFile(config, clusterConfig(nodes, isOwn));
      const args = ['create', 'cluster', '--config', config, '--kubeconfig', kubeconfig, '--wait', '180s'];
      await run(...args, ...(image ? ['--image', image] : []));
      if (isOwn) await connectNodes();
      say(`kind's cluster of ${nodes} workers is ready`);
      await load(archives);
      say('the images are loaded');
      return { kubeconfig, machine: await gateway() };
    },
    down: async () => {
      await run('delete', 'cluster', '--kubeconfig', kubeconfig);
    },
    machines: {
      run: onNode,
      cutPower: async (node) => {
        await must('docker', 'kill', node);
      },
      powerOn: async (node) => {
        await must('docker', 'start', node);
        // Before its first process hands over to systemd, it still writes rules of the network itself.
        const isUp = () => onNode(node, 'systemctl', 'show-environment').then(Boolean, () => false);
        await until(`the start of ${node}`, 120_000, isUp);
        if (isOwn) await connectNodes();
      },
      // Its kubelet starts it again.
      restartApiServer: async () => {
        await onNode(controlPlaneNode, 'pkill', '--signal', 'KILL', '--exact', 'kube-apiserver');
      },
    },
  };
}

/** On a machine that does other things too, the API server takes its time. */
const patient = {
  apiVersion: 'kubeadm.k8s.io/v1beta3',
  kind: 'ClusterConfiguration',
  apiServer: { timeoutForControlPlane: '15m0s' },
};

/** Our own node image has no network plugin that is an image, and kube-proxy works with nftables. */
function clusterConfig(nodes: number, isOwn: boolean): string {
  const roles = ['control-plane', ...Array.from({ length: nodes }, () => 'worker')];
  return JSON.stringify({
    kind: 'Cluster',
    apiVersion: 'kind.x-k8s.io/v1alpha4',
    nodes: roles.map((role) => ({ role })),
    kubeadmConfigPatches: [JSON.stringify(patient)],
    ...(isOwn && { networking: { disableDefaultCNI: true, kubeProxyMode: 'nftables', ipFamily: 'ipv4', podSubnet } }),
  });
}

interface NodeObject {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly podCIDR: string };
  readonly status: { readonly addresses: readonly { readonly type: string; readonly address: string }[] };
}

/** What kind's own network plugin does on each node: routes to the pods of the others, and a way out of the cluster. */
async function connectNodes(): Promise<void> {
  const { items } = JSON.parse(
    await onNode(controlPlaneNode, 'kubectl', '--kubeconfig=/etc/kubernetes/admin.conf', 'get', 'nodes', '-o=json'),
  ) as { items: readonly NodeObject[] };
  for (const from of items) {
    for (const { metadata, spec, status } of items) {
      if (metadata.name === from.metadata.name) continue;
      const via = status.addresses.find(({ type }) => type === 'InternalIP')!.address;
      await onNode(from.metadata.name, 'ip', 'route', 'replace', spec.podCIDR, 'via', via);
    }
    // Between pods addresses stay as they are, which NetworkPolicies go by; outside nobody knows those of pods.
    const outward = ['POSTROUTING', '--source', podSubnet, '!', '--destination', podSubnet, '--jump', 'MASQUERADE'];
    const nat = (verb: string) => onNode(from.metadata.name, 'iptables', '--table', 'nat', verb, ...outward);
    await nat('--check').catch(() => nat('--append'));
  }
}

/** Runs a command on a node, which is a container. */
function onNode(node: string, ...command: readonly string[]): Promise<string> {
  return must('docker', 'exec', node, ...command);
}

/** The machine's address on the network of kind's nodes. */
async function gateway(): Promise<string> {
  const format = '{{range .IPAM.Config}}{{.Gateway}}\n{{end}}';
  const gateways = (await must('docker', 'network', 'inspect', 'kind', '--format', format)).trim().split('\n');
  return gateways.find((address) => /^[\d.]+$/.test(address)) ?? '';
}
