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
  /**
   * The first so many images of a kNN bank, in the same order: training images, without those that are held out for
   * `queries`.
   */
  bank(images: number): AsyncIterable<IndexedBatch>;
  /**
   * What the bank classifies: all validation images, or where the run has none, labelled training images that are held
   * out of the bank. Absent without labels.
   */
  readonly queries: (() => AsyncIterable<IndexedBatch>) | undefined;
  /** All validation images; absent where the run has none. */
  readonly validation: (() => AsyncIterable<IndexedBatch>) | undefined;
  /** How many batches those are. */
  readonly validationBatches: (() => number) | undefined;
}
