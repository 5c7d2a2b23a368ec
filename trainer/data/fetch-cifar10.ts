import { join } from 'node:path';

import sharp from 'sharp';

import { ShardError } from './errors.ts';
import { shardName, shardPattern, writeIndexedShard } from './indexed-shard.ts';
import { archiveFiles, knownArchive, type KnownArchive } from './known-archive.ts';
import type { FetchedSet, FetchSetOptions } from './known-sets.ts';
import { writeClasses } from './pack-dataset.ts';
import type { ShardEntry } from './write-shard.ts';

/** Krizhevsky 2009, "CIFAR-10 binary version". */
const archive: KnownArchive = {
  file: 'cifar-10-binary.tar.gz',
  url: 'https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz',
  sha256: 'c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd',
};

const classes = [
  ...['airplane', 'automobile', 'bird', 'cat', 'deer'],
  ...['dog', 'frog', 'horse', 'ship', 'truck'],
] as const;

const side = 32;
const plane = side * side;
/** A record: the label, then the red, the green and the blue plane. */
const recordBytes = 1 + 3 * plane;

/** The archive's files by the shards that are made of them. They are well mixed already. */
const shards: ReadonlyMap<string, { readonly set: 'train' | 'val'; readonly shard: number }> = new Map([
  ...[1, 2, 3, 4, 5].map((n) => [`data_batch_${n}.bin`, { set: 'train' as const, shard: n - 1 }] as const),
  ['test_batch.bin', { set: 'val' as const, shard: 0 }],
] as [string, { set: 'train' | 'val'; shard: number }][]);

/**
 * Makes tar shards of CIFAR-10: 50,000 training images in 5 shards and the 10,000 test images as `val`, lossless PNGs.
 *
 * @param known what the archive must be; default: the published one
 * @throws PackError, DataReadError, ShardError and the storage errors
 */
export async function fetchCifar10(options: FetchSetOptions, known = archive): Promise<FetchedSet> {
  const { folder, cache, from } = options;
  const path = await knownArchive(known, cache, from);
  await writeClasses(folder, classes);
  const missing = new Set(shards.keys());
  for await (const { name, bytes } of archiveFiles(path, (name) => shards.has(baseName(name)))) {
    const file = baseName(name);
    const { set, shard } = shards.get(file)!;
    await writeIndexedShard(join(folder, shardName(set, shard)), await images(bytes, file, shard));
    missing.delete(file);
  }
  if (missing.size > 0) throw new ShardError(`${path} lacks ${[...missing].join(', ')}`);
  return { train: join(folder, shardPattern('train', 5)), val: join(folder, shardPattern('val', 1)) };
}

function baseName(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}

async function images(batch: Buffer, file: string, shard: number): Promise<ShardEntry[]> {
  if (batch.length === 0 || batch.length % recordBytes !== 0) {
    throw new ShardError(`${file} has ${batch.length} bytes, no multiple of ${recordBytes}`);
  }
  const count = batch.length / recordBytes;
  return await Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const record = batch.subarray(i * recordBytes, (i + 1) * recordBytes);
      const label = record[0]!;
      if (label >= classes.length) throw new ShardError(`${file} has the label ${label}`);
      const bytes = await sharp(interleaved(record.subarray(1)), { raw: { width: side, height: side, channels: 3 } })
        .png()
        .toBuffer();
      return { key: `${shard}-${String(i).padStart(5, '0')}`, extension: 'png', bytes, label };
    }),
  );
}

function interleaved(planes: Buffer): Buffer {
  const pixels = Buffer.alloc(3 * plane);
  for (let i = 0; i < plane; i++) {
    for (let channel = 0; channel < 3; channel++) pixels[3 * i + channel] = planes[channel * plane + i]!;
  }
  return pixels;
}
