/**
 * One rank that makes pre-training steps on its part of a fixed batch. Arguments: rank, threads, then the addresses of
 * all ranks. Sends its {@link RankFigures} and ends.
 */
import { existsSync, readFileSync } from 'node:fs';

import { parseManifest } from '../../api/manifest.ts';
import { simSiam } from '../../trainer/model/simsiam.ts';
import { graphSpecs } from '../../trainer/model/state.ts';
import { Accumulation } from '../../trainer/pretrain/accumulation.ts';
import { toTensors } from '../../trainer/pretrain/checkpoint-tensors.ts';
import { trainLoop, type StepReport, type ViewsBatch } from '../../trainer/pretrain/loop.ts';
import { holdState, StateCodec, type PretrainState } from '../../trainer/pretrain/state.ts';
import { tracePretrainStep } from '../../trainer/pretrain/step.ts';
import { CounterRandom } from '../../trainer/random.ts';
import { Runtime } from '../../trainer/tensorflow/runtime.ts';
import { tinyRun } from '../rank/fixtures/tiny-run.ts';

/** Float32 values by the names of a checkpoint's tensors. */
export interface StepState {
  readonly weights: ReadonlyMap<string, Uint8Array>;
  readonly statistics: ReadonlyMap<string, Uint8Array>;
  readonly momenta: ReadonlyMap<string, Uint8Array>;
}

/** What a process takes of its machine. */
interface Footprint {
  readonly bytes: number;
  /** Threads; 0 where /proc doesn't tell. */
  readonly threads: number;
}

export interface RankFigures {
  readonly loss: number;
  readonly outputStd: number;
  /** After one step, with each of some batches. */
  readonly after: readonly StepState[];
  /** After the first of those steps once more from the same state. */
  readonly again: StepState;
  /** After the first steps of a warm-up, each of the batch in two parts. */
  readonly warmedUp: StepState;
  /** In force in those steps. */
  readonly warmUpRates: readonly number[];
  /** After some steps and after many more, with two ranks. */
  readonly footprints: readonly Footprint[];
}

/** After so many steps in all is looked at what the process takes. */
const looks = [60, 1060] as const;

/** Different ones: what they have in common isn't by chance. */
const batchSeeds = [1, 2, 3];
const batchSize = 16;
/** Of a batch that is accumulated. */
const parts = 2;
/** The first epoch, in which the learning rate grows. */
const warmUpSteps = 3;
const [rank, threads, ...addresses] = process.argv.slice(2) as [string, string, ...string[]];
const world = Math.max(1, addresses.length);
const changes = {
  pretrain: { width: 8, dim: 64, predictorDim: 16, zeroInitResidual: false, batchSize, learningRate: 0.8 },
  storage: 'nowhere',
};
const run = parseManifest(JSON.stringify(tinyRun(changes)), 'the tiny run');
const warmUp = { ...changes, pretrain: { ...changes.pretrain, accumulationSteps: parts, warmupEpochs: 1 } };
const warmUpRun = parseManifest(JSON.stringify(tinyRun(warmUp)), 'the tiny run');
const { imageSize, seed } = run.spec.pretrain;

const runtime = Runtime.open({
  threads: Number(threads),
  ...(world > 1 && { cluster: { rank: Number(rank), addresses } }),
  collective: { hint: 'ring', timeoutSeconds: 120 },
});
const model = simSiam(run.spec.pretrain);
const codec = new StateCodec(runtime, model);
const common = { runtime, model, spec: run.spec.pretrain, imageSize };
const step = tracePretrainStep({ ...common, batch: batchSize / world });
const ofPart = { ...common, batch: batchSize / world / parts, parts };
const lastPart = tracePretrainStep(ofPart);
const accumulation = new Accumulation(ofPart, graphSpecs(codec.groups.trainable));

/**
 * This rank's share of the images `from` up to `to` of the batch: noise, brighter from image to image, so that its halves
 * differ in their statistics.
 */
