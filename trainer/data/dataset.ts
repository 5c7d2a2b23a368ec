import { fileURLToPath } from 'node:url';
import { stat } from 'node:fs/promises';

import { DataMissingError, DataUriError } from './errors.ts';
import { expandBraces } from './braces.ts';
import { openFolder } from './folder-dataset.ts';
import { FileShards } from './file-shards.ts';
import { openShards } from './shard-dataset.ts';

/** Where the bytes of an encoded image lie, so that a worker thread reads them itself. */
export interface SampleLocation {
  readonly path: string;
  readonly offset: number;
  /** Bytes; undefined for a whole file. */
  readonly length: number | undefined;
  /** Of the bytes, where the set has checksums. */
  readonly crc32?: number;
}

/** An encoded image that was fetched over the network. */
export interface FetchedSample {
  readonly bytes: Uint8Array;
  readonly crc32?: number;
}

/** What a worker thread gets of an image: where it lies, its bytes, or why there are none. */
export type SampleSource = SampleLocation | FetchedSample | { readonly bad: string };

/** Encoded images in a fixed order, with or without labels. */
export interface Dataset {
  readonly uri: string;
  readonly size: number;
  /** Names of the classes; none if the set is unlabelled. */
  readonly classes: readonly string[];
  /** True if the order lies as the classes do, so that a sampler has to mix it before it cuts it up. */
  readonly sortedByClass: boolean;
  /** SHA-256 over names and labels in order: the same for the same set, wherever it lies. */
  readonly indexHash: string;
  /** What a user should know before pre-training on it, a line each. */
  readonly warnings: readonly string[];
  /** Index into `classes`, −1 without labels. */
  label(index: number): number;
  /** For people: the path below the folder, or shard and key. */
  name(index: number): string;
  /**
   * For a worker thread, at once or when it is fetched.
   *
   * @throws DataReadError, and the storage errors of what is fetched
   */
  source(index: number): SampleSource | Promise<SampleSource>;
  /** The encoded image. */
  read(index: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

export interface DatasetOptions {
  /** Classes of the training set: labels become indices into them, and a class that isn't among them is an error. */
  readonly classes?: readonly string[];
  /** Called now and then while a large set is indexed. */
  readonly onProgress?: () => void;
  /** Of `s3://` sets, where they aren't Amazon's; see storage/s3-location.ts. */
  readonly endpoint?: string;
  readonly region?: string;
  /** Where images of `s3://` sets are kept on this machine; default: nowhere. */
  readonly cache?: CachePlace;
  /** Something went wrong that the set survives. */
  readonly onWarning?: (message: string) => void;
}

export interface CachePlace {
  /** Belongs to one process. */
  readonly folder: string;
  /** What it may hold. */
  readonly bytes: number;
}

/**
 * Opens a data set: of this machine by a path or a `file://` URI, or of an object store by an `s3://` URI:
 *
 * - a folder of images (JPEG, PNG, WebP), or all objects under a prefix. With images in subfolders only, each subfolder of the first level is a class;
 *   otherwise the set is unlabelled;
 * - tar shards in WebDataset's layout (`key.jpg` and `key.cls`): one `.tar`, or many by number (`train-{000..007}.tar`).
 *
 * @throws DataUriError, DataMissingError, DataEmptyError, ShardError, LabelError, and the storage errors of S3
 */
export async function openDataset(uri: string, options: DatasetOptions = {}): Promise<Dataset> {
  if (isInS3(uri)) return await (await s3Datasets()).openS3Dataset(uri, options);
  const path = localPath(uri);
  const paths = expandBraces(path);
  if (paths.length > 1 || path.endsWith('.tar')) return openShards(uri, paths, new FileShards(uri), options);
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw new DataMissingError(`there is no data set at ${uri}: check the path`);
  if (!found.isDirectory()) {
    throw new DataUriError(`${uri} is neither a folder nor a .tar file: give a folder of images or tar shards`);
  }
  return openFolder(uri, path, options);
}

/** Loads the modules that `openDataset` will need for a set, and does nothing else. */
export async function loadModulesFor(uri: string): Promise<void> {
  if (isInS3(uri)) await s3Datasets();
}

function isInS3(uri: string): boolean {
  return /^s3:\/\//i.test(uri);
}

/** Loading the client takes a second, which other sets needn't spend. */
async function s3Datasets() {
  return await import('./s3-dataset.ts');
}

function localPath(uri: string): string {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(uri)?.[1]?.toLowerCase();
  if (scheme === undefined) return uri;
  if (scheme !== 'file') {
    throw new DataUriError(`data sets are read from paths, file:// and s3:// URIs, not from ${scheme}:// (${uri})`);
  }
  try {
    return fileURLToPath(uri.replaceAll('{', '%7B').replaceAll('}', '%7D'));
  } catch (error) {
    throw new DataUriError(`${uri} is not a file:// URI of this machine: write file:///folder`, { cause: error });
  }
}
