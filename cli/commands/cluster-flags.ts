import type { Command } from 'commander';

import { watchStopSignals } from '../../trainer/launch/stop-signals.ts';
import type { CommandEnd } from '../command-end.ts';
import type { Cluster, ClusterFlags } from '../cluster/cluster.ts';

/** Gives a command the flags that kubectl has for where a cluster is. */
export function addClusterFlags(command: Command): Command {
  return command
    .option('-n, --namespace <namespace>', "namespace of the run (default: that of kubeconfig's context)")
    .option('--context <name>', 'context of the kubeconfig (default: the current one)')
    .option('--kubeconfig <file>', 'default: KUBECONFIG, else ~/.kube/config');
}

/** Does something with the cluster, and closes its connections. */
export async function withCluster(flags: ClusterFlags, act: (cluster: Cluster) => Promise<void>): Promise<void> {
  // Here and not above: what needs no cluster needn't load its client, and the trainer's image leaves it out.
  const { Cluster } = await import('../cluster/cluster.ts');
  const cluster = Cluster.connect(flags);
  try {
    await act(cluster);
  } finally {
    cluster.close();
  }
}

/** The same until it ends or the user stops it: then the command ends by the signal. */
export async function whileWanted(
  end: (end: CommandEnd) => void,
  act: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const signals = watchStopSignals();
  try {
    await act(signals.stop);
    const signal = signals.last();
    if (signal !== undefined) end({ signal });
  } finally {
    signals.close();
  }
}

export function print(lines: readonly string[]): void {
  process.stdout.write(lines.map((line) => `${line}\n`).join(''));
}
