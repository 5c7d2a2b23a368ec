import { InvalidArgumentError, Option } from 'commander';

import type { SimSiamRun } from '../api/run.ts';
import { ClassicView } from '../trainer/telemetry/classic-view.ts';
import { JsonView } from '../trainer/telemetry/json-view.ts';
import { LiveView } from '../trainer/telemetry/live-view.ts';
import type { ProgressView } from '../trainer/telemetry/progress-view.ts';

const logFormats = ['auto', 'json', 'classic'] as const;

/** How a run is shown while it goes on. */
export interface LogOptions {
  /** JSON lines and nothing else, on a terminal too. */
  readonly json: boolean;
  readonly logFormat: (typeof logFormats)[number];
  /** Batches between two lines of `classic`. */
  readonly printFreq: number;
}

export function logOptions(): Option[] {
  return [
    new Option('--json', 'progress and result as JSON lines on stdout, and nothing else there').default(false),
    new Option(
      '--log-format <format>',
      "auto: a live line on a terminal, JSON lines elsewhere; classic: the original's",
    )
      .choices(logFormats)
      .default('auto'),
    new Option('-p, --print-freq <batches>', 'batches between two lines of --log-format classic')
      .default(10)
      .argParser((text) => {
        const value = Number(text);
        if (Number.isSafeInteger(value) && value > 0) return value;
        throw new InvalidArgumentError('a whole number from 1 on.');
      }),
  ];
}

export function chooseView(run: SimSiamRun, { json, logFormat, printFreq }: LogOptions): ProgressView {
  if (logFormat === 'classic' && !json) return new ClassicView(process.stdout, printFreq);
  return process.stdout.isTTY && !json && logFormat !== 'json'
    ? new LiveView(process.stdout, run.spec.pretrain.dim)
    : new JsonView(process.stdout);
}

/** Whether the view wants a message of each step, and not only some a second. */
export function wantsEveryStep({ json, logFormat }: LogOptions): boolean {
  return logFormat === 'classic' && !json;
}
