import type { Command } from 'commander';

import type { ClusterFlags } from '../cluster/cluster.ts';
import type { CommandEnd } from '../command-end.ts';
import { addClusterFlags, print, whileWanted, withCluster } from './cluster-flags.ts';

interface TopOptions extends ClusterFlags {
  readonly allNamespaces: boolean;
}

const intervalMs = 5000;

export function addTop(program: Command, end: (end: CommandEnd) => void): void {
  addClusterFlags(
    program
      .command('top')
      .description('all runs of a cluster side by side: live on a terminal, elsewhere once')
      .option('-A, --all-namespaces', 'runs of all namespaces', false),
  ).action(async ({ allNamespaces, ...flags }: TopOptions) =>
    withCluster(flags, async (cluster) => {
      const { runsTable } = await import('../cluster/runs-table.ts');
      const look = async (width?: number): Promise<string[]> =>
        runsTable(await cluster.runs(allNamespaces), allNamespaces, Date.now(), width);
      if (!process.stdout.isTTY) return print(await look());
      const { Screen } = await import('../cluster/screen.ts');
      const { follow } = await import('../cluster/follow.ts');
      await whileWanted(end, async (signal) => {
        const screen = new Screen(process.stdout);
        let lines = [`asking ${cluster.server} …`];
        screen.draw(lines);
        try {
          await follow({
            look: () => look(process.stdout.columns || 80),
            ...{ intervalMs, signal, isOver: () => false },
            show: (seen) => screen.draw((lines = seen)),
            trouble: (message) => screen.draw([...lines, '', `asking again: ${message}`]),
          });
        } finally {
          screen.close();
        }
      });
    }),
  );
}
