import { messageOf } from '../../api/errors.ts';
import type { ObjectReader, ObjectStore } from '../../storage/object-store.ts';
import { CheckpointDamagedError } from './errors.ts';
import { decodeSafetensors, encodeSafetensors } from './safetensors.ts';
import { bytesOf, type NamedTensor } from './tensors.ts';

/** Some images with what the trained backbone makes of them: what a report shows neighbours and a map of. */
export interface Sample {
  /** Finished steps of pre-training. */
  readonly step: number;
  /** Which data set the images are of. */
  readonly set: 'train' | 'val';
  /** Names of the classes; none without labels. */
  readonly classes: readonly string[];
  /** Names of the images, [n]. */
  readonly names: readonly string[];
  /** Indices into `classes`, −1 where there is none, [n]. */
  readonly labels: Int32Array;
  /** Features an image. */
  readonly dimension: number;
  /** Pooled features of the backbone in eval mode, [n, dimension]. */
  readonly features: Float32Array;
  /** What the network saw, made small: WebP files, [n]. */
  readonly thumbnails: readonly Uint8Array[];
}

const key = 'pretrain/sample.safetensors';
const format = 'simsiam-sample/1';

/** Replaces the run's sample: a view for people, which nothing goes on from. */
export async function writeSample(store: ObjectStore, sample: Sample): Promise<void> {
  const { names, labels, dimension, features, thumbnails } = sample;
  const ends = Int32Array.from(
    thumbnails.reduce<number[]>((all, { length }) => [...all, (all.at(-1) ?? 0) + length], []),
  );
  const tensors: NamedTensor[] = [
    { name: 'features', dtype: 'F32', shape: [names.length, dimension], bytes: bytesOf(features) },
    { name: 'labels', dtype: 'I32', shape: [names.length], bytes: bytesOf(labels) },
    { name: 'thumbnailEnds', dtype: 'I32', shape: [names.length], bytes: bytesOf(ends) },
    { name: 'thumbnails', dtype: 'U8', shape: [ends.at(-1) ?? 0], bytes: Buffer.concat(thumbnails) },
  ];
  const { step, set, classes } = sample;
  const lists = { classes: JSON.stringify(classes), names: JSON.stringify(names) };
  await store.put(key, encodeSafetensors(tensors, { format, step: String(step), set, ...lists }));
}

/** After which step the run's sample was taken, or `undefined` where there is none that can be read. */
export async function sampleStep(store: ObjectReader): Promise<number | undefined> {
  try {
    return (await readSample(store))?.step;
  } catch (thrown) {
    if (thrown instanceof CheckpointDamagedError) return undefined;
    throw thrown;
  }
}

/**
 * The run's sample, or `undefined` before there is one.
 *
 * @throws CheckpointDamagedError if it isn't one
 */
export async function readSample(store: ObjectReader): Promise<Sample | undefined> {
  const object = await store.get(key);
  if (object === undefined) return undefined;
  try {
    return sampleOf(object.bytes);
  } catch (thrown) {
    throw new CheckpointDamagedError(`${key} in ${store.uri} can't be read: ${messageOf(thrown)}`, { cause: thrown });
  }
}

function sampleOf(bytes: Uint8Array): Sample {
  const { tensors, metadata } = decodeSafetensors(bytes);
  if (metadata['format'] !== format) throw new Error('it is of another format');
  const [classes, names] = [textsOf(metadata['classes']), textsOf(metadata['names'])];
  const n = names.length;
  const features = tensorOf(tensors, 'features', 'F32', n);
  const labels = new Int32Array(tensorOf(tensors, 'labels', 'I32', n).values);
  const ends = new Int32Array(tensorOf(tensors, 'thumbnailEnds', 'I32', n).values);
  const files = tensorOf(tensors, 'thumbnails', 'U8', ends.at(-1) ?? 0).values;
  if (labels.some((label) => label < -1 || label >= classes.length)) throw new Error('a label has no class');
  if (ends.some((end, i) => end < (ends[i - 1] ?? 0))) throw new Error("the thumbnails' places are out of order");
  return {
    step: Number(metadata['step']),
    set: metadata['set'] === 'val' ? 'val' : 'train',
    ...{ classes, names, labels },
    dimension: features.shape[1] ?? 0,
    features: new Float32Array(features.values),
    thumbnails: Array.from(ends, (end, i) => new Uint8Array(files.slice(ends[i - 1] ?? 0, end))),
  };
}

/** A tensor of so many rows, in memory of its own, so that it is aligned. */
function tensorOf(
  tensors: readonly NamedTensor[],
  name: string,
  dtype: NamedTensor['dtype'],
  rows: number,
): { readonly shape: readonly number[]; readonly values: ArrayBuffer } {
  const found = tensors.find((tensor) => tensor.name === name);
  if (found?.dtype !== dtype || found.shape[0] !== rows) throw new Error(`it has no ${name} of ${rows} rows`);
  return { shape: found.shape, values: new Uint8Array(found.bytes).buffer };
}

function textsOf(json: string | undefined): string[] {
  const value: unknown = JSON.parse(json ?? 'null');
  if (!Array.isArray(value) || value.some((item) => typeof item !== 'string')) throw new Error('it names no images');
  return value as string[];
}
