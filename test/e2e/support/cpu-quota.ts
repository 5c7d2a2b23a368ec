import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { KubeObject } from './kube.ts';

const root = '/sys/fs/cgroup';
/** Microseconds; also that of a container's CPU limit. */
const period = 100_000;

/**
 * Gives all processes of a pod together no more than a share of one core, as a limit of CPU does: the kernel lets them run
 * for that part of each 100 ms and then stops them. For nodes on this machine, with either version of cgroups.
 *
 * @returns takes the limit away
 */
export async function limitCpu(pod: KubeObject, share: number): Promise<() => Promise<void>> {
  // In the path of its cgroup is a pod's UID, written with hyphens or, where systemd makes the group, underscores.
  const uid = (pod['metadata'].uid as string).replaceAll('-', '[-_]');
  const group = new RegExp(`/[^:\n]*pod${uid}[^/\n]*`);
  const lines = (await groupsOfAny(group)).split('\n').map((line) => line.split(':'));
  // `number:controllers:path`; version 2 is number 0 and names no controllers.
  const first = lines.find(([, controllers]) => controllers?.split(',').includes('cpu'));
  const [, , path = ''] = first ?? lines.find(([number]) => number === '0') ?? [];
  const folder = join(root, first ? 'cpu' : '', group.exec(path)?.[0] ?? path);
  const write = async (quota: number | undefined): Promise<void> => {
    if (first) await writeFile(join(folder, 'cpu.cfs_quota_us'), String(quota ?? -1));
    else await writeFile(join(folder, 'cpu.max'), `${quota ?? 'max'} ${period}`);
  };
  if (first) await writeFile(join(folder, 'cpu.cfs_period_us'), String(period));
  await write(share * period);
  // A pod that is gone has taken its group along.
  return async () => {
    if (existsSync(folder)) await write(undefined);
  };
}

/** The /proc/PID/cgroup of any process of this machine in which a group is named. */
async function groupsOfAny(group: RegExp): Promise<string> {
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const groups = await readFile(`/proc/${pid}/cgroup`, 'utf8').catch(() => '');
    if (group.test(groups)) return groups;
  }
  throw new Error(`no process of this machine is in a group ${group}`);
}
