/** kNN and linear top-1 in percent on the validation set; what was not asked for is absent. */
export interface Scores {
  readonly knnTop1?: number;
  readonly linearTop1?: number;
}

/** `result.json` at the run's URI: written once, when all stages are done. All accuracies are in percent. */
export interface RunResult {
  readonly phase: 'Complete';
  readonly pretrain: {
    readonly epochs: number;
    readonly steps: number;
    /** Absent, like `outputStd`, when `spec.pretrain.epochs` is 0. */
    readonly finalLoss?: number;
    /** Mean over the dimensions of the standard deviation of z/‖z‖, over the last step's batch. */
    readonly outputStd?: number;
    /** What `outputStd` is near in a healthy run: 1/√dim. */
    readonly healthyStd: number;
    /** RankMe on `effectiveRankSamples` embeddings; at most `effectiveRankLimit` = min(samples, dim). */
    readonly effectiveRank?: number;
    readonly effectiveRankLimit?: number;
    readonly effectiveRankSamples?: number;
    /** The collapse alarm that stood at the end, null in a healthy run. */
    readonly collapse: 'complete' | 'dimensional' | null;
    readonly knnTop1?: number;
  };
  /** Absent when `spec.linear.epochs` is 0. The figures are of the best epoch. */
  readonly linear?: {
    readonly epochs: number;
    readonly top1: number;
    readonly top5: number;
    /** The backbone was trained with the classifier; absent where it stayed frozen. */
    readonly fineTuned?: true;
    /** Part of the labels that were used; absent where all were. */
    readonly labelFraction?: number;
  };
  /** What costs no pre-training, beside which the figures above must be read. */
  readonly baselines?: {
    /** The pixels themselves as features; their linear figure is that of a linear classifier, also beside fine-tuning. */
    readonly rawPixels: Scores;
    /**
     * The backbone at its initial weights, with residual gammas at 1. Beside fine-tuning its linear figure is that of
     * training it on the same labels from scratch.
     */
    readonly untrained: Scores;
  };
  readonly ranks: number;
  /** Wall time of all starts of the run together, without what was lost between a checkpoint and a crash. */
  readonly durationSeconds: number;
}
