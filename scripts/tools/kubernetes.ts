import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheFolder } from '../../storage/cache-folder.ts';
import { goProgram } from './go-program.ts';

export const kubernetesVersion = '1.34.4';

const sources = fileURLToPath(new URL('../../../scripts/cluster', import.meta.url));
const tellsVersion = ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version'];

/**
 * The programs of a cluster: etcd, kube-apiserver, kube-controller-manager, kube-scheduler, kubelet, kube-proxy, kubeadm
 * and kubectl. One binary with many names; its modules are pinned by scripts/cluster/kubernetes/go.sum.
 *
 * @returns the folder with the programs
 * @throws SetupError if Go is missing or can't build them
 */
export async function kubernetes(cache = cacheFolder()): Promise<string> {
  const [major, minor] = kubernetesVersion.split('.') as [string, string];
  const values = { gitVersion: `v${kubernetesVersion}`, gitMajor: major, gitMinor: minor, gitTreeState: 'clean' };
  const variables = tellsVersion.flatMap((path) =>
    Object.entries(values).map(([name, value]) => [`${path}.${name}`, value]),
  );
  return goProgram(
    {
      name: 'kubernetes',
      version: kubernetesVersion,
      source: { folder: join(sources, 'kubernetes') },
      tags: ['selinux', 'notest', 'grpcnotrace'],
      variables: Object.fromEntries(variables) as Record<string, string>,
      links: [
        ...['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'],
        ...['kubelet', 'kube-proxy', 'kubeadm', 'kubectl'],
      ],
      purpose: 'to test on a cluster',
    },
    cache,
  );
}

/**
 * The cluster's DNS, with only the plugins that a test cluster needs.
 *
 * @returns the path of the program
 * @throws SetupError if Go is missing or can't build it
 */
export async function coredns(cache = cacheFolder()): Promise<string> {
  const source = { folder: join(sources, 'coredns') };
  const folder = await goProgram(
    { name: 'coredns', version: '1.12.1', source, purpose: 'to test on a cluster' },
    cache,
  );
  return join(folder, 'coredns');
}
