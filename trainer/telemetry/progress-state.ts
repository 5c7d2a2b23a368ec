import type { ProgressMessage, RunEvent, RunPhase, Stage } from './run-event.ts';

/** The figures that are not measured at every step; the last known ones of the stage stay in view. */
const lastingFigures = ['outputStd', 'effectiveRank', 'knnTop1', 'top1', 'top5'] as const;
type LastingFigures = { readonly [K in (typeof lastingFigures)[number]]?: number };

/** What of a run is worth showing now. */
export interface ProgressState {
  readonly phase: RunPhase;
  readonly detail: string | undefined;
  /** The stage that steps, absent before its first step. */
  readonly stage: StageProgress | undefined;
}

export interface StageProgress {
  readonly name: Stage;
  readonly latest: ProgressMessage;
  readonly figures: LastingFigures;
  /** Step and time (ms) of the stage's first message in this process, from which the pace is taken. */
  readonly from: { readonly step: number; readonly at: number };
  /** Undefined until two steps were seen. */
  readonly etaSeconds: number | undefined;
}

export const initialProgress: ProgressState = { phase: 'Starting', detail: undefined, stage: undefined };

/** The state after an event. Pure; `now` in milliseconds. */
export function advance(state: ProgressState, event: RunEvent, now: number): ProgressState {
  switch (event.type) {
    case 'phase':
      return { phase: event.phase, detail: event.detail, stage: undefined };
    case 'progress':
      return { ...state, stage: advanceStage(state.stage, event, now) };
    case 'validation':
    case 'ranks':
    case 'wait':
    case 'checkpoint':
    case 'unreadable':
    case 'warning':
    case 'waiting':
    case 'generation':
    case 'ended':
    case 'restart':
    case 'stopping':
      return state;
  }
}

function advanceStage(before: StageProgress | undefined, latest: ProgressMessage, now: number): StageProgress {
  const same = before?.name === latest.stage ? before : undefined;
  const from = same?.from ?? { step: latest.step, at: now };
  const figures: Record<string, number> = { ...same?.figures };
  for (const name of lastingFigures) if (latest[name] !== undefined) figures[name] = latest[name];
  return { name: latest.stage, latest, figures, from, etaSeconds: eta(from, latest, now) };
}

/** By the mean pace since `from`, so that evaluations and checkpoints between the steps are counted in. */
function eta(from: StageProgress['from'], { step, totalSteps }: ProgressMessage, now: number): number | undefined {
  if (step <= from.step) return undefined;
  return ((now - from.at) / 1000 / (step - from.step)) * (totalSteps - step);
}
