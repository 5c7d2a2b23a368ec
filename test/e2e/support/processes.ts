import { readdir, readFile } from 'node:fs/promises';
import type { KubeObject } from './kube.ts';

/** Scripts for inside a pod: the trainer's image has Node. This one finds the ranks there, and not who stands by for them. */
const findRanks = `const fs = require('fs');
const ranks = fs.readdirSync('/proc').map(Number).filter((pid) => {
  if (!pid || pid === process.pid) return false;
  try { return fs.readFileSync('/proc/' + pid + '/cmdline', 'utf8').startsWith('simsiam rank'); } catch { return false; }
});
const send = (signal) => ranks.forEach((pid) => process.kill(pid, signal));
`;

/** Sends a signal to the ranks in a pod, and prints them. */
export const signalRanks = (signal: string): string =>
  `${findRanks}send('${signal}');\nranks.forEach((pid) => console.log('rank', pid));`;

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
