import type { ObjectReader } from '../../../storage/object-store.ts';
import { CheckpointDamagedError } from '../../checkpoint/errors.ts';
import type { HistoryRecord, JsonObject } from '../../checkpoint/json.ts';
import type { HistorySegment, Manifest, Stage } from '../../checkpoint/manifest.ts';
import { jsonOf } from '../../checkpoint/manifest.ts';
import { readChecked, readManifest } from '../../checkpoint/reader.ts';
import type { CheckpointRef } from '../../checkpoint/register.ts';
import { lookAtRegister } from '../../checkpoint/register.ts';

/** Gets what is wrong with a run's files and doesn't keep the rest from being shown. One line each. */
export type Warn = (message: string) => void;

/** A commit on the way to the newest checkpoint. */
export interface Commit {
  readonly step: number;
  /** Which start of the stage wrote it. */
  readonly generation: number;
  /** ISO 8601; known of the checkpoints that are still kept. */
  readonly createdAt?: string;
}

/** What of a stage is committed, but for its tensors. */
export interface CommittedStage {
  /** Starts of the stage, those that committed nothing included. */
  readonly generation: number;
  /** Finished steps. */
  readonly step: number;
  /** In ascending order of their steps. */
  readonly commits: readonly Commit[];
  readonly segments: readonly HistorySegment[];
  /** `state.json` of the newest checkpoint. */
  readonly state: JsonObject;
}

/** Looks at a stage without claiming it, and without reading weights. `undefined`: nothing is committed. */
export async function committedStage(
  store: ObjectReader,
  stage: Stage,
  warn: Warn,
): Promise<CommittedStage | undefined> {
  const register = await lookAtRegister(store, stage);
  const whole: { ref: CheckpointRef; manifest: Manifest }[] = [];
  for (const ref of register?.checkpoints ?? []) {
    try {
      whole.push({ ref, manifest: await readManifest(store, ref) });
    } catch (thrown) {
      warnOfDamage(thrown, `${ref.key} is passed over`, warn);
    }
  }
  const newest = whole.at(-1);
  if (register === undefined || newest === undefined) return undefined;
  const { step, history, files } = newest.manifest;
  const state = await stateOf(store, newest.ref, files['state.json'], warn);
  const kept = whole.map(({ manifest: { step, generation, createdAt } }) => ({ step, generation, createdAt }));
  return { generation: register.generation, step, segments: history, state, commits: commitsOf(history, kept) };
}

/**
 * The records of a stage, read one segment at a time: no more than what was committed at once is in memory. A segment
 * that is damaged is left out with a warning.
 */
export async function* recordsOf(
  store: ObjectReader,
  { segments }: CommittedStage,
  warn: Warn,
): AsyncGenerator<HistoryRecord> {
  for (const segment of segments) {
    try {
      const bytes = await readChecked(store, segment.key, segment);
      yield* linesOf(bytes).filter((record): record is HistoryRecord => typeof record['step'] === 'number');
    } catch (thrown) {
      warnOfDamage(thrown, 'a part of the history is lost', warn);
    }
  }
}

/** The objects of JSON lines; lines that are none are left out. */
export function linesOf(bytes: Uint8Array): JsonObject[] {
  return Buffer.from(bytes)
    .toString('utf8')
    .split('\n')
    .map((line) => jsonOf(Buffer.from(line)))
    .filter((value): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value));
}

async function stateOf(
  store: ObjectReader,
  ref: CheckpointRef,
  recorded: { readonly size: number; readonly sha256: string },
  warn: Warn,
): Promise<JsonObject> {
  try {
    return objectOf(await readChecked(store, `${ref.key}/state.json`, recorded));
  } catch (thrown) {
    warnOfDamage(thrown, `the state at step ${ref.step} is lost`, warn);
    return {};
  }
}

function objectOf(bytes: Uint8Array): JsonObject {
  const value = jsonOf(bytes);
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}

const segmentName = /\/step-(\d+)-g(\d+)\.jsonl$/;

/** Every commit wrote a segment that is named by its step and generation; of those still kept the time is known too. */
function commitsOf(segments: readonly HistorySegment[], kept: readonly Commit[]): Commit[] {
  const commits = new Map<number, Commit>();
  for (const { key } of segments) {
    const [, step, generation] = segmentName.exec(key) ?? [];
    if (step !== undefined) commits.set(Number(step), { step: Number(step), generation: Number(generation) });
  }
  for (const commit of kept) commits.set(commit.step, commit);
  return [...commits.values()].sort((a, b) => a.step - b.step);
}

function warnOfDamage(thrown: unknown, consequence: string, warn: Warn): void {
  if (!(thrown instanceof CheckpointDamagedError)) throw thrown;
  warn(`${consequence}: ${thrown.message}`);
}
