import type { AugmentationSpec } from '../../api/augmentation.ts';
import { BadImages } from './bad-images.ts';
import { BatchBuffers } from './batch-buffers.ts';
import { BatchRenderer } from './batch-renderer.ts';
import type { Dataset } from './dataset.ts';
import { baseOrder, batchIndices, laneBounds, laneOrder, lanesOfRank, replacementOf, stepsOfEpoch } from './lanes.ts';
import type { LanePlan, LaneRange } from './lanes.ts';
import { prefetch } from './prefetch.ts';
import { renderReplacingBad } from './replace-bad.ts';

export interface PretrainLoaderOptions {
  readonly dataset: Dataset;
  readonly seed: number;
  /** Global: of all ranks together. */
  readonly batchSize: number;
  readonly rank: number;
  readonly world: number;
  readonly imageSize: number;
  readonly augmentation: AugmentationSpec;
  /** Views of each image, 2 or 4. */
  readonly views: number;
  /** Worker threads. They don't change the batches. */
  readonly threads: number;
  readonly maxBadImageFraction: number;
  /** Told how many more images can't be decoded, when it finds some. */
  readonly onBadImages?: (images: number) => void;
}

/** What the draws of each view are counted by; 2 is the view of linear evaluation. */
const viewNumbers = [0, 1, 3, 4] as const;

/** This rank's part of a step: n = batchSize / world images. */
export interface PretrainBatch {
  /** The views of each image, uint8 [n, size, size, 3] in shared memory. Valid until the next batch is asked for. */
  readonly views: readonly Uint8Array[];
  /** The images in the data set, replacements in the place of bad ones. */
  readonly indices: Int32Array;
  /** int32 [n]; −1 where an image has none. */
  readonly labels: Int32Array;
}

/** Augmented views of each image, in the order of lanes.ts; the N mod B images left over wait for other epochs. */
export class PretrainLoader {
  readonly stepsPerEpoch: number;
  readonly #options: PretrainLoaderOptions;
  readonly #plan: LanePlan;
  readonly #base: Uint32Array | undefined;
  readonly #lanes: LaneRange;
  readonly #renderer: BatchRenderer;
  readonly #bad: BadImages;
  readonly #buffers: BatchBuffers;

  /** @throws TooFewImagesError, UnevenBatchError, AugmentAddonError */
  constructor(options: PretrainLoaderOptions) {
    const { dataset, seed, batchSize, rank, world, imageSize, views } = options;
    this.#options = options;
    this.#plan = { size: dataset.size, batchSize, seed, mixed: dataset.sortedByClass };
    this.stepsPerEpoch = stepsOfEpoch(this.#plan);
    this.#lanes = lanesOfRank(batchSize, rank, world);
    this.#base = baseOrder(this.#plan);
    const { first, end } = this.#lanes;
    const responsible = laneBounds(this.#plan, end - 1).to - laneBounds(this.#plan, first).from;
    this.#bad = new BadImages(dataset, responsible, options.maxBadImageFraction, options.onBadImages);
    this.#buffers = new BatchBuffers(views, end - first, imageSize);
    this.#renderer = new BatchRenderer(dataset, options.threads);
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
  epoch(epoch: number, fromStep = 0): AsyncGenerator<PretrainBatch, void, undefined> {
    const { first, end } = this.#lanes;
    const orders = Array.from({ length: end - first }, (_, i) => laneOrder(this.#plan, this.#base, epoch, first + i));
    return this.#buffers.during((buffers) =>
      prefetch(fromStep, this.stepsPerEpoch, buffers, (step, buffer) =>
        this.#batch(epoch, batchIndices(orders, step), buffer),
      ),
    );
  }

  async #batch(epoch: number, wanted: Int32Array, out: Uint8Array): Promise<PretrainBatch> {
    const { dataset, augmentation, seed, imageSize } = this.#options;
    const views = viewNumbers.slice(0, this.#options.views);
    const indices = await renderReplacingBad(
      this.#renderer,
      { augmentation, seed, epoch, size: imageSize, views },
      wanted,
      { out, batch: wanted.length },
      this.#bad,
      (slot, index, attempt) =>
        replacementOf(this.#plan, this.#base, this.#lanes.first + slot, { epoch, index, attempt }),
    );
    const labels = indices.map((index) => dataset.label(index));
    return { views: views.map((_, position) => this.#buffers.view(out, position)), indices, labels };
  }

  async close(): Promise<void> {
    await this.#renderer.close();
  }
}
