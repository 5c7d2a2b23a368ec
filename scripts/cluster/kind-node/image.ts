import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readFile, rm, symlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheFolder } from '../../../storage/cache-folder.ts';
import { packLayer, writeArchive } from '../../images/archive.ts';
import { makeAtomically } from '../../setup/cache.ts';
import { kindNodeFiles } from '../../tools/cluster-tools.ts';
import { coredns, corednsVersion, kubernetes, kubernetesVersion } from '../../tools/kubernetes.ts';
import { pauseArchive } from '../program-image.ts';
import { must } from '../system.ts';

const folder = fileURLToPath(new URL('../../../../scripts/cluster/kind-node', import.meta.url));
const registry = 'registry.k8s.io';

export const nodeImage = `simsiam/kind-node:v${kubernetesVersion}`;

/** Debian's packages of a node, as kind's own image has them, but for those of network storage. */
const packages = [
  ...['systemd', 'systemd-sysv', 'dbus', 'conntrack', 'iptables', 'nftables', 'iproute2', 'ethtool', 'mount', 'kmod'],
  ...['pigz', 'e2fsprogs', 'ca-certificates', 'curl', 'jq', 'procps', 'hostname'],
  ...['containerd', 'runc', 'containernetworking-plugins'],
] as const;
const suite = 'bookworm';
/** What kube-proxy calls. */
const ofProxy = ['base-files', 'libc6', 'nftables', 'conntrack', 'libnftables1', 'libedit2'] as const;

/**
 * The image of kind's nodes for machines that reach no registry of images: Debian's packages, kind's files, Kubernetes
 * and CoreDNS from their sources. Kept in the cache. Wants root.
 *
 * @returns its archive, for `docker load`
 * @throws SetupError without Go, mmdebstrap or root
 */
export async function nodeArchive(cache = cacheFolder()): Promise<string> {
  const programs = await kubernetes(cache);
  const dns = await coredns(cache);
  const pause = await pauseArchive(cache);
  const script = join(folder, 'assemble.sh');
  const key = createHash('sha256')
    .update([basename(programs), dns, pause, suite, ...packages, ...ofProxy].join())
    .update(await readFile(script))
    .digest('hex')
    .slice(0, 12);
  const target = join(cache, 'images', `kind-node-${key}`);
  const archive = join(target, 'node.tar');
  if (existsSync(archive)) return archive;
  await makeAtomically(target, cache, async (work) => {
    await mkdir(work, { recursive: true });
    const root = join(work, 'root');
    await must('mmdebstrap', '--variant=minbase', `--include=${packages.join()}`, suite, root);
    await must(script, root, await kindNodeFiles(), programs, `v${kubernetesVersion}`);
    const preload = join(root, 'kind/preload');
    await packKubernetes(programs, work, join(preload, 'kubernetes.tar'));
    await packCoreDns(dns, work, join(preload, 'coredns.tar'));
    await copyFile(pause, join(preload, 'pause.tar'));
    const layer = join(work, 'layer.tar');
    await packLayer(root, layer);
    await rm(root, { recursive: true });
    await writeArchive(join(work, 'node.tar'), {
      tags: [nodeImage],
      layers: [layer],
      config: {
        Entrypoint: ['/usr/local/bin/entrypoint', '/sbin/init'],
        Env: ['container=docker', 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
        StopSignal: 'SIGRTMIN+3',
      },
    });
    await rm(layer);
  });
  return archive;
}

/** All components are one binary, so they are one image under the names that kubeadm knows. */
async function packKubernetes(programs: string, work: string, archive: string): Promise<void> {
  const root = join(work, 'components');
  await must('mmdebstrap', '--variant=extract', `--include=${ofProxy.join()}`, suite, root);
  const bin = join(root, 'usr/local/bin');
  await mkdir(bin, { recursive: true });
  await copyFile(join(programs, 'kubernetes'), join(bin, 'kubernetes'));
  const components = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kube-proxy'];
  for (const name of ['etcd', ...components]) await symlink('kubernetes', join(bin, name));
  const layer = join(work, 'components.tar');
  await packLayer(root, layer);
  await rm(root, { recursive: true });
  const images = await must(
    join(programs, 'kubeadm'),
    'config',
    'images',
    'list',
    '--kubernetes-version',
    `v${kubernetesVersion}`,
  );
  const tags = images
    .split('\n')
    .filter((image) => [...components, 'etcd'].some((name) => image.startsWith(`${registry}/${name}:`)));
  const config = { Env: ['PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'] };
  await writeArchive(archive, { tags, layers: [layer], config });
  await rm(layer);
}

async function packCoreDns(program: string, work: string, archive: string): Promise<void> {
  const root = join(work, 'coredns');
  const layer = join(work, 'coredns.tar');
  await mkdir(root);
  await copyFile(program, join(root, 'coredns'));
  await packLayer(root, layer);
  const tags = [`${registry}/coredns/coredns:v${corednsVersion}`];
  await writeArchive(archive, { tags, layers: [layer], config: { Entrypoint: ['/coredns'] } });
  await rm(layer);
}
