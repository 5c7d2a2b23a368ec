import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SetupError } from '../setup/errors.ts';

const root = '/sys/fs/cgroup';
const controllers = ['cpu', 'cpuacct', 'cpuset', 'memory', 'devices', 'freezer', 'blkio', 'pids', 'systemd'];
/** All groups of a test cluster lie in this one. */
const parent = 'simsiam';

/** @throws SetupError where the machine has version 2 only */
export function checkCgroups(): void {
  if (existsSync(join(root, 'memory'))) return;
  throw new SetupError('this machine has no cgroup version 1, which the bare cluster is made for: use kind');
}

/** The path of a node's groups below each controller, as kubelets name it. */
export const nodeCgroup = (node: string) => `/${parent}/${node}`;

/** A group counts as much as one process beside it, unless it says otherwise: a cluster is more. */
const cpuShares = 16 * 1024;

/** Makes a node's groups, and in each of them one for its own daemons. */
export async function makeNodeCgroups(node: string): Promise<void> {
  for (const controller of controllers) {
    for (const group of [parent, join(parent, node), join(parent, node, 'daemons')]) {
      await mkdir(join(root, controller, group), { recursive: true });
      if (controller === 'cpuset') await inheritCpus(join(root, controller, group));
    }
  }
  await writeFile(join(root, 'cpu', parent, 'cpu.shares'), String(cpuShares));
}

/** A new group of this controller has neither processors nor memory. */
async function inheritCpus(group: string): Promise<void> {
  for (const file of ['cpuset.cpus', 'cpuset.mems']) {
    await writeFile(join(group, file), await readFile(join(group, '..', file)));
  }
}

/** Removes a node's groups, or those of all nodes; what still has processes stays. */
export async function removeCgroups(node = ''): Promise<void> {
  for (const controller of [...controllers, 'unified']) await removeTree(join(root, controller, parent, node));
}

async function removeTree(folder: string): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) if (entry.isDirectory()) await removeTree(join(folder, entry.name));
  await rmdir(folder).catch(() => undefined);
}

/** Whether any process is left in a node's groups. */
export async function hasProcesses(node: string, controller = 'memory'): Promise<boolean> {
  const visit = async (folder: string): Promise<boolean> => {
    if ((await readFile(join(folder, 'cgroup.procs'), 'utf8').catch(() => '')) !== '') return true;
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
    for (const entry of entries) if (entry.isDirectory() && (await visit(join(folder, entry.name)))) return true;
    return false;
  };
  return visit(join(root, controller, parent, node));
}
