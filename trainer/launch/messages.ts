import type { ExitCode } from '../../api/exit-codes.ts';
import type { RunResult } from '../../api/run-result.ts';
import type { SimSiamRun } from '../../api/run.ts';
import type {
  CheckpointMessage,
  PhaseMessage,
  ProgressMessage,
  RestartCause,
  Stage,
  UnreadableMessage,
  WaitMessage,
  ValidationMessage,
  WarningMessage,
} from '../telemetry/run-event.ts';

export type {
  CheckpointMessage,
  PhaseMessage,
  ProgressMessage,
  Stage,
  UnreadableMessage,
  WarningMessage,
} from '../telemetry/run-event.ts';

/**
 * What the launcher and a rank say to each other over the IPC channel of `child_process.fork` (serialization
 * 'advanced'). The rank's side of the channel is rank-channel.ts.
 */

/** What a rank is to do, as far as it is known before the ranks have found together. */
export interface RankOrder {
  readonly run: SimSiamRun;
  readonly rank: number;
  readonly world: number;
  /** Name of the GPU that the rank was given; null: it computes on the cores. */
  readonly gpu: string | null;
  /** Compute threads of TensorFlow; the launcher also set TF_NUM_INTRAOP_THREADS in the rank's environment. */
  readonly threads: number;
  /** Threads that decode and augment images. */
  readonly loaderThreads: number;
  /**
   * The stages to do in this order, never empty. `linear` first finishes a pre-training that isn't; whoever does the
   * run's last stage writes its result.
   */
  readonly stages: readonly Stage[];
  /** Rank 0 tells of each step, and not only of some a second. */
  readonly everyStep: boolean;
}

/** The first message of a process that is started ahead (standbys.ts): get ready, and wait for `start`. */
export interface RankStandby extends RankOrder {
  readonly type: 'standby';
}

/** What makes a process a rank; it does nothing before but what `standby` asks for. */
export interface RankStart extends RankOrder {
  readonly type: 'start';
  /** `host:port` of each rank's TensorFlow server, index = rank. */
  readonly addresses: readonly string[];
  /** The file in memory by which they exchange tensors, where all are on this machine's cores; TensorFlow's servers aren't started. */
  readonly exchange?: string | undefined;
  /** Why these ranks follow others of the same launchers, where they do. */
  readonly former?: { readonly cause: RestartCause; readonly message: string } | undefined;
}

/**
 * All ranks finish the same step, rank 0 commits a checkpoint, all exit 75. It may come at any time after `start` and
 * to the ranks at different steps: agreeing on the step is the ranks' business.
 */
export interface StopRequest {
  readonly type: 'stop';
}

export type LauncherToRank = RankStandby | RankStart | StopRequest;

/**
 * Work without a step goes on: a batch evaluated, a function traced, a part uploaded. It only holds back the hang
 * detection; send it after real work, never from a timer.
 */
export interface AliveMessage {
  readonly type: 'alive';
}

/** The rank's first step is done, and with it all that only its start takes time for. */
interface SteppedMessage {
  readonly type: 'stepped';
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
interface ResultMessage {
  readonly type: 'result';
  readonly result: RunResult;
}

/** Rank 0 sends all of them, the other ranks `stepped`, `wait`, `warning`, `unreadable` and `failure` only. */
export type RankToLauncher =
  | PhaseMessage
  | SteppedMessage
  | ProgressMessage
  | WaitMessage
  | AliveMessage
  | CheckpointMessage
  | UnreadableMessage
  | ValidationMessage
  | WarningMessage
  | FailureMessage
  | ResultMessage;
