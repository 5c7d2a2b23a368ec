import { cast, rawOp } from '../tensorflow/raw-op.ts';
import type { GraphFunction, Runtime, TensorList, TensorSpec } from '../tensorflow/runtime.ts';
import { tf, type Tensor } from '../tensorflow/tfjs.ts';
import { percent } from './batches.ts';
import type { FeatureSet } from './features.ts';
import { sumsOverRanks } from './rank-sums.ts';
import { disposing, floatTensors } from './tensors.ts';
import { tracedOnce } from './traced-once.ts';

interface ProbeOptions {
  readonly runtime: Runtime;
  /** The same on every rank: `extractFeatures` of `all`. Images without a label are left out. */
  readonly bank: FeatureSet;
  readonly classes: number;
}

/** Rows that are looked at at once. */
const CHUNK = 1024;

/** The ridge as a part of the features' mean variance: enough to invert a covariance that has no full rank. */
const RIDGE = 1e-3;

/**
 * A linear classifier of features that are computed already, in closed form: ridge regression on the classes, from a
 * covariance in float64. It costs one pass and has neither a learning rate nor a state that a checkpoint would have to
 * carry. A trained classifier (`linear-evaluation.ts`) is somewhat better, and takes as many epochs as it is given.
 *
 * @param queries This rank's own: `extractFeatures` of `own`.
 * @returns Top-1 in percent of the labelled queries of all ranks.
 */
export async function ridgeProbe(options: ProbeOptions, queries: FeatureSet): Promise<number> {
  return await accuracyOf(options.runtime, await ridgePredictions(options, queries), queries);
}

/**
 * Top-1 of a linear classifier that is there already, likewise.
 *
 * @param classifier Weight [d, classes] and bias [classes].
 */
export async function classifierTop1(runtime: Runtime, classifier: TensorList, queries: FeatureSet): Promise<number> {
  return await accuracyOf(runtime, await predictions(runtime, classifier, queries), queries);
}

async function accuracyOf(runtime: Runtime, predictions: Int32Array, queries: FeatureSet): Promise<number> {
  let [correct, labelled] = [0, 0];
  queries.labels.forEach((label, i) => {
    if (label < 0) return;
    labelled += 1;
    if (predictions[i] === label) correct += 1;
  });
  const [allCorrect, all] = await sumsOverRanks(runtime, 'probe', [correct, labelled]);
  return percent(allCorrect!, all!);
}

/** The class of each query. No collective: each rank is on its own. */
export async function ridgePredictions(options: ProbeOptions, queries: FeatureSet): Promise<Int32Array> {
  return await disposing(async (keep) => predictions(options.runtime, keep(await fit(options)), queries));
}

async function predictions(runtime: Runtime, classifier: TensorList, queries: FeatureSet): Promise<Int32Array> {
  const { dimension } = queries;
  const predict = tracedOnce(
    runtime,
    'probe_predict',
    [classifier.specs, [{ dtype: 'float32', shape: [CHUNK, dimension] }]],
    ([weights, bias], [rows]) => {
      const scores = tf.add(tf.matMul(rows!, weights!), bias!);
      return [[tf.cast(tf.argMax(scores, 1), 'float32')]];
    },
  );
  const predictions = new Int32Array(queries.size);
  for (let from = 0; from < queries.size; from += CHUNK) {
    const found = await disposing(async (keep) => {
      const rows = keep(floatTensors(runtime, [{ shape: [CHUNK, dimension], values: rowsOf(queries, from) }]));
      return await keep((await predict.call([classifier, rows]))[0]!).readFloats(0);
    });
    predictions.set(found.subarray(0, Math.min(CHUNK, queries.size - from)), from);
  }
  return predictions;
}

