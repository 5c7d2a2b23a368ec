import { fileURLToPath } from 'node:url';
import { stat } from 'node:fs/promises';

import { DataMissingError, DataUriError } from './errors.ts';
import { expandBraces } from './braces.ts';
import { openFolder } from './folder-dataset.ts';
import { openShards } from './shard-dataset.ts';

/** Where the bytes of an encoded image lie, so that a worker thread reads them itself. */
export interface SampleLocation {
  readonly path: string;
  readonly offset: number;
  /** Bytes; undefined for a whole file. */
  readonly length: number | undefined;
}

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
  /** What a user should know before training on it, a line each. */
  readonly warnings: readonly string[];
  /** Index into `classes`, −1 without labels. */
  label(index: number): number;
  /** For people: the path below the folder, or shard and key. */
  name(index: number): string;
  location(index: number): SampleLocation;
  /** The encoded image. */
  read(index: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

export interface DatasetOptions {
  /** Classes of the training set: labels become indices into them, and a class that isn't among them is an error. */
  readonly classes?: readonly string[];
  /** Called now and then while a large set is indexed. */
  readonly onProgress?: () => void;
}

/**
 * Opens a data set of this machine, by a path or a `file://` URI:
 *
 * - a folder of images (JPEG, PNG, WebP). With images in subfolders only, each subfolder of the first level is a class;
 *   otherwise the set is unlabelled;
 * - tar shards in WebDataset's layout (`key.jpg` and `key.cls`): one `.tar`, or many by number (`train-{000..007}.tar`).
 *
 * @throws DataUriError, DataMissingError, DataEmptyError, ShardError, LabelError
 */
export async function openDataset(uri: string, options: DatasetOptions = {}): Promise<Dataset> {
  const path = localPath(uri);
  const paths = expandBraces(path);
  if (paths.length > 1 || path.endsWith('.tar')) return openShards(uri, paths, options);
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw new DataMissingError(`there is no data set at ${uri}: check the path`);
  if (!found.isDirectory()) {
    throw new DataUriError(`${uri} is neither a folder nor a .tar file: give a folder of images or tar shards`);
  }
  return openFolder(uri, path, options);
}

function localPath(uri: string): string {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(uri)?.[1]?.toLowerCase();
  if (scheme === undefined) return uri;
  if (scheme !== 'file') {
    throw new DataUriError(`data sets are read from paths and file:// URIs, not from ${scheme}:// (${uri})`);
  }
  try {
    return fileURLToPath(uri.replaceAll('{', '%7B').replaceAll('}', '%7D'));
  } catch (error) {
    throw new DataUriError(`${uri} is not a file:// URI of this machine: write file:///folder`, { cause: error });
  }
}
