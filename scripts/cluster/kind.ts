import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { kind } from '../tools/cluster-tools.ts';
import { must } from './system.ts';
import type { Provider } from './provider.ts';

const name = 'simsiam';
const kubeconfig = join(tmpdir(), 'simsiam-kind-kubeconfig');

/** Clusters of stock kind. KIND_NODE_IMAGE names another image for the nodes than kind's own. */
export function kindProvider(): Provider {
  const run = async (...args: readonly string[]) => must(await kind(), ...args, '--name', name);
  const load = async (archives: readonly string[]): Promise<void> => {
    for (const archive of archives) await run('load', 'image-archive', archive);
  };
  return {
    name: 'kind',
    load,
    up: async (nodes, archives, say) => {
      await run('delete', 'cluster');
      const config = join(tmpdir(), 'simsiam-kind.yaml');
      const roles = ['control-plane', ...Array.from({ length: nodes }, () => 'worker')];
      const text = [
        'kind: Cluster',
        'apiVersion: kind.x-k8s.io/v1alpha4',
        'nodes:',
        ...roles.map((role) => `  - role: ${role}`),
      ];
      await writeFile(config, `${text.join('\n')}\n`);
      const image = process.env.KIND_NODE_IMAGE;
      const args = ['create', 'cluster', '--config', config, '--kubeconfig', kubeconfig, '--wait', '180s'];
      await run(...args, ...(image ? ['--image', image] : []));
      say(`kind's cluster of ${nodes} workers is ready`);
      await load(archives);
      say('the images are loaded');
      return { kubeconfig, machine: await gateway() };
    },
    down: async () => {
      await run('delete', 'cluster', '--kubeconfig', kubeconfig);
    },
  };
}

/** The machine's address on the network of kind's nodes. */
async function gateway(): Promise<string> {
  const format = '{{range .IPAM.Config}}{{.Gateway}}\n{{end}}';
  const gateways = (await must('docker', 'network', 'inspect', 'kind', '--format', format)).trim().split('\n');
  return gateways.find((address) => /^[\d.]+$/.test(address)) ?? '';
}
