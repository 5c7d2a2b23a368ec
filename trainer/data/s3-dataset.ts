import { S3Reader, type S3Object } from '../../storage/s3-reader.ts';
import { s3Location } from '../../storage/s3-location.ts';
import type { S3Patience } from '../../storage/s3-requests.ts';
import { expandBraces } from './braces.ts';
import type { Dataset, DatasetOptions } from './dataset.ts';
import { DataMissingError } from './errors.ts';
import { folderDataset } from './folder-dataset.ts';
import { byCodeUnits, isImageName } from './image-names.ts';
import { ObjectCache } from './object-cache.ts';
import { ObjectFetcher } from './object-fetcher.ts';
import { S3Shards } from './s3-shards.ts';
import { openShards } from './shard-dataset.ts';

/**
 * A data set in S3 or in a store that is compatible with it: all images under a prefix, or tar shards. Credentials are
 * those for data, else those of AWS's standard places.
 */
export async function openS3Dataset(uri: string, options: DatasetOptions, patience?: S3Patience): Promise<Dataset> {
  const paths = expandBraces(uri);
  const isShards = paths.length > 1 || uri.endsWith('.tar');
  // Shards are named by the URI's last part, images by all below it.
  const folder = isShards ? uri.slice(0, uri.lastIndexOf('/')) : uri;
  const { endpoint, region, cache: place } = options;
  const address = { ...(endpoint !== undefined && { endpoint }), ...(region !== undefined && { region }) };
  const reader = new S3Reader(s3Location({ uri: folder, part: 'spec.data', ...address }, process.env), patience);
  const cache = place && (await ObjectCache.open(place, options.onWarning));
  const fetcher = new ObjectFetcher(reader, cache);
  if (!isShards) return await openPrefix(uri, reader, fetcher, options);
  const names = paths.map((path) => path.slice(folder.length + 1));
  return await openShards(uri, names, new S3Shards(uri, reader, fetcher), options);
}

async function openPrefix(
  uri: string,
  reader: S3Reader,
  fetcher: ObjectFetcher,
  options: DatasetOptions,
): Promise<Dataset> {
  const objects = new Map<string, S3Object>();
  let isEmpty = true;
  for await (const page of reader.list()) {
    options.onProgress?.();
    isEmpty &&= page.length === 0;
    // As in a folder, hidden names are left out; and so are keys that no file could have.
    for (const object of page) {
      const parts = object.key.split('/');
      if (isImageName(object.key) && parts.every((part) => part !== '' && !part.startsWith('.'))) {
        objects.set(object.key, object);
      }
    }
  }
  if (isEmpty) throw new DataMissingError(`there is no object under ${uri}: check data.train and data.val`);
  const at = (name: string): S3Object => {
    const object = objects.get(name);
    if (object === undefined) throw new RangeError(`${uri} has no ${name}`);
    return object;
  };
  return folderDataset(uri, [...objects.keys()].sort(byCodeUnits), options, {
    source: (name) => fetcher.source(at(name)),
    read: (name) => fetcher.read(at(name)),
  });
}
