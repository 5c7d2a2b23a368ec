import type { Command } from 'commander';

import type { ClusterFlags } from '../cluster/cluster.ts';
import { addClusterFlags, print, withCluster } from './cluster-flags.ts';

export function addSuspend(program: Command): void {
  addClusterFlags(
    program
      .command('suspend')
      .description('stop a run on a cluster at a committed checkpoint, and free its pods')
      .argument('<name>', 'the run'),
  ).action((name: string, flags: ClusterFlags) => set(name, flags, true));
}

export function addResume(program: Command): void {
  addClusterFlags(
    program
      .command('resume')
      .description('have a suspended run go on from its last checkpoint')
      .argument('<name>', 'the run'),
  ).action((name: string, flags: ClusterFlags) => set(name, flags, false));
}

async function set(name: string, flags: ClusterFlags, suspend: boolean): Promise<void> {
  await withCluster(flags, async (cluster) => {
    const { setSuspended } = await import('../cluster/lifecycle.ts');
    const changed = await setSuspended(cluster, name, suspend);
    const already = changed ? 'is' : 'was already';
    print([
      suspend
        ? `SimSiamRun ${name} ${already} to be suspended: its workers commit a checkpoint and end`
        : `SimSiamRun ${name} ${already} to run`,
    ]);
  });
}
