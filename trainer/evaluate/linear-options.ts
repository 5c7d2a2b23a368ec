import type { LabelledBatch } from './batches.ts';
import type { LinearFunctionOptions } from './linear-functions.ts';
import type { LinearRecord, LinearState } from './linear-state.ts';

/** Training batches of a rank: as many on every rank, the last one of an epoch filled up with padding. */
export interface LinearBatches {
  readonly stepsPerEpoch: number;
  epoch(epoch: number, fromStep?: number): AsyncIterable<LabelledBatch>;
}

export interface LinearStepReport {
  readonly epoch: number;
  /** Finished steps of the epoch. */
  readonly step: number;
  readonly learningRate: number;
  /** Mean over the global batch. */
  readonly loss: number;
  /** Images of the global batch. */
  readonly images: number;
  /** Percent of the global batch, before the step. */
  readonly trainTop1: number;
  readonly trainTop5: number;
  /** What this rank waited for its batch, and then for the graph function. */
  readonly milliseconds: { readonly data: number; readonly step: number };
}

/** A batch of this rank's validation images. */
export interface ValidationReport {
  /** From 0. */
  readonly batch: number;
  /** 0 in one of padding alone. */
  readonly images: number;
  /** Mean, and percent, over its images. */
  readonly loss: number;
  readonly top1: number;
  readonly top5: number;
  /** Loading included. */
  readonly milliseconds: number;
}

export interface LinearEvaluationOptions extends LinearFunctionOptions {
  readonly train: LinearBatches;
  /** This rank's share of the validation set, anew at each call. */
  readonly validation: () => AsyncIterable<LabelledBatch>;
  readonly epochs: number;
  /** Of the first epoch, scaled by the batch already; a cosine per epoch takes it down. */
  readonly learningRate: number;
  /** Likewise, of a backbone that is fine-tuned. Default 0. */
  readonly backboneLearningRate?: number;
  /** Where to start or go on. All ranks have the same. The backbone that it has is fine-tuned, and stays the caller's. */
  readonly from: LinearState;
  /** Default false. True: `from` is measured once, and nothing is trained. */
  readonly evaluateOnly?: boolean;
  /** Milliseconds since some start. */
  readonly clock: () => number;
  /** Asked at every step. All ranks stop after the same step as soon as one of them wants to. */
  readonly stopRequested: () => boolean;
  readonly onStep?: (report: LinearStepReport) => void;
  /** After each validation batch, also to show that a long one is alive. */
  readonly onValidationBatch?: (report: ValidationReport) => void;
  /**
   * After each epoch and awaited: the place to commit a checkpoint. `snapshot` reads the state that follows the epoch
   * and must be called before the promise is settled.
   */
  readonly onEpoch?: (record: LinearRecord, isBest: boolean, snapshot: () => Promise<LinearState>) => Promise<void>;
}

export interface LinearOutcome {
  /** `stopped`: on request, with an epoch or more to go. */
  readonly outcome: 'finished' | 'stopped';
  readonly state: LinearState;
}
