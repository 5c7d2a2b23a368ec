import { open, readFile } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

import { messageOf } from '../../api/errors.ts';
import type { Dataset, DatasetOptions } from './dataset.ts';
import { DataEmptyError, DataMissingError, DataReadError, LabelError, ShardError } from './errors.ts';
import { imageExtensions } from './image-names.ts';
import { hashIndex, mapClasses } from './labels.ts';
import { readTarIndex, WindowReader } from './tar-index.ts';

/** A class number fits; what is longer isn't one. */
const mostLabelBytes = 32;

interface ShardSample {
  readonly key: string;
  readonly offset: number;
  readonly length: number;
  /** From `key.cls`; −1 without one. */
  readonly label: number;
}

interface Shard {
  readonly path: string;
  readonly samples: readonly ShardSample[];
}

/**
 * Tar shards in WebDataset's layout, in the order in which they lie. Only headers and labels are read at first. Names
 * of the classes come from a `classes.txt` beside the shards (a line each), else they are the numbers.
 */
export async function openShards(uri: string, paths: readonly string[], options: DatasetOptions): Promise<Dataset> {
  const files = new Map<string, FileHandle>();
  const close = async () => {
    for (const file of files.values()) await file.close();
    files.clear();
  };
  try {
    const shards: Shard[] = [];
    for (const path of paths) {
      const file = await openShard(uri, path);
      files.set(path, file);
      shards.push({ path, samples: await indexShard(file, path) });
      options.onProgress?.();
    }
    return { ...(await describe(uri, shards, files, options)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function describe(
  uri: string,
  shards: readonly Shard[],
  files: ReadonlyMap<string, FileHandle>,
  options: DatasetOptions,
): Promise<Omit<Dataset, 'close'>> {
  const samples = shards.flatMap((shard) => shard.samples.map((sample) => ({ ...sample, path: shard.path })));
  if (samples.length === 0) throw new DataEmptyError(`${uri} holds no image (key.jpg, key.png or key.webp)`);
  const labelled = samples.filter((sample) => sample.label >= 0);
  if (labelled.length > 0 && labelled.length < samples.length) {
    const without = samples.find((sample) => sample.label < 0);
    throw new LabelError(`${without?.path}: ${without?.key} has no .cls while other images have: label all or none`);
  }
  const own = labelled.length === 0 ? [] : await classNames(shards, labelled);
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
    warnings: sortedWarnings(shards, present.size),
    label,
    name,
    location: (i) => ({ path: at(i).path, offset: at(i).offset, length: at(i).length }),
    read: async (i) => {
      const { path, offset, length } = at(i);
      const bytes = Buffer.alloc(length);
      const read = await files.get(path)?.read(bytes, 0, length, offset);
      if (read?.bytesRead !== length) throw new DataReadError(`${name(i)} can't be read: is ${path} still there?`);
      return bytes;
    },
  };
}

async function openShard(uri: string, path: string): Promise<FileHandle> {
  return open(path).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      throw new DataMissingError(`the shard ${path} of ${uri} is not there: check the path and the range`);
    }
    throw new DataMissingError(`the shard ${path} of ${uri} can't be opened: ${messageOf(error)}`, { cause: error });
  });
}

/** Joins the files of a sample: everything up to the first dot of the base name is its key. */
async function indexShard(file: FileHandle, path: string): Promise<ShardSample[]> {
  const reader = new WindowReader(file.fd);
  const entries = readTarIndex(reader, path, (await file.stat()).size);
  const images = new Map<string, { offset: number; length: number }>();
  const labels = new Map<string, number>();
  for (const { name, offset, size } of entries) {
    const dot = name.indexOf('.', name.lastIndexOf('/') + 1);
    if (dot < 0) continue;
    const key = name.slice(0, dot);
    const extension = name.slice(dot + 1).toLowerCase();
    if (imageExtensions.has(extension)) {
      if (images.has(key)) throw new ShardError(`${path} holds two images of the key ${key}: pack it again`);
      images.set(key, { offset, length: size });
    } else if (extension === 'cls') {
      labels.set(key, parseLabel(reader.read(offset, Math.min(size, mostLabelBytes)).toString('utf8'), path, name));
    }
  }
  return [...images].map(([key, place]) => ({ key, ...place, label: labels.get(key) ?? -1 }));
}

function parseLabel(text: string, path: string, name: string): number {
  const label = Number(text.trim());
  if (text.trim() === '' || !Number.isInteger(label) || label < 0 || label > 0x7fffffff) {
    throw new LabelError(`${path}: ${name} holds ${JSON.stringify(text.slice(0, 20))} instead of a class number`);
  }
  return label;
}

async function classNames(shards: readonly Shard[], samples: readonly ShardSample[]): Promise<string[]> {
  const highest = samples.reduce((most, sample) => Math.max(most, sample.label), 0);
  const file = join(dirname(shards[0]?.path ?? ''), 'classes.txt');
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw new DataMissingError(`${file} can't be read: ${messageOf(error)}`, { cause: error });
  });
  if (text === undefined) return Array.from({ length: highest + 1 }, (_, i) => String(i));
  const names = text.trim().split(/\r?\n/);
  if (names.length <= highest) {
    throw new LabelError(`${file} names ${names.length} classes, but a shard has the label ${highest}`);
  }
  return names;
}

function sortedWarnings(shards: readonly Shard[], classes: number): string[] {
  const single = shards.filter(
    ({ samples }) => samples.length > 1 && samples.every((sample) => sample.label === samples[0]?.label),
  );
  if (classes < 2 || single.length === 0) return [];
  return [
    `${basename(single[0]?.path ?? '')}${single.length > 1 ? ` and ${single.length - 1} more shards hold` : ' holds'} ` +
      'a single class: images are drawn shard by shard, so shuffle them before packing',
  ];
}
