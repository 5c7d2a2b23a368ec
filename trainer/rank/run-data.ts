import { createHash } from 'node:crypto';
import { join } from 'node:path';

import { cacheFolder } from '../../storage/cache-folder.ts';
import { openDataset, type Dataset, type DatasetOptions } from '../data/dataset.ts';
import { LabelError } from '../data/errors.ts';
import { EvalLoader, type EvalLoaderOptions } from '../data/eval-loader.ts';
import { stepsOfEpoch } from '../data/lanes.ts';
import { LinearLoader } from '../data/linear-loader.ts';
import { PretrainLoader } from '../data/pretrain-loader.ts';
import type { BatchShape, IndexedBatch } from '../evaluate/batches.ts';
import type { EvaluationData } from '../evaluate/evaluation-data.ts';
import { objectiveOf } from '../model/objective.ts';
import { CounterRandom, purpose } from '../random.ts';
import type { RankContext } from './context.ts';

/** What each loader reads for, in the words of a warning. */
type Use =
  | 'pre-training'
  | 'linear evaluation'
  | 'validation'
  | `features of ${number} training images`
  | 'a bank of training images'
  | 'training images held out'
  | 'the sample for reports';

/** Images of a batch in evaluation, at most; never more than a training batch, whose memory is known to be there. */
const EVALUATION_BATCH = 256;

/** Without a validation set this part of the training images, and so many at most, is held out of the kNN bank. */
const [HELD_OUT_PART, HELD_OUT_MOST] = [0.1, 5000];

/** Images of the sample for reports, at most: a map of more is a cloud, and a page with more is large. */
const SAMPLE_IMAGES = 1000;

/** SHA-256 over the names and labels of each set. */
export interface ImageHashes {
  readonly train: string;
  readonly val?: string;
}

/** What a report's sample is taken of. */
export interface SampleData {
  readonly dataset: Dataset;
  readonly set: 'train' | 'val';
  readonly shape: BatchShape;
  readonly batches: AsyncIterable<IndexedBatch>;
}

/** What every opening of a set of the run is told. */
function datasetOptions({ run, runtime, send }: RankContext, set: keyof ImageHashes): DatasetOptions {
  const { data, storage } = run.spec;
  const { endpoint, region, cacheGiB } = data;
  // Of this process alone: other runs and ranks of the machine have folders of their own.
  const owner = createHash('sha256').update(`${storage.uri}\n${data[set]}`).digest('hex').slice(0, 16);
  const folder = join(cacheFolder(), 'data', owner, `${set}-rank-${runtime.rank}`);
  return {
    onProgress: () => send({ type: 'alive' }),
    onWarning: (message) => send({ type: 'warning', code: 'DATA', message }),
    ...(endpoint !== undefined && { endpoint }),
    ...(region !== undefined && { region }),
    ...(cacheGiB > 0 && { cache: { folder, bytes: cacheGiB * 2 ** 30 } }),
  };
}

interface Loader {
  readonly badImages: number;
  readonly badImageExamples: readonly string[];
  close(): Promise<void>;
}

/** The data sets of a run and this rank's loaders over them, each opened when it is first asked for. */
export class RunData {
  readonly train: Dataset;
  readonly validation: Dataset | undefined;
  readonly #context: RankContext;
  readonly #loaders = new Map<Use, Loader>();

  private constructor(context: RankContext, train: Dataset, validation: Dataset | undefined) {
    this.#context = context;
    this.train = train;
    this.validation = validation;
  }

  /**
   * @throws DataError and its kin: what is missing, empty, too small or wrong. Linear evaluation of a set without labels
   * is a LabelError here, before days of pre-training.
   */
  static async open(context: RankContext): Promise<RunData> {
    const { data, linear } = context.run.spec;
    const train = await openDataset(data.train, datasetOptions(context, 'train'));
    if (linear.epochs > 0 && train.classes.length === 0) {
      throw new LabelError(
        `${data.train} has no labels, which linear evaluation needs: set spec.linear.epochs to 0, or give labelled images`,
      );
    }
    const labelled = train.classes.length > 0;
    const { epochs, knn } = context.run.spec.pretrain;
    if (epochs > 0 && knn.onlineProbeLearningRate !== undefined && !labelled) {
      throw new LabelError(
        `${data.train} has no labels, which the online probe needs: leave out spec.pretrain.knn.onlineProbeLearningRate, ` +
          'or give labelled images',
      );
    }
    const validation =
      data.val !== undefined && labelled
        ? await openDataset(data.val, { classes: train.classes, ...datasetOptions(context, 'val') })
        : undefined;
    if (validation?.classes.length === 0) {
      throw new LabelError(`${data.val} has no labels and ${data.train} has: label both, or leave out data.val`);
    }
    const opened = new RunData(context, train, validation);
    if (context.run.spec.pretrain.epochs > 0) opened.pretrainLoader();
    return opened;
  }

  /** @throws TooFewImagesError */
  pretrainLoader(): PretrainLoader {
    const { imageSize, augmentation, seed, ablation } = this.#context.run.spec.pretrain;
    const batchSize = this.#partSize();
    stepsOfEpoch({ size: this.train.size, batchSize: this.#context.run.spec.pretrain.batchSize });
    const { views } = objectiveOf(ablation);
    return this.#once('pre-training', () => {
      return new PretrainLoader({
        ...this.#common(),
        ...{ dataset: this.train, seed, batchSize, imageSize, augmentation, views },
      });
    });
  }

