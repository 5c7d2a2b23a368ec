import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { messageOf } from '../../api/errors.ts';
import type { CachePlace } from './dataset.ts';

/**
 * Images of an object store as files of this machine, up to a number of bytes; the ones that were not used for longest
 * go first. What was kept by an earlier process is used again. A disk that fails costs the cache, never the run.
 */
export class ObjectCache {
  readonly #folder: string;
  readonly #limit: number;
  readonly #onWarning: ((message: string) => void) | undefined;
  /** Sizes by file name, the longest unused first. */
  readonly #sizes = new Map<string, number>();
  #bytes = 0;
  #off = false;

  private constructor({ folder, bytes }: CachePlace, onWarning?: (message: string) => void) {
    this.#folder = folder;
    this.#limit = bytes;
    this.#onWarning = onWarning;
  }

  static async open(place: CachePlace, onWarning?: (message: string) => void): Promise<ObjectCache> {
    const cache = new ObjectCache(place, onWarning);
    await cache.#orOff(() => cache.#recall());
    return cache;
  }

  /** Undefined where it isn't kept. */
  async get(name: string): Promise<Uint8Array | undefined> {
    const file = fileOf(name);
    const size = this.#sizes.get(file);
    if (this.#off || size === undefined) return undefined;
    // To the end: used last.
    this.#sizes.delete(file);
    this.#sizes.set(file, size);
    const bytes = await readFile(this.#path(file)).catch(() => undefined);
    if (bytes?.length === size) return bytes;
    // Somebody else has deleted or cut it.
    this.#forget(file);
    return undefined;
  }

  async put(name: string, bytes: Uint8Array): Promise<void> {
    const file = fileOf(name);
    if (this.#off || this.#sizes.has(file) || bytes.byteLength > this.#limit) return;
    // Counted before it is written, so that many writes at once keep the limit too.
    this.#sizes.set(file, bytes.byteLength);
    this.#bytes += bytes.byteLength;
    await this.#orOff(async () => {
      await this.#makeRoom();
      const path = this.#path(file);
      await mkdir(join(path, '..'), { recursive: true });
      // Whole or not there: a process that is killed leaves no half image.
      const partial = `${path}.${process.pid}.partial`;
      await writeFile(partial, bytes);
      await rename(partial, path);
    });
  }

  async #makeRoom(): Promise<void> {
    while (this.#bytes > this.#limit) {
      const [oldest] = this.#sizes.keys();
      if (oldest === undefined) return;
      this.#forget(oldest);
      await rm(this.#path(oldest), { force: true });
    }
  }

  /** What earlier processes left, by the time of its last change. */
  async #recall(): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    const found: { file: string; size: number; time: number }[] = [];
    for (const entry of await readdir(this.#folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      if (!/^[0-9a-f]{40}$/.test(entry.name)) {
        await rm(path, { force: true });
        continue;
      }
      const { size, mtimeMs: time } = await stat(path);
      found.push({ file: entry.name, size, time });
    }
    for (const { file, size } of found.toSorted((a, b) => a.time - b.time)) {
      this.#sizes.set(file, size);
      this.#bytes += size;
    }
    await this.#makeRoom();
  }

  #forget(file: string): void {
    this.#bytes -= this.#sizes.get(file) ?? 0;
    this.#sizes.delete(file);
  }

  #path(file: string): string {
    return join(this.#folder, file.slice(0, 2), file);
  }

  async #orOff(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!this.#off) {
        this.#onWarning?.(
          `the cache of images in ${this.#folder} is off: ${messageOf(error)}; they are fetched each time`,
        );
      }
      this.#off = true;
    }
  }
}

function fileOf(name: string): string {
  return createHash('sha256').update(name).digest('hex').slice(0, 40);
}
