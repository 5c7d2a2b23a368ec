import { LabelError, ShardError } from './errors.ts';
import { imageExtensions } from './image-names.ts';
import { readTarIndex, type Reading } from './tar-index.ts';

/** An image of a shard. */
export interface ShardSample {
  readonly key: string;
  /** Of the encoded image, in bytes from the beginning of the shard. */
  readonly offset: number;
  readonly length: number;
  /** From `key.cls`; −1 without one. */
  readonly label: number;
  /** Of the encoded image; only where the shard has an index. */
  readonly crc32?: number;
}

/** A class number fits; what is longer isn't one. */
const mostLabelBytes = 32;

/** Joins the files of a sample: everything up to the first dot of the base name is its key. */
export function* readShardSamples(path: string, size: number): Reading<ShardSample[]> {
  const entries = yield* readTarIndex(path, size);
  const images = new Map<string, { offset: number; length: number }>();
  const labels = new Map<string, number>();
  for (const { name, offset, size } of entries) {
    const dot = name.indexOf('.', name.lastIndexOf('/') + 1);
    if (dot < 0) continue;
    const key = name.slice(0, dot);
    const extension = name.slice(dot + 1).toLowerCase();
    if (imageExtensions.has(extension)) {
      if (images.has(key)) throw new ShardError(`${path} holds two images of the key ${key}: pack it again`);
      images.set(key, { offset, length: size });
    } else if (extension === 'cls') {
      const text = yield { offset, length: Math.min(size, mostLabelBytes) };
      labels.set(key, parseLabel(text.toString('utf8'), path, name));
    }
  }
  return [...images].map(([key, place]) => ({ key, ...place, label: labels.get(key) ?? -1 }));
}

function parseLabel(text: string, path: string, name: string): number {
  const label = Number(text.trim());
  if (text.trim() === '' || !Number.isInteger(label) || label < 0 || label > 0x7fffffff) {
    throw new LabelError(`${path}: ${name} holds ${JSON.stringify(text.slice(0, 20))} instead of a class number`);
  }
  return label;
}
