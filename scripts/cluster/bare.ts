import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SetupError } from '../setup/errors.ts';
import { runProgram } from '../setup/process.ts';
import { coredns, kubernetes } from '../tools/kubernetes.ts';
import { checkCgroups, removeCgroups } from './cgroups.ts';
import { kubectlOf, makeCertificates, type Programs, startControlPlane, startDns } from './control-plane.ts';
import { clusterFolder, network, node, paths } from './layout.ts';
import { killNode, onNode, startNode } from './nodes.ts';
import { prepareImages } from './prepared-images.ts';
import { pauseArchive } from './program-image.ts';
import { endProcess, inside, makeFolders, must, processNames, until } from './system.ts';

/** Debian's packages that nodes are made of, by a program of each. */
const packages = {
  containerd: 'containerd',
  runc: 'runc',
  nft: 'nftables',
  iptables: 'iptables',
  conntrack: 'conntrack',
  ip: 'iproute2',
  sysctl: 'procps',
  nsenter: 'util-linux',
};
const plugins = { file: '/usr/lib/cni/ptp', package: 'containernetworking-plugins' };
/** What kubelets set for the whole machine. */
const sysctls = ['vm.overcommit_memory', 'kernel.panic', 'kernel.panic_on_oops'];

/**
 * Brings a Kubernetes cluster up on this machine: a control plane and nodes, each in namespaces of its own, from the
 * real programs and without a container engine. A former one is taken down.
 *
 * @param archives of images that all nodes have from the start
 * @throws SetupError without root or what it needs, or when it doesn't come up
 */
export async function bringUp(
  nodeCount: number,
  archives: readonly string[],
  say: (line: string) => void,
): Promise<void> {
  await checkMachine();
  await takeDown();
  const programs: Programs = { kubernetes: await kubernetes(), coredns: await coredns() };
  const pause = await pauseArchive();
  await makeFolders(paths.certificates, paths.configs, paths.logs, paths.processes);
  await writeFile(paths.sysctls, await must('sysctl', ...sysctls));
  await writeFile(join(paths.configs, 'resolv.conf'), `nameserver ${network.controlPlane}\n`);
  await makeNetwork();
  await makeCertificates(programs);
  await startControlPlane(programs);
  say('the API server is ready');
  await prepareImages([pause, ...archives]);
  say('the images are imported');
  await startDns(programs);
  const numbers = Array.from({ length: nodeCount }, (_, index) => index + 1);
  for (const number of numbers) await startNode(node(number), programs);
  const kubectl = kubectlOf(programs);
  const ready = ['wait', '--for=condition=Ready', 'node', '--all', '--timeout=120s'];
  await until(
    'the nodes',
    180_000,
    async () => (await kubectl('get', 'nodes', '--output=name')).split('\n').length > nodeCount,
  );
  await kubectl(...ready);
  await until('the default service account', 120_000, () =>
    kubectl('get', 'serviceaccount', 'default').then(Boolean, () => false),
  );
  say(`${nodeCount} nodes are ready`);
}

/** Takes the cluster down, or what is left of one, and puts the machine's settings back. */
export async function takeDown(): Promise<void> {
  const names = await processNames();
  for (const name of names.filter((other) => /^node\d+$/.test(other))) await killNode(node(Number(name.slice(4))));
  for (const name of names) await endProcess(name);
  if (existsSync(`/run/netns/${network.namespace}`)) await must('ip', 'netns', 'delete', network.namespace);
  await runProgram('ip', ['link', 'delete', network.interface]);
  await removeCgroups();
  if (existsSync(paths.sysctls)) await must('sysctl', '--quiet', '--load', paths.sysctls);
  await rm(clusterFolder, { recursive: true, force: true });
}

/** Puts images into every node, as `kind load image-archive` does. */
export async function loadImages(archives: readonly string[]): Promise<void> {
  const nodes = (await processNames())
    .filter((name) => /^node\d+$/.test(name))
    .map((name) => node(Number(name.slice(4))));
  if (nodes.length === 0) throw new SetupError('no cluster is up');
  await Promise.all(
    nodes.map(async (each) => {
      for (const archive of archives) await onNode(each, 'ctr', '--namespace=k8s.io', 'images', 'import', archive);
    }),
  );
}

async function checkMachine(): Promise<void> {
  if (process.getuid?.() !== 0) throw new SetupError('a bare cluster needs root: namespaces, mounts and cgroups');
  checkCgroups();
  const path = (process.env.PATH ?? '').split(':');
  const missing = Object.entries(packages)
    .filter(([program]) => !path.some((folder) => existsSync(join(folder, program))))
    .map(([, name]) => name);
  if (!existsSync(plugins.file)) missing.push(plugins.package);
  if (missing.length > 0) {
    throw new SetupError(`a bare cluster needs: apt-get install --no-install-recommends ${missing.join(' ')}`);
  }
  const routes = await readFile('/proc/net/route', 'utf8');
  if (/^\S+\s+0000F40A\s/m.test(routes) && !existsSync(paths.processes)) {
    throw new SetupError(`${network.pods} is another network of this machine already`);
  }
}

/** The router's namespace, its bridge for the nodes, and the machine's way into it. */
async function makeNetwork(): Promise<void> {
  const { namespace, bridge, machine, uplink, controlPlane } = network;
  const router = (...command: readonly string[]) => must(...inside(namespace, ...command));
  await must('ip', 'netns', 'add', namespace);
  await router('ip', 'link', 'set', 'lo', 'up');
  await router('ip', 'link', 'add', bridge, 'type', 'bridge');
  await router('ip', 'address', 'add', `${controlPlane}/24`, 'dev', bridge);
  await router('ip', 'link', 'set', bridge, 'up');
  await must('ip', 'link', 'add', network.interface, 'type', 'veth', 'peer', 'name', 'uplink', 'netns', namespace);
  await must('ip', 'address', 'add', `${machine}/30`, 'dev', network.interface);
  await must('ip', 'link', 'set', network.interface, 'up');
  await router('ip', 'address', 'add', `${uplink}/30`, 'dev', 'uplink');
  await router('ip', 'link', 'set', 'uplink', 'up');
  await router('sh', '-c', 'echo 1 >/proc/sys/net/ipv4/ip_forward');
  for (const target of [network.nodes, network.pods]) await must('ip', 'route', 'add', target, 'via', uplink);
}
