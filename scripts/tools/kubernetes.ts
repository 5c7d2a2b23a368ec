import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheFolder } from '../../storage/cache-folder.ts';
import { SetupError } from '../setup/errors.ts';
import { goProgram } from './go-program.ts';

export const kubernetesVersion = '1.34.4';
export const corednsVersion = '1.12.1';

/** The oldest that the operator is for: its control plane alone. Tests without nodes take it on request. */
const oldest = { minor: '1.31', version: '1.31.13' } as const;

const sources = fileURLToPath(new URL('../../../scripts/cluster', import.meta.url));
const tellsVersion = ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version'];

/**
 * The programs of a cluster: etcd, kube-apiserver, kube-controller-manager, kube-scheduler, kubelet, kube-proxy, kubeadm
 * and kubectl. One binary with many names; its modules are pinned by scripts/cluster/kubernetes/go.sum.
 *
 * @returns the folder with the programs
 * @throws SetupError if Go is missing or can't build them
 */
export function kubernetes(cache = cacheFolder()): Promise<string> {
  const nodes = ['kube-scheduler', 'kubelet', 'kube-proxy', 'kubeadm'];
  return build('kubernetes', kubernetesVersion, [...controlPlane, ...nodes], cache);
}

/**
 * The programs of a control plane that the environment variable SIMSIAM_KUBERNETES asks for: `1.31`, which is built when
 * it is asked for first, or without it those of `kubernetes`.
 *
 * @throws SetupError for another version, or if Go is missing or can't build them
 */
export async function testedKubernetes(
  wanted = process.env.SIMSIAM_KUBERNETES,
  cache = cacheFolder(),
): Promise<string> {
  if (wanted === undefined || wanted === '') return kubernetes(cache);
  if (wanted === oldest.minor) return build(`kubernetes-${oldest.minor}`, oldest.version, controlPlane, cache);
  throw new SetupError(`SIMSIAM_KUBERNETES: there is no ${wanted}: leave it out or take ${oldest.minor}`);
}

const controlPlane = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kubectl'];

function build(folder: string, version: string, links: readonly string[], cache: string): Promise<string> {
  const [major, minor] = version.split('.') as [string, string];
  const values = { gitVersion: `v${version}`, gitMajor: major, gitMinor: minor, gitTreeState: 'clean' };
  const variables = tellsVersion.flatMap((path) =>
    Object.entries(values).map(([name, value]) => [`${path}.${name}`, value]),
  );
  return goProgram(
    {
      ...{ name: 'kubernetes', version, links, source: { folder: join(sources, folder) } },
      tags: ['selinux', 'notest', 'grpcnotrace'],
      variables: Object.fromEntries(variables) as Record<string, string>,
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
    { name: 'coredns', version: corednsVersion, source, purpose: 'to test on a cluster' },
    cache,
  );
  return join(folder, 'coredns');
}
