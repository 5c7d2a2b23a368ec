import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';

import { storageError } from '../../storage/errors.ts';
import { safetensorsHead } from '../checkpoint/safetensors.ts';
import { bytesOf } from '../checkpoint/tensors.ts';
import { FeatureFileError } from './errors.ts';
import { npyHead } from './npy.ts';

/** What of a file's kind is needed to write it row by row. */
interface FeatureFormat {
  /** What comes before the rows: as many bytes for any number of rows up to 2⁵³. */
  head(rows: number, dimension: number, labelled: boolean): Buffer;
  /** What comes after them. */
  tail(labels: Int32Array | undefined): Uint8Array;
}

/** Room for both tensors' entries and numbers of any length. */
const safetensorsHeadBytes = 512;

const formats: Readonly<Record<string, FeatureFormat>> = {
  '.npy': { head: npyHead, tail: () => new Uint8Array() },
  '.safetensors': {
    head: (rows, dimension, labelled) =>
      safetensorsHead(
        [
          { name: 'features', dtype: 'F32', shape: [rows, dimension] },
          ...(labelled ? [{ name: 'labels', dtype: 'I64', shape: [rows] } as const] : []),
        ],
        { format: 'pt' },
        safetensorsHeadBytes,
      ),
    tail: (labels) => new Uint8Array(BigInt64Array.from(labels ?? [], BigInt).buffer),
  },
};

/** The file with names and labels of the rows: `features.json` beside `features.npy`. */
export function namesFileOf(path: string): string {
  return path.replace(/\.[^./\\]+$/, '.json');
}

/** @throws FeatureFileError for an ending that means no kind of file */
export function featureFormatOf(path: string): FeatureFormat {
  const format = formats[/\.[^./\\]+$/.exec(path)?.[0] ?? ''];
  if (format) return format;
  throw new FeatureFileError(`${path}: what kind of file it is is told by its end: ${Object.keys(formats).join(', ')}`);
}

/** A file of features that grows by rows, so that a set of any size needs no memory; whole or not there at all. */
export class FeatureFile {
  readonly #path: string;
  readonly #partial: string;
  readonly #file: FileHandle;
  readonly #format: FeatureFormat;
  readonly #dimension: number;
  readonly #labelled: boolean;
  #rows = 0;

  private constructor(path: string, partial: string, file: FileHandle, dimension: number, labelled: boolean) {
    this.#path = path;
    this.#partial = partial;
    this.#file = file;
    this.#format = featureFormatOf(path);
    this.#dimension = dimension;
    this.#labelled = labelled;
  }

  /** @throws FeatureFileError if it exists or has an unknown ending; the storage errors */
  static async create(path: string, dimension: number, labelled: boolean): Promise<FeatureFile> {
    const format = featureFormatOf(path);
    await refuseExisting(path);
    const target = resolve(path);
    const partial = join(dirname(target), `.${basename(target)}.${process.pid}.partial`);
    return await named(path, async () => {
      await mkdir(dirname(target), { recursive: true });
      const file = await open(partial, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL);
      const created = new FeatureFile(target, partial, file, dimension, labelled);
      await file.writev([format.head(0, dimension, labelled)]);
      return created;
    });
  }

  /** @param rows [n, dimension] */
  async append(rows: Float32Array): Promise<void> {
    this.#rows += rows.length / this.#dimension;
    await named(this.#path, () => this.#file.appendFile(bytesOf(rows)));
  }

  /** @param labels of all rows, where the set is labelled */
  async commit(labels: Int32Array): Promise<void> {
    await named(this.#path, async () => {
      await this.#file.appendFile(this.#format.tail(this.#labelled ? labels : undefined));
      await this.#file.write(this.#format.head(this.#rows, this.#dimension, this.#labelled), 0, null, 0);
      await this.#file.sync();
      await this.#file.close();
      await rename(this.#partial, this.#path);
    });
  }

  async discard(): Promise<void> {
    await this.#file.close().catch(() => undefined);
    await rm(this.#partial, { force: true });
  }
}

/** @throws FeatureFileError */
export async function refuseExisting(path: string): Promise<void> {
  const there = await stat(path).then(
    () => true,
    () => false,
  );
  if (there) throw new FeatureFileError(`${path} exists already: delete it, or write to another path`);
}

async function named<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    throw storageError(thrown, `write ${basename(path)}`, dirname(resolve(path)));
  }
}
