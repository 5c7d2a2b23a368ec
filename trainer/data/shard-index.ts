import { z } from 'zod';

import { ShardError } from './errors.ts';
import type { ShardSample } from './shard-samples.ts';

const count = z.int().min(0);

/** [key, offset, length, label or −1, CRC-32] of an image. */
const sampleSchema = z.tuple([z.string(), count, count, z.int().min(-1).max(0x7fffffff), count.max(0xffffffff)]);

const indexSchema = z.strictObject({
  format: z.literal('simsiam-shard-index/1'),
  /** Of the shard, in bytes. */
  size: count,
  /** Of the shard, in lower-case hex. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  samples: z.array(sampleSchema),
});

/** What `dataset pack` writes beside a shard, so that nobody has to walk over its headers. */
export interface ShardIndex {
  readonly size: number;
  readonly sha256: string;
  readonly samples: readonly Required<ShardSample>[];
}

export function indexPathOf(shard: string): string {
  return `${shard}.index.json`;
}

export function encodeShardIndex({ size, sha256, samples }: ShardIndex): Buffer {
  const lines = samples.map(({ key, offset, length, label, crc32 }) =>
    JSON.stringify([key, offset, length, label, crc32]),
  );
  // A line a sample, for people and for diffs.
  const head = JSON.stringify({ format: 'simsiam-shard-index/1', size, sha256 }).slice(0, -1);
  return Buffer.from(`${head},"samples":[\n${lines.join(',\n')}\n]}\n`);
}

/**
 * @param path of the shard
 * @param size that the shard really has
 * @throws ShardError unless it is an index, and of a shard of this size
 */
export function parseShardIndex(bytes: Buffer, path: string, size: number): ShardIndex {
  const { data, success } = indexSchema.safeParse(jsonOf(bytes));
  const file = indexPathOf(path);
  if (!success) throw new ShardError(`${file} is damaged, or no index of a shard: pack it again, or delete it`);
  if (data.size !== size) {
    throw new ShardError(`${path} has ${size} bytes and ${data.size} by its index: copy both again`);
  }
  const outside = data.samples.find(([, offset, length]) => offset + length > size);
  if (outside !== undefined) throw new ShardError(`${file}: ${outside[0]} lies outside of the shard: pack it again`);
  return {
    ...data,
    samples: data.samples.map(([key, offset, length, label, crc32]) => ({ key, offset, length, label, crc32 })),
  };
}

function jsonOf(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}
