import { basename } from 'node:path';

import { liesByClass } from './class-order.ts';
import type { Dataset, DatasetOptions, SampleSource } from './dataset.ts';
import { DataEmptyError, LabelError } from './errors.ts';
import { hashIndex, mapClasses } from './labels.ts';
import type { ShardSample } from './shard-samples.ts';

/** Where shards lie, on a disk or in an object store. */
export interface ShardPlace {
  /** @throws ShardError, DataMissingError, LabelError */
  index(path: string): Promise<readonly ShardSample[]>;
  /** The text of `classes.txt` beside a shard and what to call it; undefined where there is none. */
  classes(path: string): Promise<{ readonly name: string; readonly text: string } | undefined>;
  source(path: string, sample: ShardSample): SampleSource | Promise<SampleSource>;
  /** @throws DataReadError */
  read(path: string, sample: ShardSample): Promise<Uint8Array>;
  close(): Promise<void>;
}

interface Shard {
  readonly path: string;
  readonly samples: readonly ShardSample[];
}

/** Shards that are indexed at the same time: it is waiting for most of it. */
const together = 16;

/**
 * Tar shards in WebDataset's layout, in the order in which they lie. Only headers and labels are read at first, or the
 * index beside a shard. Names of the classes come from a `classes.txt` beside the shards (a line each), else they are
 * the numbers.
 */
export async function openShards(
  uri: string,
  paths: readonly string[],
  place: ShardPlace,
  options: DatasetOptions,
): Promise<Dataset> {
  try {
    const shards: Shard[] = [];
    for (let from = 0; from < paths.length; from += together) {
      const opened = paths.slice(from, from + together).map(async (path) => {
        const shard = { path, samples: await place.index(path) };
        options.onProgress?.();
        return shard;
      });
      // All must have ended before the place is closed, and the first failure is told.
      for (const result of await Promise.allSettled(opened)) {
        if (result.status === 'rejected') throw result.reason;
        shards.push(result.value);
      }
    }
    return { ...(await describe(uri, shards, place, options)), close: () => place.close() };
  } catch (error) {
    await place.close();
    throw error;
  }
}

async function describe(
  uri: string,
  shards: readonly Shard[],
  place: ShardPlace,
  options: DatasetOptions,
): Promise<Omit<Dataset, 'close'>> {
  const samples = shards.flatMap((shard) => shard.samples.map((sample) => ({ ...sample, path: shard.path })));
  if (samples.length === 0) throw new DataEmptyError(`${uri} holds no image (key.jpg, key.png or key.webp)`);
  const labelled = samples.filter((sample) => sample.label >= 0);
  if (labelled.length > 0 && labelled.length < samples.length) {
    const without = samples.find((sample) => sample.label < 0);
    throw new LabelError(`${without?.path}: ${without?.key} has no .cls while other images have: label all or none`);
  }
  const own = labelled.length === 0 ? [] : await classNames(shards, labelled, place);
  const classes = options.classes ?? own;
  const present = new Set(labelled.map((sample) => own[sample.label] ?? ''));
  const index = mapClasses(
    uri,
    own.filter((name) => present.has(name)),
    classes,
  );
  const labelOf = new Map(own.filter((name) => present.has(name)).map((name, i) => [name, index[i] ?? -1]));
  const labels = Int32Array.from(samples, (sample) => labelOf.get(own[sample.label] ?? '') ?? -1);

  const at = (i: number) => {
    const sample = samples[i];
    if (sample === undefined) throw new RangeError(`${uri} has ${samples.length} images; there is no number ${i}`);
    return sample;
  };
  const name = (i: number) => `${basename(at(i).path)}:${at(i).key}`;
  const label = (i: number) => labels[i] ?? -1;
  return {
    uri,
    size: samples.length,
    classes: labelled.length === 0 ? [] : classes,
    sortedByClass: false,
    indexHash: hashIndex(samples.length, name, label),
    warnings: sortedWarnings(uri, labels),
    label,
    name,
    source: (i) => place.source(at(i).path, at(i)),
    read: (i) => place.read(at(i).path, at(i)),
  };
}

async function classNames(
  shards: readonly Shard[],
  samples: readonly ShardSample[],
  place: ShardPlace,
): Promise<string[]> {
  const highest = samples.reduce((most, sample) => Math.max(most, sample.label), 0);
  const classes = await place.classes(shards[0]?.path ?? '');
  if (classes === undefined) return Array.from({ length: highest + 1 }, (_, i) => String(i));
  const { name: file, text } = classes;
  const names = text.trim().split(/\r?\n/);
  if (names.length <= highest) {
    throw new LabelError(`${file} names ${names.length} classes, but a shard has the label ${highest}`);
  }
  return names;
}

/** Lanes are cut from shards as they lie, so in a sorted set each slot of the batch keeps to its classes. */
function sortedWarnings(uri: string, labels: ArrayLike<number>): string[] {
  if (!liesByClass(labels)) return [];
  return [
    `${uri} lies sorted by class: in pre-training each slot of the batch keeps to its own part of the shards, so all ` +
      'through the run it shows one class or a few, and no batch is a random one; mix the images by `simsiam dataset pack`',
  ];
}
