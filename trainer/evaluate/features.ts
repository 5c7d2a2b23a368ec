import { allGather } from '../tensorflow/collectives.ts';
import type { Runtime } from '../tensorflow/runtime.ts';
import { tf } from '../tensorflow/tfjs.ts';
import type { BatchShape, IndexedBatch } from './batches.ts';
import type { FeatureExtractor } from './extractor.ts';
import { disposing, imageSpec } from './tensors.ts';
import { tracedOnce } from './traced-once.ts';

/** Features of images, a row each, in the order of the data set. */
export interface FeatureSet {
  readonly size: number;
  readonly dimension: number;
  /** [size, dimension]. */
  readonly features: Float32Array;
  /** [size]; −1 where there is none. */
  readonly labels: Int32Array;
  /** [size]: positions in the data set, ascending. */
  readonly indices: Int32Array;
}

export interface FeatureOptions {
  readonly runtime: Runtime;
  readonly extractor: FeatureExtractor;
  /** This rank's share. */
  readonly loader: AsyncIterable<IndexedBatch>;
  readonly shape: BatchShape;
  /**
   * `all`: every rank gets the rows of all ranks, so each holds them all in memory: for sets of a bounded size, such as
   * a kNN bank. `own`: each rank gets the rows of its own images.
   */
  readonly of: 'all' | 'own';
  /** After each batch, to show that a long evaluation is alive. */
  readonly onBatch?: (() => void) | undefined;
}

/** What travels in columns beside an image's features, so that a batch is gathered in one message. */
const PLACE_COLUMNS = 4;

/** A row of {@link featureRows}. */
export interface FeatureRow {
  readonly features: Float32Array;
  /** Position in the data set. */
  readonly index: number;
  /** −1 where there is none. */
  readonly label: number;
}

/** What an index is cut into to travel as two numbers of float32, which holds integers up to 2²⁴ only. */
const HALF = 2 ** 16;

/** Runs the extractor over a loader's images. */
export async function extractFeatures(options: FeatureOptions): Promise<FeatureSet> {
  const batches: FeatureRow[][] = [];
  for await (const rows of featureRows(options)) batches.push(rows);
  return arranged(batches, options.extractor.dimension);
}

/** The same batch by batch, in the loader's order, without padding. */
export async function* featureRows(options: FeatureOptions): AsyncGenerator<FeatureRow[], void, undefined> {
  const { runtime, extractor, loader, shape, of } = options;
  const images = imageSpec(shape);
  const places = { dtype: 'float32', shape: [shape.batchSize, PLACE_COLUMNS] } as const;
  const embed = tracedOnce(
    runtime,
    `features_${extractor.name}_${of}`,
    [extractor.state.specs, [images, places]],
    (state, [images, places]) => {
      const rows = tf.concat([extractor.features(state, images!), places!], 1);
      return [[of === 'all' ? allGather(rows) : rows]];
    },
  );
  for await (const batch of loader) {
    const values = [
      { spec: images, bytes: batch.images },
      { spec: places, bytes: placesOf(batch) },
    ];
    const rows = await disposing(async (keep) => {
      const [rows] = await embed.call([extractor.state, keep(runtime.tensors(values))]);
      return keep(rows!).readFloats(0);
    });
    yield imagesOf(rows, extractor.dimension);
    options.onBatch?.();
  }
}

function placesOf({ indices, labels, mask }: IndexedBatch): Float32Array {
  const places = new Float32Array(indices.length * PLACE_COLUMNS);
  indices.forEach((index, i) =>
    places.set([Math.floor(index / HALF), index & (HALF - 1), labels[i] ?? -1, mask[i] ?? 0], i * PLACE_COLUMNS),
  );
  return places;
}

/** The rows of images, not those of padding. */
function imagesOf(rows: Float32Array, dimension: number): FeatureRow[] {
  const columns = dimension + PLACE_COLUMNS;
  return Array.from({ length: rows.length / columns }, (_, i) => rows.subarray(i * columns, (i + 1) * columns))
    .filter((row) => row[dimension + 3] === 1)
    .map((row) => ({
      features: row.subarray(0, dimension),
      index: row[dimension]! * HALF + row[dimension + 1]!,
      label: row[dimension + 2]!,
    }));
}

/** Sorted by place in the data set. */
function arranged(batches: readonly FeatureRow[][], dimension: number): FeatureSet {
  const rows = batches.flat().sort((a, b) => a.index - b.index);
  const features = new Float32Array(rows.length * dimension);
  rows.forEach((row, i) => features.set(row.features, i * dimension));
  return {
    size: rows.length,
    dimension,
    features,
    labels: Int32Array.from(rows, ({ label }) => label),
    indices: Int32Array.from(rows, ({ index }) => index),
  };
}
