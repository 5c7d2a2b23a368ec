import type { SimSiamRun } from '../api/run.ts';
import type { LaunchOptions, LaunchOutcome } from '../trainer/launch/launcher.ts';
import { watchStopSignals } from '../trainer/launch/stop-signals.ts';
import type { ProgressView } from '../trainer/telemetry/progress-view.ts';
import type { RunEvent } from '../trainer/telemetry/run-event.ts';
import { summaryOf } from '../trainer/telemetry/summary.ts';
import { RunMetrics } from '../trainer/worker/run-metrics.ts';
import type { CommandEnd } from './command-end.ts';
import { endOf } from './end-of.ts';

interface TrainOptions {
  readonly run: SimSiamRun;
  readonly view: ProgressView;
  /** Says nothing on stderr at the end. */
  readonly json: boolean;
  readonly metricsPort?: number | undefined;
  /** Who else hears of the run. */
  readonly onEvent?: (event: RunEvent) => void;
  /** What trains, here alone or with other machines. */
  readonly start: (options: Pick<LaunchOptions, 'onEvent' | 'stop' | 'kill'>) => Promise<LaunchOutcome>;
  /** Awaited once the ranks are gone and before the end is told. */
  readonly onEnd?: (outcome: LaunchOutcome) => Promise<void>;
}

/** Trains a run from this terminal: shows it, passes its signals on, and tells how it ended. */
export async function train({ run, view, json, metricsPort, ...options }: TrainOptions): Promise<CommandEnd> {
  const signals = watchStopSignals();
  let metrics: RunMetrics | undefined;
  try {
    if (metricsPort !== undefined) metrics = await RunMetrics.serve(metricsPort);
    const outcome = await options.start({
      onEvent: (event) => {
        metrics?.onEvent(event);
        view.onEvent(event);
        options.onEvent?.(event);
      },
      stop: signals.stop,
      kill: signals.kill,
    });
    await options.onEnd?.(outcome);
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

/** For people; off a terminal stdout belongs to the view's lines, so they read stderr. */
function tellEnd(outcome: LaunchOutcome, run: SimSiamRun): void {
  const { uri } = run.spec.storage;
  const terminal = process.stdout.isTTY;
  const stream = terminal ? process.stdout : process.stderr;
  if (outcome.status === 'done') {
    if (outcome.result && !terminal) stream.write(summaryOf(outcome.result));
    // Of several machines started by hand only the first one writes.
    stream.write(`the result is ${outcome.result ? '' : 'on machine 0, '}in ${uri}: result.json\n`);
  } else if (outcome.status === 'stopped') {
    const { checkpoint } = outcome;
    const where = checkpoint ? `at step ${checkpoint.step} of ${checkpoint.stage}, ` : '';
    stream.write(`stopped ${where}with a checkpoint in ${uri}; to go on, run the same command again\n`);
  }
}
