import type { Command } from 'commander';
import { InvalidArgumentError, Option } from 'commander';

import { architectures } from '../../api/pretrain.ts';
import type { Architecture } from '../../api/run.ts';
import { logOptions, type LogOptions } from '../choose-view.ts';

/** What both of the original's scripts take; names, short forms and defaults are theirs. */
export interface SharedFlags extends LogOptions {
  readonly arch: Architecture;
  readonly workers: number;
  readonly epochs: number;
  readonly startEpoch: number;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly momentum: number;
  readonly weightDecay: number;
  readonly resume: string;
  readonly worldSize: number;
  readonly rank: number;
  readonly distUrl: string;
  readonly distBackend?: 'nccl' | 'grpc' | 'gloo';
  readonly seed: number;
  readonly gpu?: string;
  readonly multiprocessingDistributed: boolean;
  /** Ours: where checkpoints and the run's store go. */
  readonly output: string;
  /** Ours: any field of the manifest, `path=value`. */
  readonly set: readonly string[];
  readonly printManifest: boolean;
}

export interface PretrainFlags extends SharedFlags {
  readonly dim: number;
  readonly predDim: number;
  readonly fixPredLr: boolean;
}

export interface LinearFlags extends SharedFlags {
  readonly evaluate: boolean;
  readonly pretrained: string;
  readonly lars: boolean;
}

interface Defaults {
  readonly epochs: number;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly weightDecay: number;
}

/** The multicast address that both scripts have as their default; nothing can listen there. */
export const defaultDistUrl = 'tcp://224.66.41.62:23456';
/** `-j` counts a machine's threads; by default there are no more than cores. */
export const defaultWorkers = 32;

/** Adds the argument and the flags that both scripts have. */
export function addSharedFlags(command: Command, defaults: Defaults): Command {
  const options = [
    new Option('-a, --arch <name>', 'backbone').choices(architectures).default('resnet50'),
    number('-j, --workers <n>', 'threads that load images, of all ranks of this machine', defaultWorkers),
    number('--epochs <n>', 'passes over the training images', defaults.epochs),
    number('--start-epoch <n>', 'epoch to begin with, where no checkpoint says', 0),
    number('-b, --batch-size <n>', 'images of a step over all ranks of all machines together', defaults.batchSize),
    number('--lr, --learning-rate <rate>', 'base rate: × batch size / 256', defaults.learningRate),
    number('--momentum <factor>', 'momentum of the optimiser', 0.9),
    number('--wd, --weight-decay <factor>', 'weight decay', defaults.weightDecay),
    new Option('--resume <path>', 'checkpoint to go on from').default('', 'none'),
    number('--world-size <n>', 'machines that train together', -1),
    number('--rank <n>', "this machine's number among them, from 0", -1),
    new Option('--dist-url <url>', 'tcp://host:port of machine 0, or env://').default(defaultDistUrl),
    new Option('--dist-backend <name>', 'collectives (default: nccl between GPUs, else grpc)').choices([
      ...['nccl', 'grpc', 'gloo'],
    ]),
    number('--seed <n>', 'of every random draw', 0),
    new Option('--gpu <id>', 'train on this GPU alone'),
    new Option('--multiprocessing-distributed', "a rank for each of this machine's GPUs").default(false),
    new Option('--output <folder>', 'where checkpoints go, and the store of the run').default('.'),
    new Option('--set <path=value>', 'a field of the manifest, such as pretrain.imageSize=32; repeatable')
      .argParser((text, before: readonly string[]) => [...before, text])
      .default([], 'none'),
    new Option('--print-manifest', 'print the manifest that the flags mean, for `simsiam run`, and do nothing').default(
      false,
    ),
    ...logOptions(),
  ];
  command.argument('<data>', 'folder with train/ and val/, as the original wants it; or the training images');
  for (const option of options) command.addOption(option);
  return command;
}

export function addPretrainFlags(command: Command): Command {
  return addSharedFlags(command, { epochs: 100, batchSize: 512, learningRate: 0.05, weightDecay: 1e-4 })
    .addOption(number('--dim <n>', 'features of projection and prediction', 2048))
    .addOption(number('--pred-dim <n>', 'hidden features of the predictor', 512))
    .option('--fix-pred-lr', 'keep the predictor at the initial learning rate', false);
}

export function addLinearFlags(command: Command): Command {
  return addSharedFlags(command, { epochs: 90, batchSize: 4096, learningRate: 0.1, weightDecay: 0 })
    .option('-e, --evaluate', 'only measure the classifier of --resume on the validation images', false)
    .addOption(new Option('--pretrained <path>', 'checkpoint of pre-training, or a backbone').default('', 'none'))
    .option('--lars', 'LARS instead of SGD: for batches in the thousands', false);
}

function number(flags: string, description: string, value: number): Option {
  return new Option(flags, description).default(value).argParser((text) => {
    const parsed = Number(text);
    if (text.trim() !== '' && Number.isFinite(parsed)) return parsed;
    throw new InvalidArgumentError('a number.');
  });
}
