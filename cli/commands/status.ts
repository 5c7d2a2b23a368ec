import type { Command } from 'commander';

import type { Cluster, ClusterFlags } from '../cluster/cluster.ts';
import type { CommandEnd } from '../command-end.ts';
import { UsageError } from '../errors.ts';
import { addClusterFlags, print, whileWanted, withCluster } from './cluster-flags.ts';

interface StatusOptions extends ClusterFlags {
  readonly allNamespaces: boolean;
  readonly once: boolean;
  readonly wait: boolean;
  readonly json: boolean;
}

export function addStatus(program: Command, end: (end: CommandEnd) => void): void {
  addClusterFlags(
    program
      .command('status')
      .description(
        'how a run on a cluster is: on a terminal a live view until it ends, elsewhere once; without a name all runs',
      )
      .argument('[name]', 'the run')
      .option('-A, --all-namespaces', 'runs of all namespaces', false)
      .option('--once', 'on a terminal too only once', false)
      .option('--wait', 'off a terminal too until the run ends; its failure is that of this command', false)
      .option('--json', '{run, workers, progress}; without a name a list of runs', false),
  ).action(async (name: string | undefined, options: StatusOptions) =>
    withCluster(options, async (cluster) => {
      if (name === undefined) return listRuns(cluster, options);
      if (options.allNamespaces) throw new UsageError('--all-namespaces is for all runs: leave out the name');
      const { statusJson, waitForEnd, watchStatus } = await import('../cluster/status.ts');
      const { takeSnapshot } = await import('../cluster/snapshot.ts');
      const { statusLines } = await import('../cluster/status-text.ts');
      const { advanceSeries, noSeries } = await import('../cluster/series.ts');
      const isLive = process.stdout.isTTY && !options.once && !options.json;
      if (isLive) return whileWanted(end, (signal) => watchStatus(cluster, name, process.stdout, signal));
      if (options.wait)
        await whileWanted(end, (signal) =>
          waitForEnd(cluster, name, (line) => process.stderr.write(`${line}\n`), signal),
        );
      const snapshot = await takeSnapshot(cluster, name);
      print(
        options.json
          ? [JSON.stringify(statusJson(snapshot))]
          : statusLines(snapshot, advanceSeries(noSeries, snapshot), Date.now()),
      );
    }),
  );
}

async function listRuns(cluster: Cluster, { allNamespaces, json }: StatusOptions): Promise<void> {
  const runs = await cluster.runs(allNamespaces);
  const { runsTable } = await import('../cluster/runs-table.ts');
  print(json ? [JSON.stringify(runs)] : runsTable(runs, allNamespaces, Date.now()));
}
