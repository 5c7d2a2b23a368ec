import { normalizeRows } from '../model/similarity.ts';
import type { GraphFunction, Runtime, TensorList } from '../tensorflow/runtime.ts';
import { tf } from '../tensorflow/tfjs.ts';
import { percent } from './batches.ts';
import type { FeatureSet } from './features.ts';
import { weightedVote } from './knn-vote.ts';
import { sumsOverRanks } from './rank-sums.ts';
import { disposing, floatTensors } from './tensors.ts';
import { tracedOnce } from './traced-once.ts';

export interface KnnOptions {
  readonly runtime: Runtime;
  /** The same on every rank: `extractFeatures` of `all`. */
  readonly bank: FeatureSet;
  readonly classes: number;
  /** Neighbours that vote; the whole bank when it is smaller. */
  readonly k: number;
  readonly temperature: number;
  /** Queries compared with the bank at once; the similarities take `chunk · bank.size` floats. Default 256. */
  readonly chunk?: number;
}

export interface KnnScore {
  /** Percent of the labelled queries of all ranks. */
  readonly top1: number;
  readonly queries: number;
}

/** The accuracy of a weighted kNN classifier on the queries of all ranks: each gives its own (`extractFeatures` of `own`). */
export async function knnAccuracy(options: KnnOptions, queries: FeatureSet): Promise<KnnScore> {
  const predictions = await knnPredictions(options, queries);
  let correct = 0;
  let labelled = 0;
  queries.labels.forEach((label, i) => {
    if (label < 0) return;
    labelled += 1;
    if (predictions[i] === label) correct += 1;
  });
  const [allCorrect, all] = await sumsOverRanks(options.runtime, 'knn', [correct, labelled]);
  return { top1: percent(allCorrect!, all!), queries: all! };
}

/**
 * The class of each query by its k nearest neighbours in cosine similarity. Of equally near neighbours those earlier in
 * the bank count. −1 where no neighbour has a class. No collective: each rank is on its own.
 */
export async function knnPredictions(options: KnnOptions, queries: FeatureSet): Promise<Int32Array> {
  const { runtime, bank, classes, temperature, chunk = 256 } = options;
  const { dimension } = bank;
  const k = Math.min(options.k, bank.size);
  const predictions = new Int32Array(queries.size).fill(-1);
  if (k === 0) return predictions;
  await disposing(async (keep) => {
    const { search, normalized } = await buildSearch(options, { k, chunk }, keep);
    // The last chunk is filled up with zero rows, whose neighbours nobody reads.
    const rows = new Float32Array(chunk * dimension);
    for (let from = 0; from < queries.size; from += chunk) {
      const count = Math.min(chunk, queries.size - from);
      rows.fill(0).set(queries.features.subarray(from * dimension, (from + count) * dimension));
      const [similarities, neighbours] = await disposing(async (keep) => {
        const query = keep(floatTensors(runtime, [{ shape: [chunk, dimension], values: rows }]));
        const found = keep((await search.call([normalized, query]))[0]!);
        return [await found.readFloats(0), await found.readFloats(1)] as const;
      });
      for (let i = 0; i < count; i++) {
        const labels = Array.from(neighbours.subarray(i * k, (i + 1) * k), (neighbour) => bank.labels[neighbour]!);
        const nearest = { similarities: similarities.subarray(i * k, (i + 1) * k), labels };
        predictions[from + i] = weightedVote(nearest, classes, temperature);
      }
    }
  });
  return predictions;
}

/** The bank at length 1 inside TensorFlow, and the function that finds neighbours in it. */
async function buildSearch(
  { runtime, bank }: KnnOptions,
  { k, chunk }: { k: number; chunk: number },
  keep: <D extends { dispose(): void }>(owned: D) => D,
): Promise<{ search: GraphFunction; normalized: TensorList }> {
  const bankSpec = { dtype: 'float32', shape: [bank.size, bank.dimension] } as const;
  const querySpec = { dtype: 'float32', shape: [chunk, bank.dimension] } as const;
  const normalize = tracedOnce(runtime, 'knn_normalize', [[bankSpec]], ([rows]) => [[normalizeRows(rows!)]]);
  const raw = keep(floatTensors(runtime, [{ shape: bankSpec.shape, values: bank.features }]));
  const [normalized] = await normalize.call([raw]);
  const search = tracedOnce(runtime, `knn_search_${k}`, [[bankSpec], [querySpec]], ([bank], [query]) => {
    const similarities = tf.matMul(normalizeRows(query!), bank!, false, true);
    const { values, indices } = tf.topk(similarities, k);
    return [[values, tf.cast(indices, 'float32')]];
  });
  return { search, normalized: keep(normalized!) };
}
