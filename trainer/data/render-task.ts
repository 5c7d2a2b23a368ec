import type { AugmentationSpec } from '../../api/augmentation.ts';
import type { SampleSource } from './dataset.ts';
import type { CacheMemory } from './decoded-cache.ts';

/** How images become views. Everything random is drawn from (seed, epoch, image, view). */
export interface ViewRecipe {
  readonly augmentation: AugmentationSpec;
  readonly seed: number;
  readonly epoch: number;
  /** Side of the square views in pixels. */
  readonly size: number;
  /** The numbers of the views that are made of each image: [0, 1] in pre-training, another one elsewhere. */
  readonly views: readonly number[];
}

/** A part of a batch: what goes to a worker thread in one message. */
export interface RenderTask {
  readonly recipe: ViewRecipe;
  readonly cache: CacheMemory;
  /** Indices of the images in the data set. */
  readonly indices: Int32Array;
  readonly sources: readonly SampleSource[];
  /** Where in the batch each image goes. */
  readonly slots: Int32Array;
  /** Shared memory, uint8 [views, batch, size, size, 3]. */
  readonly out: Uint8Array;
  readonly batch: number;
}

/** An image that could not be read or decoded; its slot holds what was there before. */
export interface BadImage {
  readonly slot: number;
  readonly index: number;
  readonly reason: string;
}

/** What comes back from a worker thread. */
export interface RenderResult {
  readonly bad: readonly BadImage[];
  /** The disk's failure, as text since errors lose their class and code between threads. */
  readonly readFailure: string | null;
}
