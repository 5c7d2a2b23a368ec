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
  // When the disk fails, every entry tells it beside the pipeline: nobody listening would end the process.
  const add = (name: string, content: Buffer | string) =>
    archive.entry({ name, ...attributes }, content).on('error', () => undefined);
  for (const { key, extension, bytes, label } of entries) {
    add(`${key}.${extension}`, bytes);
    if (label !== undefined) add(`${key}.cls`, String(label));
  }
  archive.finalize();
  await pipeline(archive, createWriteStream(path));
}