  linearLoader(): LinearLoader {
    const { pretrain, linear } = this.#context.run.spec;
    const { imageSize, seed } = pretrain;
    const { batchSize, cropScale, flipProbability, labelFraction } = linear;
    const dataset = this.train;
    const fillLastBatch = linear.backboneLearningRate !== undefined;
    return this.#once('linear evaluation', () => {
      return new LinearLoader({
        ...this.#common(),
        ...{ dataset, seed, batchSize, imageSize, cropScale, flipProbability, labelFraction, fillLastBatch },
      });
    });
  }

  evaluation(): EvaluationData {
    const shape = this.#evaluationShape();
    const loader = (use: Use, dataset: Dataset, subset?: () => Int32Array): EvalLoader =>
      this.#once(use, () => {
        return new EvalLoader({ ...this.#common(), ...shape, dataset, ...(subset ? { subset: subset() } : {}) });
      });
    const { train, validation } = this;
    const labelled = train.classes.length > 0;
    const heldOut = validation ? 0 : Math.min(HELD_OUT_MOST, Math.ceil(train.size * HELD_OUT_PART));
    const all = (): AsyncIterable<IndexedBatch> => loader('validation', validation!).batches();
    const rest = (): AsyncIterable<IndexedBatch> =>
      loader('training images held out', train, () => this.#subset(train, train.size, train.size - heldOut)).batches();
    return {
      shape,
      trainSize: train.size,
      classes: train.classes.length,
      train: (images) =>
        loader(`features of ${images} training images`, train, () => this.#subset(train, images)).batches(),
      bank: (images) =>
        loader('a bank of training images', train, () =>
          this.#subset(train, Math.min(images, train.size - heldOut)),
        ).batches(),
      queries: labelled ? (validation ? all : rest) : undefined,
      validation: validation && all,
      validationBatches: validation && (() => loader('validation', validation).steps),
    };
  }

  /** Some images of the validation set, or of the training set where there is none, all for the rank that asks. */
  sample(): SampleData {
    const dataset = this.validation ?? this.train;
    const shape = this.#evaluationShape();
    const { batchSize, imageSize } = shape;
    const loader = this.#once('the sample for reports', () => {
      // Of a few images many may be bad by chance; who reads the whole set has refused it if it is.
      const alone = { rank: 0, world: 1, maxBadImageFraction: 1 };
      const subset = this.#subset(dataset, SAMPLE_IMAGES);
      return new EvalLoader({ ...this.#common(), ...alone, ...{ dataset, batchSize, imageSize, subset } });
    });
    return { dataset, set: this.validation ? 'val' : 'train', shape, batches: loader.batches() };
  }

  /** What tells whether a run goes on with the images that it began with. */
  indexHashes(): ImageHashes {
    return { train: this.train.indexHash, ...(this.validation ? { val: this.validation.indexHash } : {}) };
  }

  /** What the user should know of the data, a line each: of the order of the training images, which only pre-training keeps. */
  warnings(): readonly string[] {
    return this.#context.run.spec.pretrain.epochs > 0 ? this.train.warnings : [];
  }

  /** What this rank left out so far, a line for each use that met unreadable images. */
  badImages(): string[] {
    return [...this.#loaders].flatMap(([use, { badImages, badImageExamples }]) =>
      badImages === 0
        ? []
        : [`${use}: left out ${badImages} unreadable image${badImages > 1 ? 's' : ''}: ${badImageExamples.join('; ')}`],
    );
  }

  async close(): Promise<void> {
    for (const loader of this.#loaders.values()) await loader.close();
    await this.train.close();
    await this.validation?.close();
  }

  #evaluationShape(): BatchShape {
    const { runtime, run } = this.#context;
    const { imageSize } = run.spec.pretrain;
    return { batchSize: Math.min(EVALUATION_BATCH, this.#partSize() / runtime.world), imageSize };
  }

  /** The images from and up to a place in an order drawn once from the seed. */
  #subset({ size }: Dataset, to: number, from = 0): Int32Array {
    const { seed } = this.#context.run.spec.pretrain;
    return Int32Array.from(new CounterRandom(seed, purpose.subset).permutation(size)).slice(from, to).sort();
  }

  /** Images over all ranks that are computed together in pre-training. */
  #partSize(): number {
    const { batchSize, accumulationSteps = 1 } = this.#context.run.spec.pretrain;
    return batchSize / accumulationSteps;
  }

  #common(): Pick<EvalLoaderOptions, 'rank' | 'world' | 'threads' | 'maxBadImageFraction' | 'onBadImages'> {
    const { runtime, run, loaderThreads, send } = this.#context;
    const { maxBadImageFraction } = run.spec.data;
    const onBadImages = (images: number): void => send({ type: 'unreadable', images });
    return { rank: runtime.rank, world: runtime.world, threads: loaderThreads, maxBadImageFraction, onBadImages };
  }

  #once<T extends Loader>(use: Use, open: () => T): T {
    const loader = (this.#loaders.get(use) as T | undefined) ?? open();
    this.#loaders.set(use, loader);
    return loader;
  }
}
