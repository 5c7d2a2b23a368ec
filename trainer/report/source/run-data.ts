import type { RunResult } from '../../../api/run-result.ts';
import type { SimSiamRun } from '../../../api/run.ts';
import type { ObjectReader } from '../../../storage/object-store.ts';
import type { JsonObject } from '../../checkpoint/json.ts';
import type { Stage } from '../../checkpoint/manifest.ts';
import { readRunRecord } from '../../checkpoint/run-record.ts';
import { ReportSourceError } from '../errors.ts';
import { startsOf, type Start } from '../../checkpoint/starts.ts';
import type { Commit, CommittedStage, Warn } from './committed-stage.ts';
import { committedStage, recordsOf } from './committed-stage.ts';
import type { Embeddings } from './embeddings.ts';
import { readEmbeddings } from './embeddings.ts';
import type { Figures } from './figures.ts';
import { FigureCollector } from './figures.ts';
import type { EpochTiming } from './timings.ts';
import { readTimings } from './timings.ts';

/** What a report knows of a stage. */
export interface StageData extends Figures {
  /** Starts of the stage. */
  readonly generation: number;
  /** Finished steps that are committed. */
  readonly step: number;
  readonly commits: readonly Commit[];
  /** As the newest checkpoint remembers them. */
  readonly starts: readonly Start[];
}

/** All that a report knows of a run. */
export interface RunData {
  readonly uri: string;
  readonly run: SimSiamRun;
  /** Absent as long as the run isn't finished. */
  readonly result: RunResult | undefined;
  /** Of the result, or of linear evaluation while it goes on. */
  readonly baselines: RunResult['baselines'];
  readonly pretrain: StageData | undefined;
  readonly linear: StageData | undefined;
  readonly timings: readonly EpochTiming[];
  /** Of the newest checkpoint: ranks, threads, processor, device, TensorFlow. */
  readonly environment: JsonObject;
  /** Digests of the lists of images, by set. */
  readonly images: JsonObject;
  /** Wall time of all starts together, up to the newest checkpoint. */
  readonly elapsedSeconds: number | undefined;
  /** The collapse alarm at the newest checkpoint of pre-training. */
  readonly collapse: 'complete' | 'dimensional' | undefined;
  /** Images with their features; absent until pre-training is finished. */
  readonly embeddings: Embeddings | undefined;
  /** What couldn't be read. */
  readonly warnings: readonly string[];
}

/**
 * Reads a run, finished or not, as it is committed now. Writes and claims nothing.
 *
 * @throws ReportSourceError if there is none
 * @throws ManifestError, RunRecordDamagedError and RegisterDamagedError if its records can't be read
 * @throws the storage errors
 */
export async function readRunData(store: ObjectReader): Promise<RunData> {
  const record = await readRunRecord(store);
  if (record === undefined) {
    throw new ReportSourceError(`${store.uri} holds no run: there is no run.yaml; give the spec.storage.uri of one`);
  }
  const warnings: string[] = [];
  const warn: Warn = (message) => void warnings.push(message);
  const [pretrain, linear] = [await readStage(store, 'pretrain', warn), await readStage(store, 'linear', warn)];
  const states = { pretrain: pretrain?.stage.state, linear: linear?.stage.state };
  const newest = states.linear ?? states.pretrain ?? {};
  const elapsed = record.result?.durationSeconds ?? newest['elapsedSeconds'];
  return {
    uri: store.uri,
    run: record.run,
    result: record.result,
    baselines: record.result?.baselines ?? (states.linear?.['baselines'] as RunResult['baselines']),
    pretrain: pretrain?.data,
    linear: linear?.data,
    timings: await readTimings(store),
    environment: objectAt(newest, 'environment'),
    images: objectAt(newest, 'images'),
    elapsedSeconds: typeof elapsed === 'number' ? elapsed : undefined,
    collapse: collapseOf(record.result, states.pretrain ?? {}),
    embeddings: await readEmbeddings(store, warn),
    warnings,
  };
}

async function readStage(
  store: ObjectReader,
  name: Stage,
  warn: Warn,
): Promise<{ stage: CommittedStage; data: StageData } | undefined> {
  const stage = await committedStage(store, name, warn);
  if (stage === undefined) return undefined;
  const collector = new FigureCollector(stage.step);
  for await (const record of recordsOf(store, stage, warn)) collector.add(record);
  const { generation, step, commits, state } = stage;
  return { stage, data: { ...collector.finish(), generation, step, commits, starts: startsOf(state) } };
}

function collapseOf(result: RunResult | undefined, state: JsonObject): RunData['collapse'] {
  const raised = result ? result.pretrain.collapse : objectAt(objectAt(state, 'health'), 'alarm')['raised'];
  return raised === 'complete' || raised === 'dimensional' ? raised : undefined;
}

function objectAt(object: JsonObject, field: string): JsonObject {
  const value = object[field];
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}
