import { clusterRanks } from './ranks.ts';
import type { SimSiamRunSpec } from './run.ts';

/**
 * A rule over several fields of the spec. It stands here once for both of its judges: the manifest parser asks `holds`,
 * the API server evaluates `cel` with `self` as the spec.
 */
export interface Rule {
  /** Path under the spec of the field that breaks the rule, and that a message names. */
  readonly field: string;
  /** What the field must do or be, as the end of "it must …". */
  readonly must: string;
  /** The same in CEL; undefined where the API server can't see the field (see `augmentation` in crd.ts). */
  readonly cel: string | undefined;
  readonly holds: (spec: SimSiamRunSpec) => boolean;
}

const ranksInCel = 'self.workers * (self.gpusPerWorker > 1 ? self.gpusPerWorker : 1)';
const multipleOfRanks = 'be a multiple of the number of ranks, workers × max(1, gpusPerWorker)';

const isOrdered = ([low, high]: readonly [number, number]): boolean => low <= high;
const ordered = 'be [low, high] with low at most high';

function augmentationInterval(
  name: 'cropScale' | 'cropRatio' | 'blur.sigma',
  select: (chain: Exclude<SimSiamRunSpec['pretrain']['augmentation'], 'none'>) => readonly [number, number],
): Rule {
  return {
    field: `pretrain.augmentation.${name}`,
    must: ordered,
    cel: undefined,
    holds: ({ pretrain: { augmentation } }) => augmentation === 'none' || isOrdered(select(augmentation)),
  };
}

export const rules: readonly Rule[] = [
  {
    field: 'pretrain.batchSize',
    must: multipleOfRanks,
    cel: `self.pretrain.batchSize % (${ranksInCel}) == 0`,
    holds: (spec) => spec.pretrain.batchSize % clusterRanks(spec) === 0,
  },
  {
    field: 'pretrain.accumulationSteps',
    must: 'divide pretrain.batchSize / ranks, into parts of 2 images or more over all ranks',
    cel:
      '!has(self.pretrain.accumulationSteps) || ' +
      `(self.pretrain.batchSize % (${ranksInCel} * self.pretrain.accumulationSteps) == 0 && ` +
      'self.pretrain.batchSize >= 2 * self.pretrain.accumulationSteps)',
    holds: ({ pretrain: { batchSize, accumulationSteps: parts }, ...spec }) =>
      parts === undefined || (batchSize % (clusterRanks(spec) * parts) === 0 && batchSize >= 2 * parts),
  },
  {
    field: 'pretrain.warmupEpochs',
    must: 'be less than pretrain.epochs',
    cel: '!has(self.pretrain.warmupEpochs) || self.pretrain.warmupEpochs < self.pretrain.epochs',
    holds: ({ pretrain }) => pretrain.warmupEpochs === undefined || pretrain.warmupEpochs < pretrain.epochs,
  },
  {
    field: 'linear.batchSize',
    must: multipleOfRanks,
    cel: `self.linear.epochs == 0 || self.linear.batchSize % (${ranksInCel}) == 0`,
    holds: (spec) => spec.linear.epochs === 0 || spec.linear.batchSize % clusterRanks(spec) === 0,
  },
  {
    field: 'pretrain.initFrom',
    must: 'be given where pretrain.epochs is 0: there is nothing else to evaluate',
    cel: 'self.pretrain.epochs > 0 || has(self.pretrain.initFrom)',
    holds: ({ pretrain }) => pretrain.epochs > 0 || pretrain.initFrom !== undefined,
  },
  {
    field: 'pretrain.resumeFrom',
    must: 'be left out where pretrain.initFrom is given: a run has one start',
    cel: '!has(self.pretrain.resumeFrom) || !has(self.pretrain.initFrom)',
    holds: ({ pretrain }) => pretrain.resumeFrom === undefined || pretrain.initFrom === undefined,
  },
  {
    field: 'pretrain.startEpoch',
    must: 'be less than pretrain.epochs',
    cel: '!has(self.pretrain.startEpoch) || self.pretrain.startEpoch < self.pretrain.epochs',
    holds: ({ pretrain }) => pretrain.startEpoch === undefined || pretrain.startEpoch < pretrain.epochs,
  },
  {
    field: 'linear.evaluateOnly',
    must: 'be left out where linear.resumeFrom is: it names the classifier to measure',
    cel: '!has(self.linear.evaluateOnly) || !self.linear.evaluateOnly || has(self.linear.resumeFrom)',
    holds: ({ linear }) => linear.evaluateOnly !== true || linear.resumeFrom !== undefined,
  },
  {
    field: 'linear.backboneLearningRate',
    must: 'be left out where linear.resumeFrom is given: it has a classifier of a frozen backbone',
    cel: '!has(self.linear.backboneLearningRate) || !has(self.linear.resumeFrom)',
    holds: ({ linear }) => linear.backboneLearningRate === undefined || linear.resumeFrom === undefined,
  },
  {
    field: 'data.val',
    must: 'be given, or linear.epochs be 0: linear evaluation needs validation images',
    cel: 'self.linear.epochs == 0 || has(self.data.val)',
    holds: (spec) => spec.linear.epochs === 0 || spec.data.val !== undefined,
  },
  {
    field: 'linear.baselines',
    must: 'be false where linear.epochs is 0: the baselines are evaluated linearly too',
    cel: '!self.linear.baselines || self.linear.epochs > 0',
    holds: (spec) => !spec.linear.baselines || spec.linear.epochs > 0,
  },
  {
    field: 'linear.cropScale',
    must: ordered,
    cel: 'self.linear.cropScale[0] <= self.linear.cropScale[1]',
    holds: (spec) => isOrdered(spec.linear.cropScale),
  },
  {
    field: 'pretrain.knn.k',
    must: 'be at most pretrain.knn.bankSize, the number of images that can vote',
    cel: 'self.pretrain.knn.k <= self.pretrain.knn.bankSize',
    holds: (spec) => spec.pretrain.knn.k <= spec.pretrain.knn.bankSize,
  },
  augmentationInterval('cropScale', (chain) => chain.cropScale),
  augmentationInterval('cropRatio', (chain) => chain.cropRatio),
  augmentationInterval('blur.sigma', (chain) => chain.blur.sigma),
];

/** Fields of the spec that may change after creation; all others are fixed, so that a run keeps its meaning. */
export const changeableFields = [
  'suspend',
  'activeDeadlineSeconds',
  'ttlSecondsAfterFinished',
  'checkpoint',
  'failurePolicy',
] as const satisfies readonly (keyof SimSiamRunSpec)[];
