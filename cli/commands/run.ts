import type { Command } from 'commander';

import { launch } from '../../trainer/launch/launcher.ts';
import { chooseView, logOptions, type LogOptions, wantsEveryStep } from '../choose-view.ts';
import type { CommandEnd } from '../command-end.ts';
import { portOption } from '../port-option.ts';
import { readManifest } from '../read-manifest.ts';
import { train } from '../train.ts';

interface RunFlags extends LogOptions {
  readonly file: string;
  readonly metricsPort?: number;
}

/** @param rankProgram What a rank runs; default: the trainer. */
export function addRun(program: Command, end: (end: CommandEnd) => void, rankProgram?: string): void {
  const command = program
    .command('run')
    .description('train and evaluate a SimSiamRun on this machine; the same command again resumes it')
    .requiredOption('-f, --file <file>', 'manifest of the run (YAML)')
    .addOption(portOption('--metrics-port <port>', 'serve /progress and /metrics (Prometheus) on this port'));
  for (const option of logOptions()) command.addOption(option);
  command.action(async ({ file, metricsPort, ...log }: RunFlags) => {
    const run = await readManifest(file);
    const program = rankProgram === undefined ? {} : { program: rankProgram };
    end(
      await train({
        ...{ run, metricsPort, json: log.json, view: chooseView(run, log) },
        start: (options) => launch(run, { ...options, ...program, everyStep: wantsEveryStep(log) }),
      }),
    );
  });
}
