import type { Dataset } from '../data/dataset.ts';
import { EvalLoader } from '../data/eval-loader.ts';
import { featureRows, type FeatureRow, type FeatureSet } from '../evaluate/features.ts';
import type { Runtime } from '../tensorflow/runtime.ts';
import type { LoadedBackbone } from './load-backbone.ts';
import type { BackboneChoice } from './task.ts';

/** What the work needs of its process. */
export interface TaskContext {
  readonly runtime: Runtime;
  readonly loaderThreads: number;
  readonly stop: AbortSignal;
  readonly onProgress: (what: string, done: number, total: number) => void;
  readonly onAlive: () => void;
}

type Loading = Pick<BackboneChoice, 'batchSize' | 'maxBadImageFraction'>;

/** Features of some images, without those that can't be read. */
interface FeatureBatch {
  /** Places in the data set, ascending. */
  readonly indices: Int32Array;
  /** [indices.length, dimension]. */
  readonly features: Float32Array;
}

/** Features of a data set batch by batch, in its order. */
export async function* featureBatches(
  { runtime, loaderThreads, onProgress }: TaskContext,
  { extractor, imageSize }: LoadedBackbone,
  dataset: Dataset,
  { batchSize, maxBadImageFraction }: Loading,
): AsyncGenerator<FeatureBatch, void, undefined> {
  const shape = { batchSize: Math.min(batchSize, dataset.size), imageSize };
  const part = { rank: 0, world: 1, threads: loaderThreads };
  const loader = new EvalLoader({ ...shape, ...part, dataset, maxBadImageFraction });
  try {
    let done = 0;
    for await (const rows of featureRows({ runtime, extractor, loader: loader.batches(), shape, of: 'own' })) {
      done = Math.min(dataset.size, done + shape.batchSize);
      onProgress(dataset.uri, done, dataset.size);
      yield batchOf(rows, extractor.dimension);
    }
  } finally {
    await loader.close();
  }
}

/** Features of a whole data set in memory; undefined when it was stopped. */
export async function backboneFeatures(
  context: TaskContext,
  backbone: LoadedBackbone,
  dataset: Dataset,
  loading: Loading,
): Promise<FeatureSet | undefined> {
  const { dimension } = backbone.extractor;
  const features = new Float32Array(dataset.size * dimension);
  const indices: number[] = [];
  for await (const batch of featureBatches(context, backbone, dataset, loading)) {
    if (context.stop.aborted) return undefined;
    features.set(batch.features, indices.length * dimension);
    for (const index of batch.indices) indices.push(index);
  }
  return {
    ...{ size: indices.length, dimension, features: features.subarray(0, indices.length * dimension) },
    labels: Int32Array.from(indices, (index) => dataset.label(index)),
    indices: Int32Array.from(indices),
  };
}

function batchOf(rows: readonly FeatureRow[], dimension: number): FeatureBatch {
  const features = new Float32Array(rows.length * dimension);
  rows.forEach((row, i) => features.set(row.features, i * dimension));
  return { indices: Int32Array.from(rows, ({ index }) => index), features };
}
