import type { Command } from 'commander';

import type { SimSiamRun } from '../../api/run.ts';
import type { LaunchOutcome } from '../../trainer/launch/launcher.ts';
import { launch } from '../../trainer/launch/launcher.ts';
import { watchStopSignals } from '../../trainer/launch/stop-signals.ts';
import { RunMetrics } from '../../trainer/worker/run-metrics.ts';
import { JsonView } from '../../trainer/telemetry/json-view.ts';
import { LiveView } from '../../trainer/telemetry/live-view.ts';
import type { ProgressView } from '../../trainer/telemetry/progress-view.ts';
import { summaryOf } from '../../trainer/telemetry/summary.ts';
import type { CommandEnd } from '../command-end.ts';
import { endOf } from '../end-of.ts';
import { portOption } from '../port-option.ts';
import { readManifest } from '../read-manifest.ts';

interface RunOptions {
  readonly file: string;
  /** JSON lines only, on a terminal too. */
  readonly json: boolean;
  readonly metricsPort?: number;
  /** What a rank runs; default: the trainer. */
  readonly rankProgram?: string;
}

export function addRun(program: Command, end: (end: CommandEnd) => void, rankProgram?: string): void {
  program
    .command('run')
    .description('train and evaluate a SimSiamRun on this machine; the same command again resumes it')
    .requiredOption('-f, --file <file>', 'manifest of the run (YAML)')
    .option('--json', 'progress and result as JSON lines on stdout, and nothing else there', false)
    .addOption(portOption('--metrics-port <port>', 'serve /progress and /metrics (Prometheus) on this port'))
    .action(async (options: Omit<RunOptions, 'rankProgram'>) =>
      end(await runManifest({ ...options, ...(rankProgram !== undefined && { rankProgram }) })),
    );
}

async function runManifest({ file, json, metricsPort, rankProgram }: RunOptions): Promise<CommandEnd> {
  const run = await readManifest(file);
  const view = chooseView(run, json);
  const signals = watchStopSignals();
  let metrics: RunMetrics | undefined;
  try {
    if (metricsPort !== undefined) metrics = await RunMetrics.serve(metricsPort);
    const outcome = await launch(run, {
      onEvent: (event) => {
        metrics?.onEvent(event);
        view.onEvent(event);
      },
      stop: signals.stop,
      kill: signals.kill,
      ...(rankProgram !== undefined && { program: rankProgram }),
    });
    if (outcome.status === 'done' && outcome.result) view.onResult(outcome.result);
    view.close();
    if (!json) tellEnd(outcome, run);
    return endOf(outcome, signals.last());
  } finally {
    view.close();
    signals.close();
    metrics?.close();
  }
}

function chooseView(run: SimSiamRun, json: boolean): ProgressView {
  return process.stdout.isTTY && !json
    ? new LiveView(process.stdout, run.spec.pretrain.dim)
    : new JsonView(process.stdout);
}

/** For people; off a terminal stdout belongs to the JSON lines, so they read stderr. */
function tellEnd(outcome: LaunchOutcome, run: SimSiamRun): void {
  const { uri } = run.spec.storage;
  const terminal = process.stdout.isTTY;
  const stream = terminal ? process.stdout : process.stderr;
  if (outcome.status === 'done') {
    if (outcome.result && !terminal) stream.write(summaryOf(outcome.result));
    stream.write(`the result is in ${uri}: result.json\n`);
  } else if (outcome.status === 'stopped') {
    const { checkpoint } = outcome;
    const where = checkpoint ? `at step ${checkpoint.step} of ${checkpoint.stage}, ` : '';
    stream.write(`stopped ${where}with a checkpoint in ${uri}; to go on, run the same command again\n`);
  }
}
