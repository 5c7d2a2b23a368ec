import { join } from 'node:path';
import { cacheFolder } from '../../storage/cache-folder.ts';
import { goProgram, goSources } from './go-program.ts';

/** The client of Helm charts. @returns the path of the program */
export async function helm(cache = cacheFolder()): Promise<string> {
  const version = '3.22.0';
  const folder = await goProgram(
    {
      name: 'helm',
      version,
      source: { importPath: 'helm.sh/helm/v3/cmd/helm' },
      variables: { 'helm.sh/helm/v3/internal/version.version': `v${version}` },
      purpose: 'to test the chart',
    },
    cache,
  );
  return join(folder, 'helm');
}

/** Simulated kubelets: a thousand nodes without a machine. @returns the path of the program */
export async function kwok(cache = cacheFolder()): Promise<string> {
  const version = '0.8.0';
  const folder = await goProgram(
    {
      name: 'kwok',
      version,
      source: { importPath: 'sigs.k8s.io/kwok/cmd/kwok' },
      variables: { 'sigs.k8s.io/kwok/pkg/consts.Version': version },
      purpose: 'to test at scale',
    },
    cache,
  );
  return join(folder, 'kwok');
}

/** Client and server of image registries. @returns the path of the program */
export async function crane(cache = cacheFolder()): Promise<string> {
  const source = { importPath: 'github.com/google/go-containerregistry/cmd/crane' };
  const folder = await goProgram({ name: 'crane', version: '0.22.1', source, purpose: 'to test on a cluster' }, cache);
  return join(folder, 'crane');
}

const kueueVersion = '0.17.0';

/** The controller of queues of Jobs. @returns the path of the program */
export async function kueue(cache = cacheFolder()): Promise<string> {
  const source = { importPath: 'sigs.k8s.io/kueue/cmd/kueue' };
  const folder = await goProgram({ name: 'kueue', version: kueueVersion, source, purpose: 'to test queues' }, cache);
  return join(folder, 'kueue');
}

/** The manifests that Kueue is installed by, as a kustomization. @returns its folder */
export async function kueueManifests(): Promise<string> {
  return join(await goSources('sigs.k8s.io/kueue', kueueVersion), 'config/default');
}

/**
 * Enforces NetworkPolicies on a node, with iptables and ipset: kube-network-policies, which kind's nodes have built in,
 * wants nftables' `queue`, which not every kernel has.
 *
 * @returns the path of the program
 */
export async function kubeRouter(cache = cacheFolder()): Promise<string> {
  const source = { importPath: 'github.com/cloudnativelabs/kube-router/v2/cmd/kube-router' };
  const program = { name: 'kube-router', version: '2.1.0', source, purpose: 'to test NetworkPolicies' };
  return join(await goProgram(program, cache), 'kube-router');
}

const kindModule = { path: 'sigs.k8s.io/kind', version: '0.33.0' };

/** Clusters whose nodes are containers of docker. @returns the path of the program */
export async function kind(cache = cacheFolder()): Promise<string> {
  const { path, version } = kindModule;
  const program = { name: 'kind', version, source: { importPath: path }, purpose: 'to test with kind' };
  return join(await goProgram(program, cache), 'kind');
}

/** The files that kind makes the image of its nodes of. @returns their folder */
export async function kindNodeFiles(): Promise<string> {
  return join(await goSources(kindModule.path, kindModule.version), 'images/base/files');
}
