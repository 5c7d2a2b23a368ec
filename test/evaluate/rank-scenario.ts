import { measureEffectiveRank } from '../../trainer/evaluate/effective-rank.ts';
import { extractFeatures } from '../../trainer/evaluate/features.ts';
import { knnAccuracy } from '../../trainer/evaluate/knn.ts';
import { evaluateLinearly, type LinearEvaluationOptions } from '../../trainer/evaluate/linear-evaluation.ts';
import { initialHead } from '../../trainer/evaluate/linear-head.ts';
import { initialLinearState, type LinearRecord } from '../../trainer/evaluate/linear-state.ts';
import { outputMoments, outputStd } from '../../trainer/evaluate/output-std.ts';
import { floatTensors } from '../../trainer/evaluate/tensors.ts';
import { CounterRandom } from '../../trainer/random.ts';
import { allReduceSum, world } from '../../trainer/tensorflow/collectives.ts';
import type { Runtime } from '../../trainer/tensorflow/runtime.ts';
import { batches, imageSize, loader, lookup, normals } from './support.ts';

const classes = 5;
const dimension = 16;
const trainSize = 45;
const validationSize = 19;
/** Of all ranks together; neither set is a multiple of it. */
const globalBatch = 8;
const labelOf = (index: number): number => index % classes;

/** What all evaluations give on one set of features, however many ranks share the work. */
export interface RankFigures {
  readonly bank: readonly number[];
  readonly bankLabels: readonly number[];
  readonly ownQueries: number;
  readonly knn: { readonly top1: number; readonly queries: number };
  readonly effectiveRank: { readonly effectiveRank: number; readonly samples: number; readonly limit: number };
  readonly outputStd: number;
  readonly linear: { readonly records: readonly LinearRecord[]; readonly weight: readonly number[] };
  readonly stopped: { readonly outcome: string; readonly epoch: number; readonly step: number };
}

export async function rankFigures(runtime: Runtime): Promise<RankFigures> {
  const random = new CounterRandom(11);
  const centres = normals(random, classes * dimension);
  const table = normals(random, (trainSize + validationSize) * dimension, 1.2).map(
    (x, i) => x + centres[labelOf(Math.floor(i / dimension)) * dimension + (i % dimension)]!,
  );
  const extractor = lookup(runtime, table, dimension);
  const batchSize = globalBatch / runtime.world;
  const shape = { batchSize, imageSize };
  const share = { batchSize, rank: runtime.rank, world: runtime.world };
  const trainOrder = new CounterRandom(12).permutation(trainSize);
  const validationOrder = Array.from({ length: validationSize }, (_, i) => trainSize + i);
  const train = () => loader(trainOrder, labelOf, share);
  const validation = () => loader(validationOrder, labelOf, share);
  const common = { runtime, extractor, shape };

  const bank = await extractFeatures({ ...common, loader: train(), of: 'all' });
  const queries = await extractFeatures({ ...common, loader: validation(), of: 'own' });
  const knn = await knnAccuracy({ runtime, bank, classes, k: 7, temperature: 0.1 }, queries);
  const effectiveRank = await measureEffectiveRank({ ...common, loader: train() });

  const options: LinearEvaluationOptions = {
    ...common,
    classes,
    trainShape: shape,
    evaluationShape: shape,
    optimizer: 'lars',
    momentum: 0.9,
    weightDecay: 1e-3,
    train: {
      stepsPerEpoch: Math.ceil(trainSize / globalBatch),
      async *epoch(epoch, fromStep = 0) {
        const order = new CounterRandom(13, epoch).permutation(trainSize);
        yield* [...batches(order, labelOf, share)].slice(fromStep);
      },
    },
    validation,
    epochs: 3,
    learningRate: 30,
    from: initialLinearState(initialHead(dimension, classes, new CounterRandom(14))),
    clock: () => 0,
    stopRequested: () => false,
  };
  const records: LinearRecord[] = [];
  const linear = await evaluateLinearly({ ...options, onEpoch: async (record) => void records.push(record) });
  // Only the last rank is asked to stop, at its ninth step.
  let asked = 0;
  const stopRequested = (): boolean => ++asked === 9 && runtime.rank === runtime.world - 1;
  const stopped = await evaluateLinearly({ ...options, stopRequested });

  return {
    bank: [...bank.features],
    bankLabels: [...bank.labels],
    ownQueries: queries.size,
    knn,
    effectiveRank,
    outputStd: await measureOutputStd(runtime, table.subarray(0, 32 * dimension)),
    linear: { records, weight: [...linear.state.head.weight] },
    stopped: { outcome: stopped.outcome, epoch: stopped.state.epoch, step: stopped.state.step },
  };
}

async function measureOutputStd(runtime: Runtime, z: Float32Array): Promise<number> {
  const length = z.length / runtime.world;
  const rows = length / dimension;
  const own = z.subarray(runtime.rank * length, (runtime.rank + 1) * length);
  const input = floatTensors(runtime, [{ shape: [rows, dimension], values: own }]);
  const measure = runtime.trace('output_std', [input.specs], ([z]) => [
    [outputStd(allReduceSum(outputMoments(z!)), rows, world())],
  ]);
  const [result] = await measure.call([input]);
  return (await result!.readFloats(0))[0]!;
}
