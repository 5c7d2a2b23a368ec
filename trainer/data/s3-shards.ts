import type { S3Object, S3Range, S3Reader } from '../../storage/s3-reader.ts';
import type { SampleSource } from './dataset.ts';
import { DataMissingError, DataReadError } from './errors.ts';
import type { ObjectFetcher } from './object-fetcher.ts';
import type { ShardPlace } from './shard-dataset.ts';
import { indexPathOf, parseShardIndex } from './shard-index.ts';
import { readShardSamples, type ShardSample } from './shard-samples.ts';
import type { Reading } from './tar-index.ts';

/** Read at a time while walking over the headers of a shard without an index: a request costs as much as this. */
const window = 512 * 1024;

/** Shards that are objects. Their names are keys below the reader's location. */
export class S3Shards implements ShardPlace {
  readonly #uri: string;
  readonly #reader: S3Reader;
  readonly #fetcher: ObjectFetcher;
  readonly #objects = new Map<string, S3Object>();

  constructor(uri: string, reader: S3Reader, fetcher: ObjectFetcher) {
    this.#uri = uri;
    this.#reader = reader;
    this.#fetcher = fetcher;
  }

  async index(key: string): Promise<readonly ShardSample[]> {
    const object = await this.#reader.head(key);
    if (object === undefined) {
      throw new DataMissingError(`the shard ${key} of ${this.#uri} is not there: check the URI and the range`);
    }
    this.#objects.set(key, object);
    const index = await this.#reader.read(indexPathOf(key));
    const path = `${this.#reader.uri}/${key}`;
    if (index !== undefined) return parseShardIndex(index, path, object.size).samples;
    return await this.#readThere(readShardSamples(path, object.size), object);
  }

  async classes(key: string): Promise<{ name: string; text: string } | undefined> {
    const name = key.includes('/') ? `${key.slice(0, key.lastIndexOf('/'))}/classes.txt` : 'classes.txt';
    const text = await this.#reader.read(name);
    return text && { name: `${this.#reader.uri}/${name}`, text: text.toString('utf8') };
  }

  async source(key: string, { offset, length, crc32 }: ShardSample): Promise<SampleSource> {
    return await this.#fetcher.source(this.#object(key), { offset, length }, crc32);
  }

  async read(key: string, { offset, length }: ShardSample): Promise<Uint8Array> {
    return await this.#fetcher.read(this.#object(key), { offset, length });
  }

  async close(): Promise<void> {}

  #object(key: string): S3Object {
    const object = this.#objects.get(key);
    if (object === undefined) throw new RangeError(`${key} is no shard of ${this.#uri}`);
    return object;
  }

  async #readThere<Result>(reading: Reading<Result>, object: S3Object): Promise<Result> {
    let [from, held]: [number, Buffer] = [0, Buffer.alloc(0)];
    let step = reading.next();
    while (step.done !== true) {
      const { offset, length } = step.value;
      const end = Math.min(offset + length, object.size);
      if (offset < from || end > from + held.length) {
        const wanted = Math.min(Math.max(length, window), object.size - offset);
        [from, held] = [offset, wanted > 0 ? await this.#part(object, { offset, length: wanted }) : Buffer.alloc(0)];
      }
      step = reading.next(held.subarray(offset - from, Math.max(offset, end) - from));
    }
    return step.value;
  }

  async #part({ key, version }: S3Object, range: S3Range): Promise<Buffer> {
    const bytes = await this.#reader.read(key, range, version);
    if (bytes === undefined) throw new DataReadError(`${this.#reader.uri}/${key} is not there any more`);
    return bytes;
  }
}
