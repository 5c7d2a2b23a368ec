import { createInterface } from 'node:readline/promises';

import type { Command } from 'commander';

import type { ClusterFlags } from '../cluster/cluster.ts';
import { UsageError } from '../errors.ts';
import { addClusterFlags, print, withCluster } from './cluster-flags.ts';

interface DeleteOptions extends ClusterFlags {
  readonly purge: boolean;
  readonly yes: boolean;
}

/** Workers commit a checkpoint first: their grace period, and some minutes for a slow node. */
const patienceMs = 10 * 60 * 1000;

export function addDelete(program: Command): void {
  addClusterFlags(
    program
      .command('delete')
      .description('delete a run from a cluster; what it has stored stays, unless it is purged')
      .argument('<name>', 'the run')
      .option('--purge', 'then delete its checkpoints, histories and result too, with your own credentials', false)
      .option('--yes', "don't ask before purging", false),
  ).action(async (name: string, { purge, yes, ...flags }: DeleteOptions) =>
    withCluster(flags, async (cluster) => {
      const run = await cluster.run(name);
      const { uri } = run.spec.storage;
      if (!purge) {
        await cluster.delete(run);
        return print([`SimSiamRun ${name} is deleted; its data stay in ${uri}`]);
      }
      const { openForPurge, purge: purgeStore } = await import('../cluster/purge.ts');
      const { podsGone } = await import('../cluster/lifecycle.ts');
      // Before anything is deleted: what can't be purged is told while the run still names its data.
      const store = await openForPurge(run);
      if (!yes) await confirm(`delete ${name} and all that it has stored in ${uri}?`);
      await cluster.delete(run);
      await podsGone(cluster, run, patienceMs);
      if (store === undefined) return print([`SimSiamRun ${name} is deleted; it had stored nothing in ${uri}`]);
      const { objects, bytes } = await purgeStore(store);
      print([`SimSiamRun ${name} is deleted, and ${objects} objects (${megabytes(bytes)} MB) in ${uri}`]);
    }),
  );
}

async function confirm(question: string): Promise<void> {
  if (!process.stdin.isTTY)
    throw new UsageError('delete --purge asks before it deletes data: off a terminal, give --yes');
  const ask = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await ask.question(`${question} [y/N] `).finally(() => ask.close());
  if (!/^y(es)?$/i.test(answer.trim())) throw new UsageError('nothing is deleted');
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
