/**
 * What there is to tell of a run while it goes on. Ranks send most of it as it is (trainer/launch/messages.ts).
 */

export type Stage = 'pretrain' | 'linear';

export type RunPhase = 'Starting' | 'Pretraining' | 'Baselines' | 'LinearEvaluation' | 'Finished';

export interface PhaseMessage {
  readonly type: 'phase';
  readonly phase: RunPhase;
  /** What it is doing in a few words, for the progress view: `tracing the step`, `resumed at step 1200`. */
  readonly detail?: string;
  /** Finished steps of the stage that begins or goes on with this phase. */
  readonly step?: number;
  /** Of that stage. */
  readonly stepsPerEpoch?: number;
}

/** What a step's time goes to. */
export const stepParts = ['data', 'step', 'evaluation', 'checkpoint'] as const;
export type StepPart = (typeof stepParts)[number];

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
  /** Euclidean length of all gradients together. */
  readonly gradientNorm?: number;
  readonly effectiveRank?: number;
  /** Percent. */
  readonly knnTop1?: number;
  /** Percent, of the linear fit to the kNN's features. */
  readonly probeTop1?: number;
  /** Percent, of the online linear probe. */
  readonly onlineTop1?: number;
  /** Percent, of the validation set. */
  readonly top1?: number;
  readonly top5?: number;
  /** Percent, of the step's batch of linear evaluation. */
  readonly trainTop1?: number;
  readonly trainTop5?: number;
  /** Over all ranks. */
  readonly samplesPerSecond: number;
  /** What rank 0 has spent its time on since the stage began or went on; see trainer/pretrain/part-timer.ts. */
  readonly seconds?: Readonly<Record<StepPart, number>>;
  /** The step was the last one of its epoch, and the figures above are those of the epoch's end. */
  readonly epochEnd: boolean;
}

/** A batch of rank 0's validation images is measured in linear evaluation; sent only where each step is told. */
export interface ValidationMessage {
  readonly type: 'validation';
  /** Its place among rank 0's batches, from 0. */
  readonly batch: number;
  readonly batches: number;
  /** Of the batch: mean loss, and percent. */
  readonly loss: number;
  readonly top1: number;
  readonly top5: number;
  /** What it took, loading included. */
  readonly seconds: number;
}

/** A checkpoint is committed. */
export interface CheckpointMessage {
  readonly type: 'checkpoint';
  readonly stage: Stage;
  readonly step: number;
  readonly uri: string;
  /** Of linear evaluation: the best epoch's so far, in percent. */
  readonly best?: { readonly top1: number; readonly top5: number };
}

/**
 * Sent by each rank about once a second while it pre-trains, where ranks can wait for each other and it is measured. The
 * rank that has waited least is the one that the others wait for.
 */
export interface WaitMessage {
  readonly type: 'wait';
  /** In collectives, since this rank's process began. */
  readonly seconds: number;
}

export interface WarningMessage {
  readonly type: 'warning';
  readonly code: string;
  readonly message: string;
  /** What was warned of before is over. */
  readonly cleared?: boolean;
}

/** A rank has met images that can't be decoded, each told once in the life of its process. */
export interface UnreadableMessage {
  readonly type: 'unreadable';
  /** How many more they are now. */
  readonly images: number;
}

/** Where the ranks run. */
interface RanksEvent {
  readonly type: 'ranks';
  readonly world: number;
  readonly device: 'cpu' | 'gpu';
  /** Compute threads of each. */
  readonly threads: number;
}

/** Some workers of the run are not there; the ranks start when they are. */
interface WaitingEvent {
  readonly type: 'waiting';
  /** Their numbers, in order. */
  readonly workers: readonly number[];
}

/** The ranks of all workers start together, for the so many-th time; each launcher tells it. */
interface GenerationEvent {
  readonly type: 'generation';
  /** From 1. */
  readonly generation: number;
  readonly world: number;
}

/** All processes of this launcher's ranks are gone. */
interface EndedEvent {
  readonly type: 'ended';
  readonly generation: number;
}

/** Why the ranks of a generation ended early: a rank or a worker was gone, no step finished, or anything else. */
export type RestartCause = 'peerLost' | 'hang' | 'failed';

/** The ranks of all workers ended early and start again from the last checkpoint. */
interface RestartEvent {
  readonly type: 'restart';
  readonly generation: number;
  readonly cause: RestartCause;
  readonly message: string;
}

/** The ranks were asked to finish their step. */
interface StoppingEvent {
  readonly type: 'stopping';
}

export type RunEvent =
  | RanksEvent
  | PhaseMessage
  | ProgressMessage
  | ValidationMessage
  | CheckpointMessage
  | (UnreadableMessage & { readonly rank: number })
  /** Of a rank, or without one of the launcher itself. */
  | (WarningMessage & { readonly rank?: number })
  | (WaitMessage & { readonly rank: number })
  | WaitingEvent
  | GenerationEvent
  | EndedEvent
  | RestartEvent
  | StoppingEvent;
