import { allReduceSum } from '../tensorflow/collectives.ts';
import { cast, rawOp, rawOps } from '../tensorflow/raw-op.ts';
import type { Runtime, TensorSpec } from '../tensorflow/runtime.ts';
import { tf, type Tensor } from '../tensorflow/tfjs.ts';
import type { BatchShape, LabelledBatch } from './batches.ts';
import { DivergedError } from './errors.ts';
import type { FeatureExtractor } from './extractor.ts';
import { disposing, imageSpec } from './tensors.ts';
import { tracedOnce } from './traced-once.ts';

/** What the effective rank depends on besides the representation, so it is reported with it. */
export interface EffectiveRank {
  /** Between 1 and `limit`; 0 when every embedding is zero. */
  readonly effectiveRank: number;
  /** Embeddings of all ranks. */
  readonly samples: number;
  /** The largest value there could be: min(samples, dimension). */
  readonly limit: number;
}

/** So many embeddings a dimension are enough for the spectrum, and more cost more. */
const SAMPLES_PER_DIMENSION = 4;

/** How many images of the training set the rank is measured on. */
export function effectiveRankSamples(dimension: number, trainingSet: number): number {
  return Math.min(SAMPLES_PER_DIMENSION * dimension, trainingSet);
}

/**
 * RankMe (Garrido et al. 2023): exp of the entropy of the singular values of the embeddings Z [N, d], divided by their
 * sum. Neither centred nor at length 1.
 *
 * @param eigenvalues Those of ZᵀZ, the squares of the singular values. What float64 can't tell from zero is zero.
 */
export function rankOfSpectrum(eigenvalues: Float64Array): number {
  const largest = eigenvalues.reduce((a, b) => Math.max(a, b), 0);
  if (Number.isNaN(largest)) return NaN;
  const resolution = largest * eigenvalues.length * Number.EPSILON;
  const singular = eigenvalues.map((value) => (value > resolution ? Math.sqrt(value) : 0));
  const sum = singular.reduce((a, b) => a + b, 0);
  if (sum === 0) return 0;
  const entropy = singular.reduce((total, value) => total - (value > 0 ? (value / sum) * Math.log(value / sum) : 0), 0);
  return Math.exp(entropy);
}

/**
 * The effective rank of an extractor's output, from a Gram matrix in float64 that the ranks add up: d² numbers,
 * whatever the number of images.
 *
 * @throws DivergedError when an output is infinite or NaN.
 */
export async function measureEffectiveRank(options: {
  readonly runtime: Runtime;
  /** z in eval mode, before normalisation. */
  readonly extractor: FeatureExtractor;
  /** This rank's share of the images. */
  readonly loader: AsyncIterable<LabelledBatch>;
  readonly shape: BatchShape;
  /** After each batch, to show that a long evaluation is alive. */
  readonly onBatch?: (() => void) | undefined;
}): Promise<EffectiveRank> {
  const { runtime, extractor, loader, shape } = options;
  const { dimension } = extractor;
  const images = imageSpec(shape);
  const mask: TensorSpec = { dtype: 'float32', shape: [shape.batchSize] };
  const totals: TensorSpec[] = [
    { dtype: 'float64', shape: [dimension, dimension] },
    { dtype: 'float64', shape: [] },
  ];
  const add = tracedOnce(
    runtime,
    `effective_rank_${extractor.name}_add`,
    [extractor.state.specs, totals, [images, mask]],
    (state, [gram, samples], [images, mask]) => {
      const [more, count] = gramOf(extractor.features(state, images!), mask!);
      return [[rawOp('AddV2', [gram!, more]), rawOp('AddV2', [samples!, count])]];
    },
  );
  const finish = tracedOnce(runtime, 'effective_rank_spectrum', [totals], (totals) => {
    const [gram, samples] = allReduceSum(totals);
    const total = rawOp('Sum', [gram!, tf.tensor1d([0, 1], 'int32')], { keep_dims: false });
    // The decomposition fails on what isn't finite: it is told below instead.
    const decomposable = rawOp('SelectV2', [rawOp('IsFinite', [total]), gram!, rawOp('ZerosLike', [gram!])]);
    return [[rawOps('SelfAdjointEigV2', [decomposable], { compute_v: false }, 1)[0]!, samples!, total]];
  });
  return disposing(async (keep) => {
    let sums = runtime.tensors(
      totals.map((spec) => ({ spec, bytes: new Float64Array(spec.shape.reduce((a, b) => a * b, 1)) })),
    );
    for await (const batch of loader) {
      sums = await disposing(async (keep) => {
        const input = runtime.tensors([
          { spec: images, bytes: batch.images },
          { spec: mask, bytes: Float32Array.from(batch.mask) },
        ]);
        return (await add.call([extractor.state, keep(sums), keep(input)]))[0]!;
      });
      options.onBatch?.();
    }
    const [result] = await finish.call([keep(sums)]);
    const [eigenvalues, count, total] = (await keep(result!).readAll()).map(asDoubles);
    if (!Number.isFinite(total![0])) {
      throw new DivergedError('pretrain: outputs in evaluation mode are no longer finite: lower pretrain.learningRate');
    }
    const samples = count![0]!;
    return { effectiveRank: rankOfSpectrum(eigenvalues!), samples, limit: Math.min(samples, dimension) };
  });
}

/** ZᵀZ and the number of rows, without padding, float64. z: float32 [n, d]. */
function gramOf(z: Tensor, mask: Tensor): [Tensor, Tensor] {
  const rows = cast(tf.mul(z, tf.expandDims(mask, 1)), 'float64');
  return [rawOp('MatMul', [rows, rows], { transpose_a: true, transpose_b: false }), cast(tf.sum(mask), 'float64')];
}

function asDoubles(bytes: Uint8Array): Float64Array {
  return new Float64Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / Float64Array.BYTES_PER_ELEMENT);
}