/** Weights [d, classes] and bias [classes], float32. */
async function fit({ runtime, bank, classes }: ProbeOptions): Promise<TensorList> {
  const { dimension } = bank;
  const shapes = [[dimension, dimension], [dimension, classes], [dimension], [classes]];
  const totals: TensorSpec[] = shapes.map((shape) => ({ dtype: 'float64', shape }));
  const { add, solve } = functions(runtime, totals, classes);
  let sums = runtime.tensors(
    totals.map((spec) => ({ spec, bytes: new Float64Array(spec.shape.reduce((a, b) => a * b, 1)) })),
  );
  for (let from = 0; from < bank.size; from += CHUNK) {
    const labels = new Float32Array(CHUNK).fill(-1);
    labels.set(bank.labels.subarray(from, from + CHUNK));
    sums = await disposing(async (keep) => {
      const chunk = [
        { shape: [CHUNK, dimension], values: rowsOf(bank, from) },
        { shape: [CHUNK], values: labels },
      ];
      return (await add.call([keep(sums), keep(floatTensors(runtime, chunk))]))[0]!;
    });
  }
  return await disposing(async (keep) => (await solve.call([keep(sums)]))[0]!);
}

function functions(
  runtime: Runtime,
  totals: readonly TensorSpec[],
  classes: number,
): { add: GraphFunction; solve: GraphFunction } {
  const dimension = totals[0]!.shape[0]!;
  const chunk: TensorSpec[] = [
    { dtype: 'float32', shape: [CHUNK, dimension] },
    { dtype: 'float32', shape: [CHUNK] },
  ];
  const add = tracedOnce(runtime, 'probe_add', [totals, chunk], (totals, [rows, labels]) => {
    const oneHot = tf.cast(tf.oneHot(tf.cast(labels!, 'int32'), classes), 'float32');
    // Rows without a class are 0 in both, and so count nowhere.
    const x = cast(tf.mul(rows!, tf.sum(oneHot, 1, true)), 'float64');
    const y = cast(oneHot, 'float64');
    const more = [product(x, x), product(x, y), columnSums(x), columnSums(y)];
    return [more.map((value, i) => rawOp('AddV2', [totals[i]!, value]))];
  });
  const solve = tracedOnce(runtime, 'probe_solve', [totals], ([gram, cross, featureSum, classSum]) => {
    const double = (value: number): Tensor => cast(tf.scalar(value), 'float64');
    const n = rawOp('Maximum', [rawOp('Sum', [classSum!, axis(0)], { keep_dims: false }), double(1)]);
    const [mean, prior] = [rawOp('RealDiv', [featureSum!, n]), rawOp('RealDiv', [classSum!, n])];
    const covariance = rawOp('Sub', [rawOp('RealDiv', [gram!, n]), outer(mean, mean)]);
    const shared = rawOp('Sub', [rawOp('RealDiv', [cross!, n]), outer(mean, prior)]);
    const variances = rawOp('MatrixDiagPart', [covariance]);
    const variance = rawOp('Mean', [variances, axis(0)], { keep_dims: false });
    // Where all features are constant there is nothing to solve, and the commonest class wins.
    const ridge = rawOp('AddV2', [rawOp('Mul', [variance, double(RIDGE)]), double(1e-30)]);
    const system = rawOp('MatrixSetDiag', [covariance, rawOp('AddV2', [variances, ridge])]);
    const weights = rawOp('MatrixSolve', [system, shared], { adjoint: false });
    const offset = rawOp('MatMul', [asRow(mean), weights], { transpose_a: false, transpose_b: false });
    const bias = rawOp('Sub', [asRow(prior), offset]);
    return [[cast(weights, 'float32'), cast(bias, 'float32')]];
  });
  return { add, solve };
}

const axis = (index: number): Tensor => tf.tensor1d([index], 'int32');

/** aᵀ·b */
function product(a: Tensor, b: Tensor): Tensor {
  return rawOp('MatMul', [a, b], { transpose_a: true, transpose_b: false });
}

function columnSums(x: Tensor): Tensor {
  return rawOp('Sum', [x, axis(0)], { keep_dims: false });
}

function asRow(vector: Tensor): Tensor {
  return rawOp('Reshape', [vector, tf.tensor1d([1, vector.size], 'int32')]);
}

function outer(a: Tensor, b: Tensor): Tensor {
  return product(asRow(a), asRow(b));
}

/** A chunk of a set's rows, filled up with zeros. */
function rowsOf({ features, dimension }: FeatureSet, from: number): Float32Array {
  const rows = new Float32Array(CHUNK * dimension);
  rows.set(features.subarray(from * dimension, (from + CHUNK) * dimension));
  return rows;
}
