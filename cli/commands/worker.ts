import type { Command } from 'commander';

import { workerPaths, workerPorts } from '../../api/worker.ts';
import { watchStopSignals } from '../../trainer/launch/stop-signals.ts';
import { JsonView } from '../../trainer/telemetry/json-view.ts';
import { runWorker } from '../../trainer/worker/run-worker.ts';
import type { CommandEnd } from '../command-end.ts';
import { endOf } from '../end-of.ts';
import { portOption } from '../port-option.ts';

interface WorkerFlags {
  readonly httpPort: number;
  readonly terminationLog: string;
}

export function addWorker(program: Command, end: (end: CommandEnd) => void, rankProgram?: string): void {
  program
    .command('worker')
    .description('one worker of a run in a cluster; the operator starts it in pods, by their environment')
    .addOption(
      portOption('--http-port <port>', 'port of /healthz, /readyz, /progress and /metrics').default(workerPorts.http),
    )
    .option('--termination-log <file>', 'where the end is told to Kubernetes', workerPaths.terminationMessage)
    .action(async ({ httpPort, terminationLog }: WorkerFlags) => {
      const view = new JsonView(process.stdout);
      const signals = watchStopSignals();
      try {
        const outcome = await runWorker({
          ...{ env: process.env, httpPort, terminationFile: terminationLog },
          ...{ stop: signals.stop, kill: signals.kill, program: rankProgram },
          onEvent: (event) => view.onEvent(event),
        });
        if (outcome.status === 'done' && outcome.result) view.onResult(outcome.result);
        end(endOf(outcome, signals.last()));
      } finally {
        view.close();
        signals.close();
      }
    });
}
