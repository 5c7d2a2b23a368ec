import { ablationSchema } from '../../api/ablation.ts';
import { simSiam } from '../../trainer/model/simsiam.ts';
import { groupEntries } from '../../trainer/model/state.ts';
import { StateCodec } from '../../trainer/pretrain/state.ts';
import { metric, tracePretrainStep } from '../../trainer/pretrain/step.ts';
import { CounterRandom } from '../../trainer/random.ts';
import { Runtime } from '../../trainer/tensorflow/runtime.ts';
import { goldenImages, goldenMomentum, goldenSigns, goldenWeights, readGolden } from '../support/goldens.ts';
import { bytesOf, floatsOf } from '../support/arrays.ts';

/**
 * One pre-training step from hash-made weights, against PyTorch in float64. Prints the deviation of every figure, in units
 * of the golden's tolerance. A program of its own, so that a mutated build can run it too.
 * Arguments: the golden's index; which pixels are moved by an ulp, 0 for none: it decides how ReLUs next to 0 fall.
 */
interface StepGolden {
  readonly arch: 'resnet18' | 'resnet50';
  readonly dim: number;
  readonly predictor_dim: number;
  readonly image_size: number;
  readonly batch: number;
  readonly lr: number;
  readonly predictor_lr: number;
  readonly weight_decay: number;
  readonly momentum: number;
  readonly seed: number;
  readonly state_dict: readonly [string, number[]][];
  readonly expected: Figures<[number, number]>;
  readonly tolerance: Figures<number>;
}

/**
 * The predictor's first batch norm follows one without shift, so its mean is 0 but for rounding: 1e-16 in the float64
 * reference, and about 1e-8 in PyTorch's own float32. A tolerance relative to such a norm says nothing.
 */
const ZERO = 1e-12;
const ZERO_TOLERANCE = 1e-6;

interface Figures<T> {
  readonly loss: number;
  readonly z1_std: number;
  readonly update: Record<string, T>;
  readonly running: Record<string, T>;
}

const [index = '0', nudge = '0'] = process.argv.slice(2);
const golden = readGolden<{ step: StepGolden[] }>('step.json').step[Number(index)]!;
const positions = new Map(golden.state_dict.map(([name], position) => [name, position]));
const ablation = ablationSchema.parse({});
const model = simSiam({
  arch: golden.arch,
  stem: 'imagenet',
  width: 64,
  zeroInitResidual: true,
  dim: golden.dim,
  predictorDim: golden.predictor_dim,
  projectorLayers: 3,
  ablation,
});
const names = model.entries.map(({ name, shape }) => `${name} ${shape.join('×')}`);
const expectedNames = golden.state_dict.map(([name, shape]) => `${name} ${shape.join('×')}`);
if (names.join() !== expectedNames.join()) throw new Error('the state has other entries than the golden');

const runtime = Runtime.open({ threads: 2 });
const codec = new StateCodec(runtime, model);
const groups = groupEntries(model.entries);
const weights = new Map(
  [...groups.trainable, ...groups.frozen, ...groups.statistics].map(({ name, shape }) => [
    name,
    goldenWeights(name, shape, positions.get(name)!, golden.seed),
  ]),
);
const momenta = new Map(
  groups.trainable.map(({ name }) => [
    name,
    bytesOf(goldenMomentum(weights.get(name)!.length, positions.get(name)!, golden.seed)),
  ]),
);
const state = await codec.build({
  weights: new Map([...weights].map(([name, values]) => [name, bytesOf(values)])),
  momenta,
});
const step = tracePretrainStep({
  runtime,
  model,
  spec: {
    momentum: golden.momentum,
    weightDecay: golden.weight_decay,
    precision: 'fp32',
    ablation,
    normalize: { mean: [0, 0, 0], std: [1, 1, 1] },
  },
  batch: golden.batch,
  imageSize: golden.image_size,
  imageType: 'float32',
});
const view = { dtype: 'float32', shape: [golden.batch, golden.image_size, golden.image_size, 3] } as const;
const images = runtime.tensors(
  [1000, 1002].map((stream) => ({
    spec: view,
    bytes: nudged(goldenImages(stream, golden.batch, golden.image_size, golden.seed)),
  })),
);
const controls = runtime.tensors([
  { spec: { dtype: 'float32', shape: [4] }, bytes: Float32Array.of(golden.lr, golden.predictor_lr, 0, 0) },
]);
const [trainable, momentaOut, statistics, figures] = await step.call([
  ...[state.trainable, state.momenta, state.statistics, state.frozen],
  images,
  controls,
]);
const after = await codec.values({
  trainable: trainable!,
  momenta: momentaOut!,
  statistics: statistics!,
  frozen: state.frozen,
});
const metrics = floatsOf(await figures!.read(0));

function nudged(images: Float32Array): Float32Array {
  if (nudge === '0') return images;
  const random = new CounterRandom(Number(nudge));
  return images.map((value) => value * (1 + (random.integer(3) - 1) * 2 ** -23));
}

const { expected, tolerance } = golden;
const deviations: [string, number][] = [
  ['loss', Math.abs(metrics[metric.loss]! - expected.loss) / tolerance.loss],
  ['z1_std', Math.abs(metrics[metric.outputStd]! - expected.z1_std) / tolerance.z1_std],
];
for (const [expectations, tolerances] of [
  [expected.update, tolerance.update],
  [expected.running, tolerance.running],
] as const) {
  for (const [place, [name, [norm, projection]]] of Object.entries(expectations).entries()) {
    const before = weights.get(name)!;
    const now = floatsOf(after.weights.get(name)!);
    const signs = goldenSigns(before.length, place);
    let [squares, sum] = [0, 0];
    before.forEach((value, i) => {
      const change = now[i]! - value;
      squares += change * change;
      sum += change * signs[i]!;
    });
    const off = Math.max(Math.abs(Math.sqrt(squares) - norm), Math.abs(sum - projection));
    deviations.push([name, off / (norm < ZERO ? ZERO_TOLERANCE : tolerances[name]! * norm)]);
  }
}
console.log(JSON.stringify(Object.fromEntries(deviations)));
runtime.close();
