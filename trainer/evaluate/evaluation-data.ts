import type { BatchShape, IndexedBatch } from './batches.ts';

/** This rank's share of the images that monitors and evaluations look at, in the evaluation transform. */
export interface EvaluationData {
  /** Of every batch below. */
  readonly shape: BatchShape;
  readonly trainSize: number;
  /** 0 where the data set has no labels. */
  readonly classes: number;
  /** The first so many training images in an order drawn once from the seed. */
  train(images: number): AsyncIterable<IndexedBatch>;
  /** All validation images; absent where the run has none. */
  readonly validation: (() => AsyncIterable<IndexedBatch>) | undefined;
}
