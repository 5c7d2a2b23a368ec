import type { Architecture } from '../../api/run.ts';

/** Whose features, and how images get to it. */
export interface BackboneChoice {
  /** A checkpoint's folder or file, or a run's folder for its last one. */
  readonly checkpoint: string;
  /** What it must be of; default: what its names say. */
  readonly arch?: Architecture;
  /** Side of the images; default: that of the run, else 224, or 32 with the CIFAR stem. */
  readonly imageSize?: number;
  /** Images a batch. */
  readonly batchSize: number;
  readonly maxBadImageFraction: number;
}

/** Features of all images of a data set, into a file. */
export interface EmbedTask extends BackboneChoice {
  readonly kind: 'embed';
  /** A folder, or what else `spec.data.train` takes. */
  readonly data: string;
  /** `.npy` or `.safetensors`; its names go to a `.json` beside it. */
  readonly output: string;
}

/** kNN classification of one labelled set by another, of files that `embed` made or of images and a checkpoint. */
export interface KnnTask {
  readonly kind: 'knn';
  readonly train: string;
  readonly val: string;
  readonly k: number;
  readonly temperature: number;
  /** Absent: `train` and `val` are files of features. */
  readonly backbone?: BackboneChoice;
}

/** What a process of embed-main.ts is asked for. */
export type FeatureTask = EmbedTask | KnnTask;

export interface EmbedResult {
  readonly output: string;
  /** The file with the names. */
  readonly names: string;
  readonly arch: Architecture;
  readonly images: number;
  /** Features an image. */
  readonly dimension: number;
  readonly imageSize: number;
  /** Images that could not be decoded and have no row. */
  readonly skipped: readonly string[];
}

export interface KnnResult {
  /** Percent of the queries. */
  readonly top1: number;
  readonly queries: number;
  /** Images that vote. */
  readonly bank: number;
  readonly classes: number;
  readonly k: number;
  readonly temperature: number;
  readonly dimension: number;
}

export type TaskResult = EmbedResult | KnnResult;
