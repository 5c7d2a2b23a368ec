import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { crc32 } from 'node:zlib';

import { makeFolder } from '../../storage/durable-files.ts';
import { storageError } from '../../storage/errors.ts';
import { PackError } from './errors.ts';
import { encodeShardIndex, indexPathOf } from './shard-index.ts';
import { readShardSamples, type ShardSample } from './shard-samples.ts';
import { readHere, WindowReader } from './tar-index.ts';
import { writeShard, type ShardEntry } from './write-shard.ts';

export function shardName(name: string, shard: number, digits = 5): string {
  return `${name}-${numbered(shard, digits)}.tar`;
}

/** What stands for all shards of a set in a manifest: `train-{00000..00007}.tar`. */
export function shardPattern(name: string, shards: number, digits = 5): string {
  if (shards === 1) return shardName(name, 0, digits);
  return `${name}-{${numbered(0, digits)}..${numbered(shards - 1, digits)}}.tar`;
}

function numbered(shard: number, digits: number): string {
  return String(shard).padStart(digits, '0');
}

/**
 * Writes a shard and its index, and makes their folder where there is none.
 *
 * @returns the shard's size
 * @throws PackError if it exists, and the storage errors
 */
export async function writeIndexedShard(path: string, entries: readonly ShardEntry[]): Promise<number> {
  const taken = await stat(path).then(
    () => true,
    () => false,
  );
  if (taken) throw new PackError(`${path} exists already: delete it, or pack under another name`);
  return await replaceIndexedShard(path, entries);
}

/** The same in the place of a shard that may be there. */
export async function replaceIndexedShard(path: string, entries: readonly ShardEntry[]): Promise<number> {
  const partial = `${path}.${process.pid}.partial`;
  try {
    await makeFolder(dirname(path));
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
    throw storageError(error, `write ${basename(path)}`, dirname(path));
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
