import { parse } from 'yaml';

import { ManifestError, parseManifest } from '../../api/manifest.ts';
import { apiVersion, kind, type SimSiamRun, type SimSiamRunInput } from '../../api/run.ts';
import { UsageError } from '../errors.ts';
import { defaultWorkers, type LinearFlags, type PretrainFlags, type SharedFlags } from './flags.ts';

/** What the flags don't say. */
export interface Surroundings {
  readonly data: { readonly train: string; readonly val?: string };
  readonly machines: number;
  /** Of this machine, as far as it may use them. */
  readonly gpus: number;
  readonly cores: number;
  readonly store: string;
}

type Spec = SimSiamRunInput['spec'];

/** The manifest of `simsiam pretrain`. Pure. */
export function pretrainManifest(flags: PretrainFlags, around: Surroundings): SimSiamRunInput {
  const { arch, epochs, batchSize, learningRate, momentum, weightDecay, seed, dim, startEpoch, resume } = flags;
  const pretrain = {
    ...{ arch, epochs, batchSize, learningRate, momentum, weightDecay, dim, seed },
    predictorDim: flags.predDim,
    fixPredictorLearningRate: flags.fixPredLr,
    ...(startEpoch !== 0 && { startEpoch }),
    ...(resume !== '' && { resumeFrom: resume }),
  };
  return manifest('pretrain', flags, around, { pretrain, linear: { epochs: 0 } });
}

/** The manifest of `simsiam linear`: pre-training of no epochs gives the backbone. Pure. */
export function linearManifest(flags: LinearFlags, around: Surroundings): SimSiamRunInput {
  const { arch, epochs, batchSize, learningRate, momentum, weightDecay, seed, resume, pretrained, evaluate } = flags;
  if (evaluate && resume === '')
    throw new UsageError('--evaluate needs --resume with the checkpoint of a linear evaluation: it has the classifier');
  if (pretrained === '' && resume === '')
    throw new UsageError('--pretrained is needed: the checkpoint whose backbone is evaluated');
  if (flags.startEpoch !== 0 && resume === '')
    throw new UsageError('--start-epoch of a linear evaluation is that of --resume, whose checkpoint knows it');
  const pretrain = { arch, seed, batchSize, epochs: 0, initFrom: pretrained === '' ? resume : pretrained };
  const linear = {
    ...({ epochs, batchSize, learningRate, momentum, weightDecay, optimizer: flags.lars ? 'lars' : 'sgd' } as const),
    ...(resume !== '' && { resumeFrom: resume }),
    ...(evaluate && { evaluateOnly: true }),
  };
  return manifest('linear', flags, around, { pretrain, linear });
}

function manifest(
  name: string,
  flags: SharedFlags,
  { data, machines, gpus, cores, store }: Surroundings,
  stages: Pick<Spec, 'pretrain' | 'linear'>,
): SimSiamRunInput {
  const ranks = flags.multiprocessingDistributed && flags.gpu === undefined ? Math.max(1, gpus) : 1;
  const share = Math.ceil(flags.workers / ranks);
  // The default asks for more threads than most machines have; what somebody writes is done.
  const loaders = flags.workers === defaultWorkers ? Math.min(share, Math.max(1, Math.floor(cores / ranks))) : share;
  const backend = flags.distBackend;
  const spec: Spec = {
    workers: machines,
    gpusPerWorker: gpus === 0 ? 0 : ranks,
    loaderThreadsPerRank: Math.max(1, loaders),
    ...(backend !== undefined && { collectives: backend === 'nccl' ? 'nccl' : 'grpc' }),
    data,
    ...stages,
    storage: { uri: store },
  };
  for (const assignment of flags.set) assign(spec, assignment);
  return { apiVersion, kind, metadata: { name }, spec };
}

/** @throws UsageError */
function assign(spec: Spec, assignment: string): void {
  const [, path, text] = /^([A-Za-z][\w.]*)=(.*)$/s.exec(assignment) ?? [];
  if (path === undefined) throw new UsageError(`--set ${assignment}: path=value, such as pretrain.imageSize=32`);
  if (path.startsWith('storage'))
    throw new UsageError(`--set ${assignment}: the store lies in --output; \`simsiam run\` takes any other`);
  let value: unknown;
  try {
    value = parse(text!);
  } catch {
    throw new UsageError(`--set ${assignment}: the value is no YAML`);
  }
  const keys = path.split('.');
  let holder = spec as unknown as Record<string, unknown>;
  for (const key of keys.slice(0, -1)) {
    const inner = Object.hasOwn(holder, key) ? holder[key] : undefined;
    const next = typeof inner === 'object' && inner !== null ? { ...inner } : {};
    Object.defineProperty(holder, key, { value: next, enumerable: true, configurable: true, writable: true });
    holder = next;
  }
  Object.defineProperty(holder, keys.at(-1)!, { value, enumerable: true, configurable: true, writable: true });
}

/** Fields that flags set, under the stage of the script. */
const stageFlags: Readonly<Record<string, string>> = {
  epochs: '--epochs',
  batchSize: '--batch-size',
  learningRate: '--lr',
  momentum: '--momentum',
  weightDecay: '--wd',
  startEpoch: '--start-epoch',
  resumeFrom: '--resume',
};
const otherFlags: Readonly<Record<string, string>> = {
  'spec.workers': '--world-size',
  'spec.loaderThreadsPerRank': '--workers',
  'spec.data.train': '<data>',
  'spec.data.val': '<data>/val',
  'spec.pretrain.seed': '--seed',
  'spec.pretrain.dim': '--dim',
  'spec.pretrain.predictorDim': '--pred-dim',
  'spec.pretrain.initFrom': '--pretrained',
};

/**
 * The run of a manifest that flags were made into.
 * @throws UsageError that names flags, and fields where there is no flag
 */
export function runOf(input: SimSiamRunInput): SimSiamRun {
  try {
    return parseManifest(JSON.stringify(input), 'the flags');
  } catch (thrown) {
    if (!(thrown instanceof ManifestError)) throw thrown;
    const stage = `spec.${input.metadata.name}.`;
    const nameOf = (field: string): string =>
      (field.startsWith(stage) ? stageFlags[field.slice(stage.length)] : undefined) ?? otherFlags[field] ?? field;
    const texts = thrown.issues
      // Of both stages' batches, which are one flag, one is told.
      .filter(({ field }) => field.startsWith(stage) || !field.endsWith('.batchSize'))
      .map(({ field, problem }) => `${nameOf(field)}: ${problem}`);
    throw new UsageError(texts.join('; '), { cause: thrown });
  }
}
