import { readdir, readFile } from 'node:fs/promises';
import type { KubeObject } from './kube.ts';

/** Sends a signal to the ranks in a pod, from inside: the trainer's image has Node. */
export const signalRanks = (signal: string): string =>
  `const fs = require('fs');
for (const pid of fs.readdirSync('/proc').map(Number).filter((pid) => pid && pid !== process.pid)) {
  let command = '';
  try { command = fs.readFileSync('/proc/' + pid + '/cmdline', 'utf8'); } catch {}
  if (command.includes('/rank-main')) { process.kill(pid, '${signal}'); console.log('rank', pid); }
}`;

/**
 * Kills the first process of a pod's container with a signal that only the machine can send it: inside the pod it is
 * process 1, which the kernel protects. Finds it by its cgroup, where the nodes are on this machine.
 */
export async function killLauncher(pod: KubeObject): Promise<void> {
  const uid = pod['metadata'].uid as string;
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const [groups, command] = await Promise.all(
      ['cgroup', 'cmdline'].map((file) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '')),
    );
    if (groups!.includes(`pod${uid}`) && command!.includes('simsiam\0worker')) {
      process.kill(Number(pid), 'SIGKILL');
      return;
    }
  }
  throw new Error(`no launcher of pod ${uid} runs on this machine`);
}
