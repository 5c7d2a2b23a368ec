import type { Json, JsonObject } from './json.ts';

/** Why the ranks of the start before ended; `lost` where nobody was left to say it: killed, or the machine went. */
export const endings = ['stopped', 'peerLost', 'hang', 'failed', 'lost'] as const;
export type Ending = (typeof endings)[number];

/** One start of a stage, as the checkpoints after it remember it. Starts that committed nothing aren't remembered. */
export interface Start {
  readonly generation: number;
  /** Finished steps that it went on from. */
  readonly step: number;
  /** When, ISO 8601. */
  readonly at: string;
  /** How the one before ended; absent of a stage's first. */
  readonly after?: Ending;
  /** In words, where a launcher saw it. */
  readonly cause?: string;
}

/** What a launcher that outlives its ranks knows of the end of those before. */
export interface SeenEnding {
  readonly cause: Exclude<Ending, 'stopped' | 'lost'>;
  readonly message: string;
}

/** Words of a cause, at most: a checkpoint's state is no log. */
const longestCause = 300;

/**
 * The starts of a stage up to a new one. Pure.
 *
 * @param state `state.json` of the checkpoint that it goes on from; undefined at the stage's beginning
 */
export function withStart(
  state: JsonObject | undefined,
  start: Pick<Start, 'generation' | 'step' | 'at'>,
  seen: SeenEnding | undefined,
): readonly Start[] {
  if (state === undefined) return [start];
  const after = seen?.cause ?? (state['stopped'] === true ? 'stopped' : 'lost');
  return [...startsOf(state), { ...start, after, ...(seen && { cause: seen.message.slice(0, longestCause) }) }];
}

/** The starts that a checkpoint remembers; none of one by an earlier version of this program. */
export function startsOf(state: JsonObject): readonly Start[] {
  const starts = state['starts'];
  return Array.isArray(starts) ? starts.filter(isStart) : [];
}

function isStart(value: Json): value is Json & Start {
  const { generation, step, at, after } = (value ?? {}) as Record<string, unknown>;
  const known = after === undefined || (endings as readonly unknown[]).includes(after);
  return typeof generation === 'number' && typeof step === 'number' && typeof at === 'string' && known;
}
