import type { Command } from 'commander';
import { Option } from 'commander';

import { dataSchema } from '../api/data.ts';
import { architectures } from '../api/pretrain.ts';
import type { Architecture } from '../api/run.ts';
import type { BackboneChoice, FeatureTask } from '../trainer/embed/task.ts';
import { watchStopSignals } from '../trainer/launch/stop-signals.ts';
import type { TaskProgress } from '../trainer/launch/task.ts';
import { runTask } from '../trainer/launch/task.ts';
import type { CommandEnd } from './command-end.ts';
import { countOption, numberOption } from './number-option.ts';

export interface BackboneOptions {
  readonly checkpoint?: string;
  readonly arch?: Architecture;
  readonly imageSize?: number;
  readonly batchSize: number;
  readonly maxBadImageFraction: number;
}

/** The options that choose a backbone, besides `--checkpoint`. */
export function addBackboneOptions(command: Command): Command {
  const { maxBadImageFraction } = dataSchema.parse({ train: '-' });
  return command
    .addOption(new Option('--arch <name>', 'what the checkpoint must be of').choices(architectures))
    .addOption(
      countOption('--image-size <pixels>', "side of the images; default: the run's, else 224 (CIFAR stem: 32)", 8),
    )
    .addOption(countOption('--batch-size <n>', 'images of a batch').default(64))
    .addOption(
      numberOption('--max-bad-image-fraction <f>', 'the part of the images that may be unreadable', 1, true).default(
        maxBadImageFraction,
      ),
    );
}

export function backboneChoice(checkpoint: string, options: BackboneOptions): BackboneChoice {
  const { arch, imageSize, batchSize, maxBadImageFraction } = options;
  return {
    ...{ checkpoint, batchSize, maxBadImageFraction },
    ...(arch !== undefined && { arch }),
    ...(imageSize !== undefined && { imageSize }),
  };
}

/** Does the task in a process of its own, shows its progress on a terminal, and says how the command ends. */
export async function runFeatureTask<Result>(task: FeatureTask, tell: (result: Result) => void): Promise<CommandEnd> {
  const signals = watchStopSignals();
  try {
    const result = await runTask<FeatureTask, Result>('embed-main.js', task, {
      stop: signals.stop,
      kill: signals.kill,
      onProgress: showProgress,
    });
    if (process.stderr.isTTY) process.stderr.write('\r\u001B[K');
    if (result === undefined) return { signal: signals.last() ?? 'SIGTERM' };
    tell(result);
    return { exitCode: 0 };
  } finally {
    signals.close();
  }
}

function showProgress({ what, done, total }: TaskProgress): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001B[K${what}: ${done} of ${total} images`);
}
