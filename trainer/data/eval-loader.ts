import { BadImages } from './bad-images.ts';
import { BatchBuffers } from './batch-buffers.ts';
import { BatchRenderer } from './batch-renderer.ts';
import type { Dataset } from './dataset.ts';
import { prefetch } from './prefetch.ts';

export interface EvalLoaderOptions {
  readonly dataset: Dataset;
  /** Images of a batch of this rank. */
  readonly batchSize: number;
  readonly rank: number;
  readonly world: number;
  readonly imageSize: number;
  readonly threads: number;
  readonly maxBadImageFraction: number;
  /** Told how many more images can't be decoded, when it finds some. */
  readonly onBadImages?: (images: number) => void;
  /** Which images to take, in this order; by default all of them. The same on each rank. */
  readonly subset?: Int32Array;
}

export interface EvalBatch {
  /** uint8 [batchSize, size, size, 3] in shared memory. Valid until the next batch is asked for. */
  readonly images: Uint8Array;
  /** int32 [batchSize]; −1 without labels and in the padding. */
  readonly labels: Int32Array;
  /** int32 [batchSize]: the images in the data set; −1 in the padding and for a bad image. */
  readonly indices: Int32Array;
  /** float32 [batchSize]: 1 for an image, 0 for padding or a bad image. */
  readonly mask: Float32Array;
}

/**
 * Each image once over all ranks, by the evaluation transform (eval-transform.ts). A rank takes a contiguous part; all
 * ranks give the same number of batches, so that collectives meet, the last ones perhaps with nothing but padding.
 * Bad images are masked out and counted.
 */
export class EvalLoader {
  readonly steps: number;
  readonly #options: EvalLoaderOptions;
  readonly #part: Int32Array;
  readonly #renderer: BatchRenderer;
  readonly #bad: BadImages;
  readonly #buffers: BatchBuffers;

  /** @throws AugmentAddonError */
  constructor(options: EvalLoaderOptions) {
    const { dataset, batchSize, rank, world, imageSize, threads, maxBadImageFraction } = options;
    const all = options.subset ?? Int32Array.from({ length: dataset.size }, (_, i) => i);
    this.#options = options;
    this.#part = all.slice(Math.floor((rank * all.length) / world), Math.floor(((rank + 1) * all.length) / world));
    this.steps = Math.ceil(Math.ceil(all.length / world) / batchSize);
    this.#bad = new BadImages(dataset, this.#part.length, maxBadImageFraction, options.onBadImages);
    this.#buffers = new BatchBuffers(1, batchSize, imageSize);
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
   * All batches of this rank.
   *
   * @throws TooManyBadImagesError, DataReadError
   */
  batches(): AsyncGenerator<EvalBatch, void, undefined> {
    return this.#buffers.during((buffers) =>
      prefetch(0, this.steps, buffers, (step, buffer) => this.#batch(step, buffer)),
    );
  }

  async #batch(step: number, images: Uint8Array): Promise<EvalBatch> {
    const { dataset, batchSize, imageSize } = this.#options;
    const wanted = this.#part.slice(step * batchSize, (step + 1) * batchSize);
    const bad = await this.#renderer.render(
      { augmentation: 'none', seed: 0, epoch: 0, size: imageSize, views: [0] },
      wanted,
      Int32Array.from(wanted.keys()),
      { out: images, batch: batchSize },
    );
    this.#bad.add(bad);
    const indices = new Int32Array(batchSize).fill(-1);
    indices.set(wanted);
    for (const { slot } of bad) indices[slot] = -1;
    return {
      images,
      labels: indices.map((index) => (index < 0 ? -1 : dataset.label(index))),
      indices,
      mask: Float32Array.from(indices, (index) => (index < 0 ? 0 : 1)),
    };
  }

  async close(): Promise<void> {
    await this.#renderer.close();
  }
}
