import { join } from 'node:path';

import type { ObjectReader } from '../../storage/object-store.ts';
import type { HistoryRecord } from '../checkpoint/json.ts';
import type { Stage } from '../checkpoint/manifest.ts';
import { readRunRecord } from '../checkpoint/run-record.ts';
import { scalarsRecord, versionRecord } from '../telemetry/tensorboard/events.ts';
import { ReportSourceError } from './errors.ts';
import { labelsOf } from './labels.ts';
import type { CommittedStage, Warn } from './source/committed-stage.ts';
import { committedStage, recordsOf } from './source/committed-stage.ts';
import { readTimings } from './source/timings.ts';
import { writeFileWhole } from '../../storage/write-file.ts';

/** One name for good, so that exporting again replaces the file. TensorBoard looks for `tfevents` in it. */
const fileName = 'events.out.tfevents.simsiam';

/**
 * Writes the histories of runs as TensorBoard's event files, each in a folder of its own below `folder`, as they are
 * committed now. Tags are the stage and the figure's name in the history: `pretrain/loss`.
 *
 * @returns the files
 * @throws ReportSourceError where there is no run; the errors of reading one; the storage errors
 */
export async function exportTensorBoard(
  stores: readonly ObjectReader[],
  folder: string,
  warn: Warn,
): Promise<string[]> {
  const names: string[] = [];
  for (const store of stores) {
    const record = await readRunRecord(store);
    if (record === undefined) throw new ReportSourceError(`${store.uri} holds no run: there is no run.yaml`);
    names.push(record.run.metadata.name);
  }
  const labels = labelsOf(stores.map(({ uri }, i) => ({ uri, name: names[i]! })));
  const files: string[] = [];
  for (const [i, store] of stores.entries()) {
    const file = join(folder, labels[i]!.replaceAll(/[^\w.-]+/g, '_'), fileName);
    await writeFileWhole(file, eventRecords(store, warn));
    files.push(file);
  }
  return files;
}

/** The records of an event file, made as the histories are read. */
async function* eventRecords(store: ObjectReader, warn: Warn): AsyncGenerator<Buffer> {
  const pretrain = await committedStage(store, 'pretrain', warn);
  const linear = await committedStage(store, 'linear', warn);
  const trained = pretrain && spanOf(pretrain, undefined);
  yield versionRecord(trained?.from ?? 0);
  if (pretrain && trained) {
    yield* stageRecords(store, 'pretrain', pretrain, trained, warn);
    for (const { step, samplesPerSecond } of await readTimings(store))
      yield scalarsRecord(timeOf(step, pretrain, trained), step, { 'pretrain/samplesPerSecond': samplesPerSecond });
  }
  if (linear) yield* stageRecords(store, 'linear', linear, spanOf(linear, trained?.to), warn);
}

async function* stageRecords(
  store: ObjectReader,
  name: Stage,
  stage: CommittedStage,
  span: Span,
  warn: Warn,
): AsyncGenerator<Buffer> {
  for await (const record of recordsOf(store, stage, warn))
    yield scalarsRecord(timeOf(record.step, stage, span), record.step, figuresOf(name, record));
}

function figuresOf(stage: Stage, record: HistoryRecord): Record<string, number> {
  const numbers = Object.entries(record).filter(
    (entry): entry is [string, number] => entry[0] !== 'step' && typeof entry[1] === 'number',
  );
  return Object.fromEntries(numbers.map(([name, value]) => [`${stage}/${name}`, value]));
}

/** Begin and end in seconds since 1970. */
interface Span {
  readonly from: number;
  readonly to: number;
}

/** When a stage was trained: up to its newest checkpoint, from the end of the stage before, or for so long as it took. */
function spanOf({ commits, state }: CommittedStage, before: number | undefined): Span {
  const to = Date.parse(commits.at(-1)?.createdAt ?? '') / 1000 || 0;
  const took = typeof state['elapsedSeconds'] === 'number' ? state['elapsedSeconds'] : 0;
  return { from: before ?? to - took, to };
}

/** Histories hold no times, since runs are compared by them: steps are spread evenly. */
function timeOf(step: number, stage: CommittedStage, { from, to }: Span): number {
  return from + (to - from) * (step / Math.max(1, stage.step));
}
