import type { CurvePoint, Progress, WorkerStage } from '../../api/worker.ts';
import { extended } from './curve.ts';
import type { CheckpointMessage, ProgressMessage, RunEvent, Stage } from './run-event.ts';

/** Everything that `/progress` and `/metrics` tell of a run, as one value. */
export interface ReportState {
  readonly progress: Progress;
  /** Of pre-training, in this process's time. */
  readonly curve: readonly CurvePoint[];
  /** The ranks of this pod's generation run. */
  readonly running: boolean;
  readonly world: number;
  /** The last message of each stage. */
  readonly latest: Readonly<Partial<Record<Stage, ProgressMessage>>>;
  /** Seconds since 1970 of the last commit in this process's time. */
  readonly checkpointAt: number | undefined;
  /** Commits in this process's time. */
  readonly checkpoints: number;
  /** Seconds in collectives of this launcher's ranks of the current generation, by rank. */
  readonly waits: Readonly<Record<number, number>>;
  /** Images that this pod's ranks couldn't decode, in this process's time. */
  readonly unreadableImages: number;
}

export function initialReport(stage: WorkerStage, now: Date): ReportState {
  return {
    progress: {
      ...{ stage, phase: 'Starting', generation: 0, updatedAt: now.toISOString() },
      ...{ restarts: { peerLost: 0, hang: 0, failed: 0 }, lostSteps: 0 },
    },
    curve: [],
    running: false,
    world: 0,
    latest: {},
    checkpointAt: undefined,
    checkpoints: 0,
    waits: {},
    unreadableImages: 0,
  };
}

/** The report after an event. Pure. */
export function advanceReport(state: ReportState, event: RunEvent, now: Date): ReportState {
  const { progress } = state;
  const told = { ...progress, updatedAt: now.toISOString() };
  switch (event.type) {
    case 'ranks':
      return { ...state, world: event.world };
    case 'waiting': {
      const detail = `waiting for worker${event.workers.length === 1 ? '' : 's'} ${some(event.workers)}`;
      return { ...state, running: false, progress: { ...progress, phase: 'Starting', detail } };
    }
    case 'generation':
      return { ...state, running: true, waits: {}, progress: { ...progress, generation: event.generation } };
    case 'ended':
      return { ...state, running: false };
    case 'restart': {
      const restarts = { ...progress.restarts, [event.cause]: progress.restarts[event.cause] + 1 };
      const detail = `restarting: ${event.message}`.slice(0, 500);
      return { ...state, running: false, progress: { ...progress, phase: 'Starting', detail, restarts } };
    }
    case 'phase': {
      const { phase, detail, step } = event;
      const stage = phase === 'Pretraining' ? 'pretrain' : 'linear';
      const lost = step === undefined ? 0 : Math.max(0, (state.latest[stage]?.step ?? 0) - step);
      const { detail: _, ...rest } = told;
      const lostSteps = progress.lostSteps + lost;
      return {
        ...state,
        running: true,
        progress: { ...rest, phase, ...(detail !== undefined && { detail }), lostSteps },
        // Steps that are done again count as lost once.
        latest: lost > 0 ? { ...state.latest, [stage]: { ...state.latest[stage]!, step: step! } } : state.latest,
      };
    }
    case 'progress':
      return {
        ...state,
        latest: { ...state.latest, [event.stage]: { ...lasting(state.latest[event.stage]), ...event } },
        progress: withFigures(told, event),
        curve: event.stage === 'pretrain' ? extended(state.curve, pointOf(state.curve, event)) : state.curve,
      };
    case 'checkpoint':
      return {
        ...state,
        checkpointAt: now.getTime() / 1000,
        checkpoints: state.checkpoints + 1,
        progress: withCheckpoint(told, event),
      };
    case 'wait':
      return { ...state, waits: { ...state.waits, [event.rank]: event.seconds } };
    case 'unreadable':
      return { ...state, unreadableImages: state.unreadableImages + event.images };
    case 'validation':
      return state;
    case 'warning': {
      if (event.code !== 'TRAINING_COLLAPSED') return state;
      const { collapse: _, ...rest } = told;
      return { ...state, progress: event.cleared ? rest : { ...rest, collapse: event.message } };
    }
    case 'stopping':
      return { ...state, progress: { ...progress, detail: 'stopping after this step' } };
  }
}

function pointOf(curve: readonly CurvePoint[], { step, loss, outputStd }: ProgressMessage): CurvePoint {
  return { step, loss, outputStd: outputStd ?? curve.at(-1)?.outputStd ?? 0 };
}

function withFigures(progress: Progress, message: ProgressMessage): Progress {
  const { stage, step, totalSteps, loss, outputStd, effectiveRank, knnTop1, top1, top5, samplesPerSecond } = message;
  const epoch = message.epochEnd ? message.epoch + 1 : message.epoch;
  if (stage === 'linear') {
    // The result is the best epoch's, and so is what is told on the way there.
    const isBest = top1 !== undefined && top1 > (progress.linear?.top1 ?? -1);
    const scores = isBest && { top1, ...(top5 !== undefined && { top5 }) };
    return { ...progress, linear: { ...progress.linear, epoch, ...scores } };
  }
  const figures = {
    ...(effectiveRank !== undefined && { effectiveRank }),
    ...(knnTop1 !== undefined && { knnTop1 }),
  };
  const std = outputStd ?? progress.pretrain?.outputStd ?? 0;
  const pretrain = { epoch, step, totalSteps, loss, outputStd: std, ...figures, samplesPerSecond };
  return { ...progress, pretrain: { ...progress.pretrain, ...pretrain } };
}

function withCheckpoint(progress: Progress, { stage, uri, best }: CheckpointMessage): Progress {
  if (stage === 'linear') return { ...progress, linear: { epoch: 0, ...progress.linear, ...best, checkpoint: uri } };
  return progress.pretrain ? { ...progress, pretrain: { ...progress.pretrain, checkpoint: uri } } : progress;
}

/** Figures that are measured once an epoch stand until the next time. */
function lasting(before: ProgressMessage | undefined): Partial<ProgressMessage> {
  const kept = ['outputStd', 'effectiveRank', 'knnTop1', 'top1', 'top5'] as const;
  return Object.fromEntries(kept.flatMap((name) => (before?.[name] === undefined ? [] : [[name, before[name]]])));
}

/** A dozen numbers at most, and how many more there are. */
function some(workers: readonly number[]): string {
  const more = workers.length - 12;
  return `${workers.slice(0, 12).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
