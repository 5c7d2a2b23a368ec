import { stringify } from 'yaml';
import { ManifestError, parseManifest } from '../../api/manifest.ts';
import { recipeHash, recipeOf } from '../../api/recipe.ts';
import type { SimSiamRun } from '../../api/run.ts';
import { PreconditionFailedError } from '../../storage/errors.ts';
import type { ObjectReader, ObjectStore } from '../../storage/object-store.ts';
import { RecipeMismatchError, RunRecordDamagedError } from './errors.ts';
import type { RecipeDifference } from './recipe-difference.ts';
import { describeDifference, isExtension, recipeDifferences } from './recipe-difference.ts';
import { CommitRegister, committedCheckpoints } from './register.ts';
import type { StoredResult } from './result.ts';
import { readResult } from './result.ts';

/** The annotation of `run.yaml` with the hash of its recipe. */
const recipeHashAnnotation = 'simsiam.dev/recipe-hash';

const key = 'run.yaml';

/** How a run begins at a URI. */
export type RunStart =
  /** Nothing was there. */
  | { readonly kind: 'new' }
  /** It has begun and isn't finished. */
  | { readonly kind: 'resumed' }
  /** It is finished: there is nothing to do. */
  | { readonly kind: 'complete'; readonly result: StoredResult }
  /** It was finished and is wanted with more epochs. If pre-training goes on, linear evaluation begins anew. */
  | { readonly kind: 'extended'; readonly pretrain: boolean };

/**
 * The run at a URI, with its result if it is finished; `undefined` where no run has begun. Writes nothing.
 *
 * @throws RunRecordDamagedError if what lies there can't be read
 */
export async function readRunRecord(
  store: ObjectReader,
): Promise<{ readonly run: SimSiamRun; readonly result: StoredResult | undefined } | undefined> {
  const found = await readRecord(store);
  return found && { run: found.run, result: found.result };
}

/**
 * How a run would begin, without writing anything: what can be refused is refused before the URI belongs to it.
 *
 * @throws RecipeMismatchError and RunRecordDamagedError as {@link openRunRecord} does
 */
export async function lookAtRunRecord(store: ObjectStore, run: SimSiamRun): Promise<RunStart> {
  return (await look(store, run)).start;
}

/**
 * Records the resolved run in `run.yaml`, or compares it with the one recorded: a URI belongs to one recipe. Safe to
 * repeat after a crash at any point, and between processes.
 *
 * @throws RecipeMismatchError that lists the differing fields with both values
 * @throws RunRecordDamagedError if the recorded one can't be read
 */
export async function openRunRecord(store: ObjectStore, run: SimSiamRun): Promise<RunStart> {
  for (;;) {
    try {
      return await tryOpen(store, run);
    } catch (thrown) {
      // Another process wrote the record in between: look again.
      if (!(thrown instanceof PreconditionFailedError)) throw thrown;
    }
  }
}

async function tryOpen(store: ObjectStore, run: SimSiamRun): Promise<RunStart> {
  const { start, version } = await look(store, run);
  if (start.kind === 'new') await store.put(key, recordOf(run), { ifMatch: null });
  if (start.kind === 'extended') {
    // In this order: until the record is rewritten, the shorter run is complete, and extending can be repeated.
    if (start.pretrain) await discardLinear(store);
    await store.put(key, recordOf(run), { ifMatch: version });
  }
  return start;
}

async function look(store: ObjectStore, run: SimSiamRun): Promise<{ start: RunStart; version: string | null }> {
  const found = await readRecord(store);
  if (found === undefined) return { start: { kind: 'new' }, version: null };
  const { run: stored, result, version } = found;
  const isFinished = result !== undefined;
  const differing = recipeDifferences(recipeOf(stored), recipeOf(run));
  if (differing.length === 0) {
    return { start: result ? { kind: 'complete', result } : { kind: 'resumed' }, version };
  }
  if (!isFinished || !isExtension(differing)) throw await mismatch(store, differing, isFinished);
  const pretrain = differing.some(({ field }) => field === 'spec.pretrain.epochs');
  return { start: { kind: 'extended', pretrain }, version };
}

async function readRecord(
  store: ObjectReader,
): Promise<{ run: SimSiamRun; result: StoredResult | undefined; version: string } | undefined> {
  const found = await store.get(key);
  if (found === undefined) return undefined;
  const run = parseRecord(found.bytes, store);
  const result = await readResult(store);
  // After an extension it may still be that of the shorter run.
  const isOfRun = result !== undefined && hashesOf(run).includes(result.recipeHash);
  return { run, result: isOfRun ? result : undefined, version: found.version };
}

function parseRecord(bytes: Buffer, { uri }: ObjectReader): SimSiamRun {
  try {
    return parseManifest(bytes.toString('utf8'), key);
  } catch (thrown) {
    if (!(thrown instanceof ManifestError)) throw thrown;
    const why = thrown.message.replaceAll(/\s*\n\s*/g, '; ');
    const mend = 'was it edited, or written by a newer version? Put it back, or choose another storage.uri';
    throw new RunRecordDamagedError(`${key} in ${uri} can't be read (${why}): ${mend}`, { cause: thrown });
  }
}

/** As it was recorded and as it is now: a later version of this program may have added fields to recipes. */
function hashesOf(stored: SimSiamRun): readonly (string | undefined)[] {
  return [stored.metadata.annotations?.[recipeHashAnnotation], recipeHash(stored)];
}

/** The run as a manifest that can be run again as it is: all defaults filled in, no status. */
function recordOf({ apiVersion, kind, metadata, spec }: SimSiamRun): Buffer {
  const annotations = {
    ...metadata.annotations,
    [recipeHashAnnotation]: recipeHash({ apiVersion, kind, metadata, spec }),
  };
  return Buffer.from(stringify({ apiVersion, kind, metadata: { ...metadata, annotations }, spec }));
}

/** Linear evaluation is of one backbone: of another one it starts anew. */
export async function discardLinear(store: ObjectStore): Promise<void> {
  await (await CommitRegister.claim(store, 'linear')).commit([]);
  await store.delete('linear/best.json');
}

async function mismatch(
  store: ObjectStore,
  differing: readonly RecipeDifference[],
  isFinished: boolean,
): Promise<RecipeMismatchError> {
  const unfinished = !isFinished && isExtension(differing) ? ' (epochs may be raised once the run is finished)' : '';
  const isEmpty = (await committedCheckpoints(store, 'pretrain')).length === 0;
  return new RecipeMismatchError(
    `${store.uri} belongs to another recipe: ${differing.map(describeDifference).join('; ')}${unfinished}; ` +
      `use that recipe, or another spec.storage.uri${isEmpty ? ', or delete it: it holds no checkpoint' : ''}`,
  );
}
