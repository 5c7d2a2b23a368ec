import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { messageOf } from '../../api/errors.ts';
import { expandBraces } from './braces.ts';
import { DataMissingError, ShardError } from './errors.ts';
import { byCodeUnits } from './image-names.ts';
import { sha256Of } from './indexed-shard.ts';
import { indexPathOf, parseShardIndex } from './shard-index.ts';

export interface Verified {
  readonly shards: number;
  readonly images: number;
  readonly bytes: number;
}

/**
 * Compares shards of this machine with their indices to the last byte.
 *
 * @param shards `train-{00000..00007}.tar`, or a folder: all shards in it
 * @throws DataMissingError where a shard or its index is missing, ShardError where a shard differs
 */
export async function verifyShards(shards: string, onProgress?: (shard: string) => void): Promise<Verified> {
  let [images, bytes] = [0, 0];
  const paths = await shardsOf(shards);
  for (const path of paths) {
    onProgress?.(path);
    const [index, { size }] = await readBoth(path);
    const { sha256, samples } = parseShardIndex(index, path, size);
    const found = await sha256Of(path);
    if (found !== sha256)
      throw new ShardError(`${path} has the SHA-256 ${found}, not that of its index: copy it again`);
    [images, bytes] = [images + samples.length, bytes + size];
  }
  return { shards: paths.length, images, bytes };
}

async function shardsOf(shards: string): Promise<string[]> {
  const isFolder = await stat(shards).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder) return expandBraces(shards);
  const names = (await readdir(shards)).filter((name) => name.endsWith('.tar')).sort(byCodeUnits);
  if (names.length === 0)
    throw new DataMissingError(`${shards} has no .tar files: name the folder that \`dataset pack\` wrote`);
  return names.map((name) => join(shards, name));
}

async function readBoth(path: string): Promise<[Buffer, { size: number }]> {
  try {
    return [await readFile(indexPathOf(path)), await stat(path)];
  } catch (error) {
    throw new DataMissingError(`${path} and its index are needed: ${messageOf(error)}`, { cause: error });
  }
}
