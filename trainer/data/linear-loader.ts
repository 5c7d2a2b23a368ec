import { CounterRandom, purpose } from '../random.ts';
import { cropAndFlip } from './augmentation.ts';
import { BadImages } from './bad-images.ts';
import { BatchBuffers } from './batch-buffers.ts';
import { BatchRenderer } from './batch-renderer.ts';
import type { Dataset } from './dataset.ts';
import { LabelError } from './errors.ts';
import { labelledPart } from './labelled-part.ts';
import { lanesOfRank } from './lanes.ts';
import { prefetch } from './prefetch.ts';
import { renderReplacingBad } from './replace-bad.ts';

export interface LinearLoaderOptions {
  /** With labels. */
  readonly dataset: Dataset;
  readonly seed: number;
  /** Global: of all ranks together. */
  readonly batchSize: number;
  readonly rank: number;
  readonly world: number;
  readonly imageSize: number;
  readonly cropScale: readonly [number, number];
  readonly flipProbability: number;
  /** Of the images of each class; default 1. */
  readonly labelFraction?: number | undefined;
  /**
   * Default false. True: the padding of a smaller last batch shows images from the epoch's beginning, still with mask 0,
   * for a network whose batch norm sees all slots.
   */
  readonly fillLastBatch?: boolean;
  readonly threads: number;
  readonly maxBadImageFraction: number;
  /** Told how many more images can't be decoded, when it finds some. */
  readonly onBadImages?: (images: number) => void;
}

/** This rank's part of a step: room for n = batchSize / world images, of which the first `count` are there. */
export interface LinearBatch {
  /** uint8 [n, size, size, 3] in shared memory. Valid until the next batch is asked for. */
  readonly images: Uint8Array;
  /** int32 [n]; 0 in the padding. */
  readonly labels: Int32Array;
  /** float32 [n]: 1 for an image, 0 for padding. */
  readonly mask: Float32Array;
  /** Images of this rank. */
  readonly count: number;
  /** Images of all ranks together. */
  readonly globalCount: number;
}

/** The number of the view in linear evaluation, so that its crops aren't those of pre-training. */
const linearView = 2;

/** One random crop, perhaps mirrored, of each image, in an order drawn for each epoch; the last batch may be smaller. */
export class LinearLoader {
  readonly stepsPerEpoch: number;
  readonly #options: LinearLoaderOptions;
  readonly #localBatch: number;
  /** The images that are used; undefined for all. */
  readonly #part: Int32Array | undefined;
  readonly #size: number;
  readonly #renderer: BatchRenderer;
  readonly #bad: BadImages;
  readonly #buffers: BatchBuffers;

  /** @throws LabelError without labels; UnevenBatchError, AugmentAddonError */
  constructor(options: LinearLoaderOptions) {
    const { dataset, batchSize, rank, world, imageSize, threads, maxBadImageFraction } = options;
    if (dataset.classes.length === 0) {
      throw new LabelError(
        `linear evaluation needs labels, and ${dataset.uri} has none: put each class in a folder of its own, add .cls ` +
          'files to the shards, or set spec.linear.epochs to 0',
      );
    }
    this.#options = options;
    const { first, end } = lanesOfRank(batchSize, rank, world);
    this.#localBatch = end - first;
    const { labelFraction = 1, seed } = options;
    this.#part = labelFraction < 1 ? labelledPart(dataset, labelFraction, seed) : undefined;
    this.#size = this.#part?.length ?? dataset.size;
    this.stepsPerEpoch = Math.ceil(this.#size / batchSize);
    // Each epoch deals all images out anew, so that in the end each rank has read all of them.
    this.#bad = new BadImages(dataset, this.#size, maxBadImageFraction, options.onBadImages);
    this.#buffers = new BatchBuffers(1, this.#localBatch, imageSize);
    this.#renderer = new BatchRenderer(dataset, threads);
  }

  /** Different images that could not be decoded so far, in this process. */
  get badImages(): number {
    return this.#bad.count;
  }

  /** Name and reason of the first bad images. */
  get badImageExamples(): readonly string[] {
    return this.#bad.examples;
  }

  /**
   * The batches of an epoch, from a step of it on.
   *
   * @throws TooManyBadImagesError, DataReadError
   */
  epoch(epoch: number, fromStep = 0): AsyncGenerator<LinearBatch, void, undefined> {
    const { seed } = this.#options;
    const positions = new CounterRandom(seed, purpose.order, epoch).permutation(this.#size);
    const order = Int32Array.from(positions, (position) => this.#imageAt(position));
    return this.#buffers.during((buffers) =>
      prefetch(fromStep, this.stepsPerEpoch, buffers, (step, buffer) => this.#batch(epoch, step, order, buffer)),
    );
  }

  async #batch(epoch: number, step: number, order: Int32Array, images: Uint8Array): Promise<LinearBatch> {
    const { dataset, seed, batchSize, rank, world, imageSize, cropScale, flipProbability } = this.#options;
    const batch = order.subarray(step * batchSize, (step + 1) * batchSize);
    // The images of a smaller last batch are shared out evenly too.
    const from = Math.floor((rank * batch.length) / world);
    const to = Math.floor(((rank + 1) * batch.length) / world);
    const wanted = this.#options.fillLastBatch ? this.#filled(order, batch.slice(from, to)) : batch.slice(from, to);
    const augmentation = cropAndFlip(cropScale, flipProbability);
    const indices = await renderReplacingBad(
      this.#renderer,
      { augmentation, seed, epoch, size: imageSize, views: [linearView] },
      wanted,
      { out: images, batch: this.#localBatch },
      this.#bad,
      (_slot, index, attempt) =>
        this.#imageAt(new CounterRandom(seed, purpose.replacement, epoch, index, attempt).integer(this.#size)),
    );
    const count = to - from;
    const labels = new Int32Array(this.#localBatch);
    labels.set(indices.subarray(0, count).map((index) => dataset.label(index)));
    const mask = new Float32Array(this.#localBatch).fill(1, 0, count);
    return { images, labels, mask, count, globalCount: batch.length };
  }

  /** The images with others behind them that fill this rank's slots: not the same on any two ranks, if there are enough. */
  #filled(order: Int32Array, own: Int32Array): Int32Array {
    const first = this.#options.rank * this.#localBatch;
    return Int32Array.from(
      { length: this.#localBatch },
      (_, slot) => own[slot] ?? order[(first + slot) % order.length]!,
    );
  }

  #imageAt(position: number): number {
    return this.#part?.[position] ?? position;
  }

  async close(): Promise<void> {
    await this.#renderer.close();
  }
}
