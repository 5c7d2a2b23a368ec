import { basename, join } from 'node:path';

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

/** The archive's files of each set, in order. They are well mixed already. */
const files = {
  train: [1, 2, 3, 4, 5].map((n) => `data_batch_${n}.bin`),
  val: ['test_batch.bin'],
} as const;
const wanted: readonly string[] = [...files.train, ...files.val];

/** As many as examples/cifar10.yaml names. */
const shards = { train: 8, val: 2 } as const;
const digits = 3;

/**
 * Makes tar shards of CIFAR-10: 50,000 training images in `train-{000..007}.tar` and the 10,000 test images in
 * `val-{000..001}.tar`, lossless PNGs.
 *
 * @param known what the archive must be; default: the published one
 * @throws PackError, DataReadError, ShardError and the storage errors
 */
export async function fetchCifar10(options: FetchSetOptions, known = archive): Promise<FetchedSet> {
  const { folder, cache, from } = options;
  const path = await knownArchive(known, cache, from);
  await writeClasses(folder, classes);
  const found = new Map<string, readonly ShardEntry[]>();
  for await (const { name, bytes } of archiveFiles(path, (name) => wanted.includes(basename(name)))) {
    const file = basename(name);
    found.set(file, await images(bytes, file));
  }
  const missing = wanted.filter((file) => !found.has(file));
  if (missing.length > 0) throw new ShardError(`${path} lacks ${missing.join(', ')}`);
  const write = async (set: keyof typeof files): Promise<string> => {
    const entries = files[set].flatMap((file) => found.get(file) ?? []);
    const count = shards[set];
    for (let shard = 0; shard < count; shard++) {
      const [first, end] = [shard, shard + 1].map((n) => Math.floor((n * entries.length) / count));
      await writeIndexedShard(join(folder, shardName(set, shard, digits)), entries.slice(first, end));
    }
    return join(folder, shardPattern(set, count, digits));
  };
  return { train: await write('train'), val: await write('val') };
}

async function images(batch: Buffer, file: string): Promise<ShardEntry[]> {
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
      return { key: `${basename(file, '.bin')}-${String(i).padStart(5, '0')}`, extension: 'png', bytes, label };
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
