import type { ExitCode } from '../../api/exit-codes.ts';
import type { RunResult } from '../../api/run-result.ts';
import type { SimSiamRun } from '../../api/run.ts';

/**
 * What the launcher and a rank say to each other over the IPC channel of `child_process.fork` (serialization
 * 'advanced'). The rank's side of the channel is rank-channel.ts.
 */

export type Stage = 'pretrain' | 'linear';

/** The first message that a rank gets; it does nothing before. */
export interface RankStart {
  readonly type: 'start';
  readonly run: SimSiamRun;
  readonly rank: number;
  readonly world: number;
  /** `host:port` of each rank's TensorFlow server, index = rank. */
  readonly addresses: readonly string[];
  /** Compute threads of TensorFlow; the launcher also set TF_NUM_INTRAOP_THREADS in the rank's environment. */
  readonly threads: number;
  /** Threads that decode and augment images. */
  readonly loaderThreads: number;
  /** The stages to do in this order, never empty. */
  readonly stages: readonly Stage[];
}

/**
 * All ranks finish the same step, rank 0 commits a checkpoint, all exit 75. It may come at any time after `start` and
 * to the ranks at different steps: agreeing on the step is the ranks' business.
 */
export interface StopRequest {
  readonly type: 'stop';
}

export type LauncherToRank = RankStart | StopRequest;

export const runPhases = ['Starting', 'Pretraining', 'Baselines', 'LinearEvaluation', 'Finished'] as const;
export type RunPhase = (typeof runPhases)[number];

export interface PhaseMessage {
  readonly type: 'phase';
  readonly phase: RunPhase;
  /** What it is doing in a few words, for the progress view: `tracing the step`, `resumed at step 1200`. */
  readonly detail?: string;
}

/** Sent by rank 0 after a step, at most some times a second. Figures that are not measured now are left out. */
export interface ProgressMessage {
  readonly type: 'progress';
  readonly stage: Stage;
  /** The epoch that is running, from 0. */
  readonly epoch: number;
  readonly epochs: number;
  /** Finished steps of the stage, those before a resume included. */
  readonly step: number;
  readonly totalSteps: number;
  readonly loss: number;
  readonly learningRate: number;
  /** Mean over the dimensions of the standard deviation of z/‖z‖; healthy near 1/√dim, 0 when collapsed. */
  readonly outputStd?: number;
  readonly effectiveRank?: number;
  /** Percent. */
  readonly knnTop1?: number;
  /** Percent, of the validation set. */
  readonly top1?: number;
  readonly top5?: number;
  /** Over all ranks. */
  readonly samplesPerSecond: number;
  /** The step was the last one of its epoch, and the figures above are those of the epoch's end. */
  readonly epochEnd: boolean;
}

/**
 * Work without a step goes on: a batch evaluated, a function traced, a part uploaded. It only holds back the hang
 * detection; send it after real work, never from a timer.
 */
export interface AliveMessage {
  readonly type: 'alive';
}

/** A checkpoint is committed. */
export interface CheckpointMessage {
  readonly type: 'checkpoint';
  readonly stage: Stage;
  readonly step: number;
  readonly uri: string;
}

export interface WarningMessage {
  readonly type: 'warning';
  readonly code: string;
  readonly message: string;
}

/** The rank's last message: why it ends. Its exit code is `exitCode`. */
export interface FailureMessage {
  readonly type: 'failure';
  readonly code: string;
  readonly exitCode: ExitCode;
  readonly message: string;
  /** Only of errors that are no SimSiamError: defects. */
  readonly stack?: string;
}

/** Sent by rank 0 after result.json is committed, or at once when it was there already. */
export interface ResultMessage {
  readonly type: 'result';
  readonly result: RunResult;
}

/** Rank 0 sends all of them, the other ranks `warning` and `failure` only. */
export type RankToLauncher =
  PhaseMessage | ProgressMessage | AliveMessage | CheckpointMessage | WarningMessage | FailureMessage | ResultMessage;
