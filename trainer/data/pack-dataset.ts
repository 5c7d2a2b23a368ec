import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';

import { messageOf } from '../../api/errors.ts';
import { storageError } from '../../storage/errors.ts';
import { CounterRandom, purpose } from '../random.ts';
import type { Dataset } from './dataset.ts';
import { PackError } from './errors.ts';
import { isJpeg } from './jpeg-header.ts';
import { encodeShardIndex, indexPathOf } from './shard-index.ts';
import { readShardSamples, type ShardSample } from './shard-samples.ts';
import { readHere, WindowReader } from './tar-index.ts';
import { writeShard, type ShardEntry } from './write-shard.ts';

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

const digits = 5;

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
  await mkdir(folder, { recursive: true });
  if (dataset.classes.length > 0) await writeClasses(folder, dataset.classes);
  const order = new CounterRandom(seed, purpose.subset).permutation(dataset.size);
  let [shards, bytes, held] = [0, 0, 0];
  let entries: ShardEntry[] = [];
  const flush = async (): Promise<void> => {
    if (entries.length === 0) return;
    bytes += await writeIndexed(join(folder, `${name}-${numbered(shards)}.tar`), entries);
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
  const range = shards === 1 ? numbered(0) : `{${numbered(0)}..${numbered(shards - 1)}}`;
  return { uri: join(folder, `${name}-${range}.tar`), shards, images: dataset.size, bytes };
}

function numbered(shard: number): string {
  return String(shard).padStart(digits, '0');
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

async function writeClasses(folder: string, classes: readonly string[]): Promise<void> {
  const there = await classesIn(folder);
  if (there === undefined) return await writeFile(join(folder, classFile), classes.map((line) => `${line}\n`).join(''));
  if (there.join('\n') !== classes.join('\n')) {
    throw new PackError(`${join(folder, classFile)} names other classes: pack into another folder`);
  }
}

/** Gives back the shard's size. */
async function writeIndexed(path: string, entries: readonly ShardEntry[]): Promise<number> {
  const taken = await stat(path).then(
    () => true,
    () => false,
  );
  if (taken) throw new PackError(`${path} exists already: delete it, or pack under another name`);
  const partial = `${path}.${process.pid}.partial`;
  try {
    await writeShard(partial, entries);
    const { samples, size } = await walk(partial);
    const checksums = new Map(entries.map(({ key, bytes }) => [key, crc32(bytes)]));
    const checked = samples.map((sample) => ({ ...sample, crc32: checksums.get(sample.key) ?? 0 }));
    // The index first: a shard that is there has its own.
    await writeFile(indexPathOf(path), encodeShardIndex({ size, sha256: await sha256Of(partial), samples: checked }));
    await rename(partial, path);
    return size;
  } catch (error) {
    await rm(partial, { force: true });
    throw storageError(error, `write ${path}`, path);
  }
}

async function walk(path: string): Promise<{ samples: ShardSample[]; size: number }> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    return { samples: readHere(readShardSamples(path, size), new WindowReader(file.fd)), size };
  } finally {
    await file.close();
  }
}

export async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
