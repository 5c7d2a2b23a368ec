import type { Machines } from '../../../scripts/cluster/machines.ts';
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
 * Kills the first process of a pod's container with a signal that only its node can send: inside the pod it is process 1,
 * which the kernel protects.
 */
export async function killLauncher(machines: Machines, { spec, status }: KubeObject): Promise<void> {
  const [{ containerID }] = status.containerStatuses as [{ containerID: string }];
  const task = ['tasks', 'kill', '--signal=SIGKILL', containerID.replace('containerd://', '')];
  await machines.run(spec.nodeName as string, 'ctr', '--namespace=k8s.io', ...task);
}
