import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';

import { pack } from 'tar-stream';

export interface ShardEntry {
  /** Without a dot. */
  readonly key: string;
  /** `jpg`, `png` or `webp`. */
  readonly extension: string;
  readonly bytes: Buffer;
  /** Left out of unlabelled shards. */
  readonly label?: number;
}

/** Writes a tar shard in WebDataset's layout: the same bytes for the same entries. */
export async function writeShard(path: string, entries: readonly ShardEntry[]): Promise<void> {
  const archive = pack();
  const attributes = { mtime: new Date(0), mode: 0o644 };
  for (const { key, extension, bytes, label } of entries) {
    archive.entry({ name: `${key}.${extension}`, ...attributes }, bytes);
    if (label !== undefined) archive.entry({ name: `${key}.cls`, ...attributes }, String(label));
  }
  archive.finalize();
  await pipeline(archive, createWriteStream(path));
}