function viewOf(view: number, from = 0, to = batchSize, batchSeed = 1): Uint8Array {
  const pixels = imageSize * imageSize * 3;
  const random = new CounterRandom(batchSeed, view);
  const all = Uint8Array.from(
    { length: batchSize * pixels },
    (_, i) => random.integer(128) + 8 * Math.floor(i / pixels),
  );
  const own = (to - from) / world;
  const first = from + Number(rank) * own;
  return all.slice(first * pixels, (first + own) * pixels);
}
const views = [viewOf(0), viewOf(1)] as const;

async function* batches(): AsyncGenerator<ViewsBatch> {
  for (let i = 0; i < looks[1]; i++) yield { views };
}

async function* batchesInParts(): AsyncGenerator<ViewsBatch> {
  const size = batchSize / parts;
  for (let i = 0; i < warmUpSteps; i++)
    for (let from = 0; from < batchSize; from += size)
      yield { views: [viewOf(0, from, from + size), viewOf(1, from, from + size)] };
}

const contextOf = (of: typeof run) => ({ run: of, runtime, stop: new AbortController().signal, clock: () => 0 });

async function train(
  from: PretrainState,
  totalSteps: number,
  onStep: (report: StepReport) => void,
  how: Partial<Parameters<typeof trainLoop>[0]> = {},
): Promise<PretrainState> {
  const { state } = await trainLoop({
    context: contextOf(run),
    ...{ step, batches },
    plan: { stepsPerEpoch: looks[1], totalSteps },
    start: { state: from, step: 0 },
    checkpointDue: () => false,
    afterStep: (report) => Promise.resolve(onStep(report)),
    ...how,
  });
  return state;
}

async function valuesOf(state: PretrainState): Promise<StepState> {
  const { model: tensors, optimizer } = toTensors(model.entries, await codec.values(state), 0);
  const floats = tensors.filter(({ dtype }) => dtype === 'F32');
  const named = (list: typeof floats): StepState['weights'] => new Map(list.map(({ name, bytes }) => [name, bytes]));
  const isStatistic = ({ name }: { name: string }): boolean => name.includes('running_');
  return {
    weights: named(floats.filter((tensor) => !isStatistic(tensor))),
    statistics: named(floats.filter(isStatistic)),
    momenta: named([...optimizer]),
  };
}

function footprint(): Footprint {
  const status = existsSync('/proc/self/status') ? readFileSync('/proc/self/status', 'utf8') : '';
  return { bytes: process.memoryUsage.rss(), threads: Number(/^Threads:\s+(\d+)/m.exec(status)?.[1] ?? 0) };
}

const initial = await codec.initial(seed);
let first: StepReport | undefined;
const after: StepState[] = [];
for (const seed of batchSeeds) {
  const views = [0, 1].map((view) => viewOf(view, 0, batchSize, seed)) as [Uint8Array, Uint8Array];
  const batches = async function* (): AsyncGenerator<ViewsBatch> {
    yield { views };
  };
  const trained = await train(holdState(initial), 1, (report) => (first ??= report), { batches });
  after.push(await valuesOf(trained));
}
const again = await valuesOf(await train(holdState(initial), 1, () => {}));
const warmUpRates: number[] = [];
const inParts = {
  ...{ context: contextOf(warmUpRun), step: lastPart, batches: batchesInParts, accumulation },
  plan: { stepsPerEpoch: warmUpSteps, totalSteps: warmUpSteps },
};
const noteRate = ({ learningRate }: StepReport): void => void warmUpRates.push(learningRate);
const warmedUp = await valuesOf(await train(holdState(initial), warmUpSteps, noteRate, inParts));
const footprints: Footprint[] = [];
if (world > 1) {
  await train(holdState(initial), looks[1], ({ step }) => {
    if (step === looks[0]) footprints.push(footprint());
  });
  footprints.push(footprint());
}
const { loss, outputStd } = first!;
const figures: RankFigures = { loss, outputStd, after, again, warmedUp, warmUpRates, footprints };
process.send!(figures, () => process.exit(0));
