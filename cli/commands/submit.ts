import type { Command } from 'commander';

import type { ClusterFlags } from '../cluster/cluster.ts';
import { commandName } from '../command-name.ts';
import { countOption } from '../number-option.ts';
import { addClusterFlags, print, withCluster } from './cluster-flags.ts';

interface SubmitOptions extends ClusterFlags {
  readonly file: string;
  readonly dryRun: boolean;
  readonly images?: number;
  readonly json: boolean;
}

export function addSubmit(program: Command): void {
  addClusterFlags(
    program
      .command('submit')
      .description('start a SimSiamRun on a cluster')
      .requiredOption('-f, --file <file>', 'manifest of the run (YAML)')
      .option('--dry-run', 'have it checked here and by the server, show what it would make, and start nothing', false)
      .addOption(countOption('--images <count>', 'with --dry-run: images of data.train, for what the run will cost'))
      .option('--json', 'print the SimSiamRun as the server has it', false),
  ).action(async ({ file, dryRun, images, json, ...flags }: SubmitOptions) => {
    const { plannedText, readSubmission, submit } = await import('../cluster/submit.ts');
    const submission = await readSubmission(file, flags.namespace);
    const namespace = flags.namespace ?? submission.run.metadata.namespace;
    await withCluster({ ...flags, ...(namespace !== undefined && { namespace }) }, async (cluster) => {
      const run = await submit(cluster, submission, dryRun);
      if (json) return print([JSON.stringify(run)]);
      if (dryRun) return print(plannedText(run, images));
      const { name } = run.metadata;
      print([
        `SimSiamRun ${cluster.namespace}/${name} is submitted`,
        `watch it: ${commandName()} status ${name} --namespace ${cluster.namespace}`,
      ]);
    });
  });
}
