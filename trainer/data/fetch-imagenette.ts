import { join } from 'node:path';

import { CounterRandom, purpose } from '../random.ts';
import { ShardError } from './errors.ts';
import { shardName, shardPattern, writeIndexedShard } from './indexed-shard.ts';
import { archiveFiles, knownArchive, type KnownArchive } from './known-archive.ts';
import type { FetchedSet, FetchSetOptions } from './known-sets.ts';
import { writeClasses } from './pack-dataset.ts';
import type { ShardEntry } from './write-shard.ts';

/** Howard 2019, "Imagenette", version 2 at 160 pixels: ten easy classes of ImageNet. */
const archive: KnownArchive = {
  file: 'imagenette2-160.tgz',
  url: 'https://s3.amazonaws.com/fast-ai-imageclas/imagenette2-160.tgz',
  sha256: '64d0c4859f35a461889e0147755a999a48b49bf38a7e0f9bd27003f10db02fe5',
};

/** By the names of their folders. */
const classes: ReadonlyMap<string, string> = new Map([
  ['n01440764', 'tench'],
  ['n02102040', 'English springer'],
  ['n02979186', 'cassette player'],
  ['n03000684', 'chain saw'],
  ['n03028079', 'church'],
  ['n03394916', 'French horn'],
  ['n03417042', 'garbage truck'],
  ['n03425413', 'gas pump'],
  ['n03445777', 'golf ball'],
  ['n03888257', 'parachute'],
]);

const labels = new Map([...classes.keys()].map((folder, label) => [folder, label]));

const imagesOfShard = 1000;

/** `imagenette2-160/train/n01440764/x.JPEG` */
const pattern = /^[\w-]+\/(train|val)\/(n\d{8})\/([\w-]+)\.JPEG$/;

/**
 * Makes tar shards of Imagenette: its 9,469 training and 3,925 validation JPEGs as they are, well mixed.
 *
 * @param known what the archive must be; default: the published one
 * @throws PackError, DataReadError, ShardError and the storage errors
 */
export async function fetchImagenette(options: FetchSetOptions, known = archive): Promise<FetchedSet> {
  const { folder, cache, from } = options;
  const path = await knownArchive(known, cache, from);
  const sets: Record<'train' | 'val', ShardEntry[]> = { train: [], val: [] };
  for await (const { name, bytes } of archiveFiles(path, (name) => pattern.test(name))) {
    const [, set, wordnet = '', key = ''] = pattern.exec(name) ?? [];
    const label = labels.get(wordnet);
    if (label === undefined) throw new ShardError(`${path} has a class ${wordnet}, which Imagenette lacks`);
    sets[set as 'train' | 'val'].push({ key: `${wordnet}-${key}`, extension: 'jpg', bytes, label });
  }
  await writeClasses(folder, [...classes.values()]);
  const uris: Record<string, string> = {};
  for (const [set, entries] of Object.entries(sets)) {
    if (entries.length === 0) throw new ShardError(`${path} has no ${set} images`);
    const mixed = Array.from(new CounterRandom(0, purpose.subset).permutation(entries.length), (at) => entries[at]!);
    const count = Math.ceil(mixed.length / imagesOfShard);
    for (let shard = 0; shard < count; shard++) {
      const part = mixed.slice(shard * imagesOfShard, (shard + 1) * imagesOfShard);
      await writeIndexedShard(join(folder, shardName(set, shard)), part);
    }
    uris[set] = join(folder, shardPattern(set, count));
  }
  return { train: uris['train']!, val: uris['val']! };
}
