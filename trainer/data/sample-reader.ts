import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { crc32 } from 'node:zlib';

import type { SampleLocation, SampleSource } from './dataset.ts';
import { BadImageError } from './decode-image.ts';

/** Shards that a thread keeps open. */
const mostOpenShards = 64;

/** The file is gone or closed to us: that image is bad. Any other failure is the disk's and isn't hidden. */
const badFileCodes: ReadonlySet<unknown> = new Set(['ENOENT', 'EACCES', 'EPERM', 'EISDIR', 'ELOOP']);

/** Reads encoded images synchronously, for a worker thread. */
export class SampleReader {
  readonly #shards = new Map<string, number>();
  #buffer = Buffer.alloc(0);

  /**
   * Valid until the next call. Throws {@link BadImageError} for an image that is missing, closed to us, cut off or
   * differs from its checksum, and the system's error for anything else.
   */
  read(source: SampleSource): Buffer {
    if ('bad' in source) throw new BadImageError(source.bad);
    const bytes = 'bytes' in source ? bufferOf(source.bytes) : this.#readFile(source);
    if (source.crc32 !== undefined && crc32(bytes) !== source.crc32) {
      throw new BadImageError('differs from its checksum');
    }
    return bytes;
  }

  #readFile({ path, offset, length }: SampleLocation): Buffer {
    try {
      return length === undefined ? readFileSync(path) : this.#readPart(path, offset, length);
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (badFileCodes.has(code)) throw new BadImageError(`can't be read (${String(code)})`, { cause: error });
      throw error;
    }
  }

  #readPart(path: string, offset: number, length: number): Buffer {
    if (this.#buffer.length < length) this.#buffer = Buffer.alloc(length * 2);
    if (readSync(this.#shard(path), this.#buffer, 0, length, offset) < length) throw new BadImageError('is cut off');
    return this.#buffer.subarray(0, length);
  }

  #shard(path: string): number {
    const known = this.#shards.get(path);
    if (known !== undefined) return known;
    const [oldest] = this.#shards;
    if (oldest !== undefined && this.#shards.size >= mostOpenShards) {
      closeSync(oldest[1]);
      this.#shards.delete(oldest[0]);
    }
    const file = openSync(path, 'r');
    this.#shards.set(path, file);
    return file;
  }
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
