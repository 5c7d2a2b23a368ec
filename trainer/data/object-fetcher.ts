import type { S3Object, S3Range, S3Reader } from '../../storage/s3-reader.ts';
import type { SampleSource } from './dataset.ts';
import { BadImageError } from './decode-image.ts';
import { DataReadError } from './errors.ts';
import { InTurn } from './in-turn.ts';
import type { ObjectCache } from './object-cache.ts';

/** Requests at the same time; each of them may have a connection. */
const mostRequests = 32;

/** Larger ones are no images; what is fetched lies in memory. */
const mostBytes = 256 * 2 ** 20;

/** Gets images out of a store, through the cache where there is one. What comes next is asked for by the loaders. */
export class ObjectFetcher {
  readonly #reader: S3Reader;
  readonly #cache: ObjectCache | undefined;
  readonly #turns = new InTurn(mostRequests);

  constructor(reader: S3Reader, cache: ObjectCache | undefined) {
    this.#reader = reader;
    this.#cache = cache;
  }

  /** An object or a part of it for a worker thread. One that is gone is a bad image. */
  async source(object: S3Object, range?: S3Range, crc32?: number): Promise<SampleSource> {
    try {
      return { bytes: await this.read(object, range), ...(crc32 !== undefined && { crc32 }) };
    } catch (error) {
      if (error instanceof BadImageError) return { bad: error.message };
      throw error;
    }
  }

  /**
   * @throws BadImageError where it is gone or too large, DataReadError where another object has taken its place, and the
   *   storage errors once patience is over
   */
  async read(object: S3Object, range?: S3Range): Promise<Uint8Array> {
    const { key, size, version } = object;
    const length = range?.length ?? size;
    if (length > mostBytes) throw new BadImageError(`has ${length} bytes`);
    if (length === 0) return new Uint8Array();
    const name = `${this.#reader.uri}\n${key}\n${version}\n${range?.offset ?? 0}\n${length}`;
    const kept = await this.#cache?.get(name);
    if (kept !== undefined) return kept;
    const bytes = await this.#turns.take(() => this.#reader.read(key, range, version));
    if (bytes === undefined) throw new BadImageError('is not in the bucket any more');
    if (bytes.length !== length) {
      throw new DataReadError(`${this.#reader.uri}/${key}: ${bytes.length} bytes came instead of ${length}`);
    }
    await this.#cache?.put(name, bytes);
    return bytes;
  }
}
