import { Option, type Command } from 'commander';

import type { ClusterFlags } from '../cluster/cluster.ts';
import type { LogLine } from '../cluster/log-line.ts';
import type { LogOptions } from '../cluster/logs.ts';
import type { CommandEnd } from '../command-end.ts';
import { countOption } from '../number-option.ts';
import { addClusterFlags, whileWanted, withCluster } from './cluster-flags.ts';

type LogsOptions = ClusterFlags & LogOptions & { readonly follow: boolean; readonly json: boolean };

export function addLogs(program: Command, end: (end: CommandEnd) => void): void {
  addClusterFlags(
    program
      .command('logs')
      .description("the logs of a run's workers, merged by time, each line with its worker in front")
      .argument('<name>', 'the run')
      .option('-f, --follow', 'go on with what comes, of new pods too, until the run ends', false)
      .addOption(countOption('--worker <number>', 'of this worker alone', 0))
      .addOption(new Option('--stage <stage>', 'of this stage alone').choices(['pretrain', 'linear']))
      .addOption(countOption('--tail <lines>', 'so many lines from the end of each log', 0))
      .option('--json', '{stage, worker, time, text} a line', false),
  ).action(async (name: string, { follow, json, worker, stage, tail, ...flags }: LogsOptions) =>
    withCluster(flags, async (cluster) => {
      const { followLogs } = await import('../cluster/follow-logs.ts');
      const { readLogs } = await import('../cluster/logs.ts');
      const { prefixed } = await import('../cluster/log-line.ts');
      const write = (line: LogLine): void => {
        process.stdout.write(`${json ? JSON.stringify(line) : prefixed(line, process.stdout.isTTY)}\n`);
      };
      const skip = (message: string): void => void process.stderr.write(`${message}\n`);
      const options = {
        ...(worker !== undefined && { worker }),
        ...(stage !== undefined && { stage }),
        ...(tail !== undefined && { tail }),
      };
      if (follow)
        return whileWanted(end, (signal) => followLogs(cluster, name, options, { write, tell: skip, signal }));
      for await (const line of readLogs(cluster, name, options, skip)) write(line);
    }),
  );
}
