import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { messageOf } from '../../api/errors.ts';
import type { Dataset, DatasetOptions, SampleSource } from './dataset.ts';
import { DataEmptyError, DataMissingError } from './errors.ts';
import { byCodeUnits, imageExtensions, isImageName } from './image-names.ts';
import { hashIndex, mapClasses } from './labels.ts';

/**
 * A folder of images, sorted by path. If images lie in subfolders only, each subfolder of the first level is a class,
 * with whatever it holds at any depth. Hidden entries and other files are left out; links are followed.
 */
export async function openFolder(uri: string, folder: string, options: DatasetOptions): Promise<Dataset> {
  const names = await listImages(folder, '', [await realpath(folder)], options.onProgress);
  const path = (name: string) => join(folder, name);
  return folderDataset(uri, names, options, {
    source: (name) => ({ path: path(name), offset: 0, length: undefined }),
    read: (name) => readFile(path(name)),
  });
}

/** How the images of a folder are got by their names. */
interface ImageFiles {
  source(name: string): SampleSource | Promise<SampleSource>;
  read(name: string): Promise<Uint8Array>;
}

/** @param names paths below the folder, sorted by code units */
export function folderDataset(
  uri: string,
  names: readonly string[],
  options: DatasetOptions,
  files: ImageFiles,
): Dataset {
  if (names.length === 0) {
    throw new DataEmptyError(
      `${uri} holds no image (${[...imageExtensions].join(', ')}): check data.train and data.val`,
    );
  }
  const labelled = names.every((name) => name.includes('/'));
  const own = labelled ? [...new Set(names.map(classOf))].sort(byCodeUnits) : [];
  const classes = options.classes ?? own;
  const index = mapClasses(uri, own, classes);
  const labelOf = new Map(own.map((name, i) => [name, index[i] ?? -1]));
  const labels = Int32Array.from(names, (name) => (labelled ? (labelOf.get(classOf(name)) ?? -1) : -1));

  const name = (i: number) => names[i] ?? '';
  const label = (i: number) => labels[i] ?? -1;
  return {
    uri,
    size: names.length,
    classes: labelled ? classes : [],
    sortedByClass: true,
    indexHash: hashIndex(names.length, name, label),
    warnings: [],
    label,
    name,
    source: (i) => files.source(name(i)),
    read: (i) => files.read(name(i)),
    close: async () => {},
  };
}

function classOf(name: string): string {
  return name.slice(0, name.indexOf('/'));
}

/** Paths below `folder` of all images, with `/` between the parts. `above`: real paths on the way, to end link loops. */
async function listImages(
  folder: string,
  prefix: string,
  above: readonly string[],
  onProgress?: () => void,
): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    throw new DataMissingError(`${folder} can't be listed: ${messageOf(error)}`, { cause: error });
  });
  onProgress?.();
  const found: string[] = [];
  for (const entry of entries) {
    if (entry.name.startsWith('.')) continue;
    const path = join(folder, entry.name);
    // A link that leads nowhere counts as a file: if its name is an image's it is a bad image, else nobody misses it.
    const target = entry.isSymbolicLink() ? await stat(path).catch(() => undefined) : entry;
    if (target?.isDirectory() === true) {
      const real = await realpath(path);
      if (above.includes(real)) continue;
      // One by one: as arguments, the names of a large folder would overflow the stack.
      for (const name of await listImages(path, `${prefix}${entry.name}/`, [...above, real], onProgress))
        found.push(name);
    } else if (isImageName(entry.name)) {
      found.push(prefix + entry.name);
    }
  }
  return prefix === '' ? found.sort(byCodeUnits) : found;
}
