import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hasProcesses, makeNodeCgroups, nodeCgroup, removeCgroups } from './cgroups.ts';
import { makeNodeConfig, type Programs } from './control-plane.ts';
import { network, type Node } from './layout.ts';
import { nodeConfig } from './node-config.ts';
import { takeImages } from './prepared-images.ts';
import { endProcess, inside, makeFolders, must, processId, startProcess, until } from './system.ts';

const init = fileURLToPath(new URL('../../../scripts/cluster/node-init.sh', import.meta.url));

/**
 * Starts a node: namespaces of its own for its network, mounts and processes, with a containerd, a kubelet and a
 * kube-proxy in them.
 */
export async function startNode(node: Node, programs: Programs): Promise<void> {
  await joinNetwork(node);
  await makeNodeCgroups(node.name);
  for (const [file, text] of Object.entries(nodeConfig(node))) {
    await makeFolders(dirname(join(node.folder, file)));
    await writeFile(join(node.folder, file), text);
  }
  if (!existsSync(join(node.folder, 'containerd'))) await takeImages(node);
  if (!existsSync(join(node.folder, 'kubelet.conf'))) await makeNodeConfig(programs, node.name, node.folder);
  const { name, address, folder } = node;
  const namespaces = ['--mount', '--propagation', 'private', '--pid', '--fork', '--kill-child', '--uts', '--ipc'];
  const args = [name, address, folder, nodeCgroup(name), programs.kubernetes];
  await startProcess(name, inside(node.namespace, 'unshare', ...namespaces, '--', init, ...args));
}

/** The node vanishes with all that runs on it, as in a power cut. `startNode` brings it back. */
export async function killNode(node: Node): Promise<void> {
  await endProcess(node.name);
  await until(`the end of ${node.name}`, 20_000, async () => !(await hasProcesses(node.name)));
  await removeCgroups(node.name);
  if (existsSync(`/run/netns/${node.namespace}`)) await must('ip', 'netns', 'delete', node.namespace);
}

/** Runs a command in a node's mounts and network: what `ssh` would be. */
export async function onNode({ name }: Node, ...command: readonly string[]): Promise<string> {
  return must('nsenter', '--target', await firstProcess(name), '--mount', '--net', '--', ...command);
}

/** The process of the machine that is the first one of the node: the only child of `unshare`. */
async function firstProcess(name: string): Promise<string> {
  const pid = await processId(name);
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return children.trim();
}

async function joinNetwork({ name, namespace, address, pods }: Node): Promise<void> {
  if (existsSync(`/run/netns/${namespace}`)) return;
  await must('ip', 'netns', 'add', namespace);
  const router = (...command: readonly string[]) => must(...inside(network.namespace, 'ip', ...command));
  const own = (...command: readonly string[]) => must(...inside(namespace, ...command));
  await router('link', 'add', name, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace);
  await router('link', 'set', name, 'master', network.bridge, 'up');
  await own('ip', 'link', 'set', 'lo', 'up');
  await own('ip', 'address', 'add', `${address}/24`, 'dev', 'eth0');
  await own('ip', 'link', 'set', 'eth0', 'up');
  await own('ip', 'route', 'add', 'default', 'via', network.controlPlane);
  await own('sh', '-c', 'echo 1 >/proc/sys/net/ipv4/ip_forward');
  await router('route', 'replace', pods, 'via', address);
}
