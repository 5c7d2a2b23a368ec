import { open, readFile } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { messageOf } from '../../api/errors.ts';
import type { SampleSource } from './dataset.ts';
import { DataMissingError, DataReadError } from './errors.ts';
import type { ShardPlace } from './shard-dataset.ts';
import { indexPathOf, parseShardIndex } from './shard-index.ts';
import { readShardSamples, type ShardSample } from './shard-samples.ts';
import { readHere, WindowReader } from './tar-index.ts';

/** Shards that are files of this machine. */
export class FileShards implements ShardPlace {
  readonly #uri: string;
  readonly #files = new Map<string, FileHandle>();

  constructor(uri: string) {
    this.#uri = uri;
  }

  async index(path: string): Promise<readonly ShardSample[]> {
    const file = await this.#open(path);
    const { size } = await file.stat();
    const index = await readIfThere(indexPathOf(path));
    if (index !== undefined) return parseShardIndex(index, path, size).samples;
    return readHere(readShardSamples(path, size), new WindowReader(file.fd));
  }

  async classes(path: string): Promise<{ name: string; text: string } | undefined> {
    const name = join(dirname(path), 'classes.txt');
    const text = await readIfThere(name);
    return text && { name, text: text.toString('utf8') };
  }

  source(path: string, { offset, length, crc32 }: ShardSample): SampleSource {
    return { path, offset, length, ...(crc32 !== undefined && { crc32 }) };
  }

  async read(path: string, { key, offset, length }: ShardSample): Promise<Uint8Array> {
    const bytes = Buffer.alloc(length);
    const read = await this.#files.get(path)?.read(bytes, 0, length, offset);
    if (read?.bytesRead !== length) throw new DataReadError(`${path}:${key} can't be read: is it still there?`);
    return bytes;
  }

  async close(): Promise<void> {
    for (const file of this.#files.values()) await file.close();
    this.#files.clear();
  }

  async #open(path: string): Promise<FileHandle> {
    try {
      const file = await open(path);
      this.#files.set(path, file);
      return file;
    } catch (error) {
      const shard = `the shard ${path} of ${this.#uri}`;
      throw new DataMissingError(
        isMissing(error)
          ? `${shard} is not there: check the path and the range`
          : `${shard} can't be opened: ${messageOf(error)}`,
        { cause: error },
      );
    }
  }
}

async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw new DataMissingError(`${path} can't be read: ${messageOf(error)}`, { cause: error });
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
