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
  /** This rank's share. Indices are below 2²⁴, since they travel as float32. */
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

/** Columns beside the features. Index, label and mask travel as columns beside the features, so that a batch is gathered in one message. */
export const PLACE_COLUMNS = 3;

/** Runs the extractor over a loader's images. */
export async function extractFeatures(options: FeatureOptions): Promise<FeatureSet> {
  const batches: Float32Array[] = [];
  for await (const rows of featureRows(options)) batches.push(rows);
  return arranged(batches, options.extractor.dimension);
}

/**
 * The same batch by batch, in the loader's order: `dimension` features, then index, label and mask in each row. Rows
 * with mask 0 are padding.
 */
export async function* featureRows(options: FeatureOptions): AsyncGenerator<Float32Array, void, undefined> {
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
    yield await disposing(async (keep) => {
      const [rows] = await embed.call([extractor.state, keep(runtime.tensors(values))]);
      return keep(rows!).readFloats(0);
    });
    options.onBatch?.();
  }
}

function placesOf({ indices, labels, mask }: IndexedBatch): Float32Array {
  const places = new Float32Array(indices.length * PLACE_COLUMNS);
  indices.forEach((index, i) => places.set([index, labels[i] ?? -1, mask[i] ?? 0], i * PLACE_COLUMNS));
  return places;
}

/** Drops padding and sorts by place in the data set. */
function arranged(batches: readonly Float32Array[], dimension: number): FeatureSet {
  const columns = dimension + PLACE_COLUMNS;
  const rows = batches
    .flatMap((batch) =>
      Array.from({ length: batch.length / columns }, (_, i) => batch.subarray(i * columns, (i + 1) * columns)),
    )
    .filter((row) => row[dimension + 2] === 1)
    .sort((a, b) => a[dimension]! - b[dimension]!);
  const features = new Float32Array(rows.length * dimension);
  rows.forEach((row, i) => features.set(row.subarray(0, dimension), i * dimension));
  return {
    size: rows.length,
    dimension,
    features,
    labels: Int32Array.from(rows, (row) => row[dimension + 1]!),
    indices: Int32Array.from(rows, (row) => row[dimension]!),
  };
}
