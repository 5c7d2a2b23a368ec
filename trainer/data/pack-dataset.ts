import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { messageOf } from '../../api/errors.ts';
import { writeFileWhole } from '../../storage/write-file.ts';
import { CounterRandom, purpose } from '../random.ts';
import type { Dataset } from './dataset.ts';
import { PackError } from './errors.ts';
import { isJpeg } from './jpeg-header.ts';
import { shardName, shardPattern, writeIndexedShard } from './indexed-shard.ts';
import type { ShardEntry } from './write-shard.ts';

export interface PackOptions {
  readonly dataset: Dataset;
  readonly folder: string;
  /** What the shards' names begin with: `train`. */
  readonly name: string;
  /** A shard ends with the image that reaches this. */
  readonly shardBytes: number;
  /** Of the order in which images go to shards. */
  readonly seed: number;
  readonly onProgress?: (done: number, total: number) => void;
}

export interface Packed {
  /** For `spec.data`. */
  readonly uri: string;
  readonly shards: number;
  readonly images: number;
  readonly bytes: number;
}

const classFile = 'classes.txt';

/** The names of the classes of shards that are in a folder already: a set that is packed beside them must fit them. */
export async function classesIn(folder: string): Promise<string[] | undefined> {
  const text = await readFile(join(folder, classFile), 'utf8').catch(() => undefined);
  return text?.trim().split(/\r?\n/);
}

/**
 * Packs a data set into tar shards, well mixed by the seed, with an index and checksums beside each: the same bytes for
 * the same set and options.
 *
 * @throws PackError where a shard exists already or there is nothing to read, and the storage errors
 */
export async function packDataset(options: PackOptions): Promise<Packed> {
  const { dataset, folder, name, shardBytes, seed, onProgress } = options;
  if (dataset.classes.length > 0) await writeClasses(folder, dataset.classes);
  const order = new CounterRandom(seed, purpose.subset).permutation(dataset.size);
  let [shards, bytes, held] = [0, 0, 0];
  let entries: ShardEntry[] = [];
  const flush = async (): Promise<void> => {
    if (entries.length === 0) return;
    bytes += await writeIndexedShard(join(folder, shardName(name, shards)), entries);
    [shards, held, entries] = [shards + 1, 0, []];
  };
  for (const [done, index] of order.entries()) {
    const image = await readImage(dataset, index);
    const label = dataset.label(index);
    const extension = extensionOf(image);
    if (extension === undefined)
      throw new PackError(`${dataset.name(index)} of ${dataset.uri} is no JPEG, PNG or WebP`);
    entries.push({ key: String(done).padStart(8, '0'), extension, bytes: image, ...(label >= 0 && { label }) });
    held += image.length;
    if (held >= shardBytes) await flush();
    onProgress?.(done + 1, dataset.size);
  }
  await flush();
  return { uri: join(folder, shardPattern(name, shards)), shards, images: dataset.size, bytes };
}

async function readImage(dataset: Dataset, index: number): Promise<Buffer> {
  try {
    return Buffer.from(await dataset.read(index));
  } catch (error) {
    throw new PackError(`${dataset.name(index)} of ${dataset.uri} can't be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** By what it is, whatever it is called. */
function extensionOf(image: Buffer): string | undefined {
  if (isJpeg(image)) return 'jpg';
  if (image.toString('latin1', 1, 4) === 'PNG') return 'png';
  return image.toString('latin1', 0, 4) === 'RIFF' && image.toString('latin1', 8, 12) === 'WEBP' ? 'webp' : undefined;
}

/**
 * Says beside shards what their classes are called.
 *
 * @throws PackError where the folder has others, and the storage errors
 */
export async function writeClasses(folder: string, classes: readonly string[]): Promise<void> {
  const there = await classesIn(folder);
  if (there === undefined) {
    return await writeFileWhole(join(folder, classFile), [Buffer.from(classes.map((line) => `${line}\n`).join(''))]);
  }
  if (there.join('\n') !== classes.join('\n')) {
    throw new PackError(`${join(folder, classFile)} names other classes: pack into another folder`);
  }
}
