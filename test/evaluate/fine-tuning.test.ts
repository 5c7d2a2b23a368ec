import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { pretrainSchema } from '../../api/pretrain.ts';
import { traceFineTuning } from '../../trainer/evaluate/fine-tuning.ts';
import { controls, labelledSpecs, type Trained } from '../../trainer/evaluate/linear-functions.ts';
import { headSums, initialHead } from '../../trainer/evaluate/linear-head.ts';
import { initialBackbone, initialLinearState, trainedOf } from '../../trainer/evaluate/linear-state.ts';
import { backboneExtractor } from '../../trainer/evaluate/network-extractor.ts';
import { simSiam } from '../../trainer/model/simsiam.ts';
import { StateCodec } from '../../trainer/pretrain/state.ts';
import { CounterRandom } from '../../trainer/random.ts';
import { Runtime, type TensorList } from '../../trainer/tensorflow/runtime.ts';

const runtime = Runtime.open({ threads: 1 });
after(() => runtime.close());

const [classes, slots, images, imageSize] = [3, 8, 6, 8];
const spec = pretrainSchema.parse({
  ...{ arch: 'resnet18', stem: 'cifar', width: 4, dim: 16, predictorDim: 4, zeroInitResidual: false, imageSize },
});

async function prepared() {
  const model = simSiam(spec);
  const extractor = backboneExtractor({ model, spec, state: await new StateCodec(runtime, model).initial(1) });
  const shape = { batchSize: slots, imageSize };
  const functions = traceFineTuning(
    {
      ...{ runtime, extractor, classes, trainShape: shape, evaluationShape: shape },
      ...{ optimizer: 'sgd', momentum: 0, weightDecay: 0 },
    },
    extractor.backbone!,
  );
  const random = new CounterRandom(2);
  const start: Trained = trainedOf(runtime, {
    ...initialLinearState(initialHead(extractor.dimension, classes, random)),
    backbone: initialBackbone(runtime, extractor.backbone!),
  });
  const pixels = Uint8Array.from({ length: slots * imageSize * imageSize * 3 }, () => random.integer(256));
  const batch = (mask: readonly number[]): TensorList => {
    const bytes = [pixels, Int32Array.from({ length: slots }, (_, i) => i % classes), Float32Array.from(mask)] as const;
    return runtime.tensors(labelledSpecs(shape).map((spec, i) => ({ spec, bytes: bytes[i]! })));
  };
  /** A step from `trained` by these rates: what follows, and the mean loss before it. */
  const step = async (trained: Trained, rates: readonly [number, number], mask = shown) => {
    const scalars = [...rates, 0].map((value, i) => ({ spec: controls[i]!, bytes: Float32Array.of(value) }));
    const lists = [trained.parameters, trained.momenta, trained.statistics];
    const outputs = await functions.step.call([functions.constants, ...lists, batch(mask), runtime.tensors(scalars)]);
    const [parameters, momenta, statistics, results] = outputs as [TensorList, TensorList, TensorList, TensorList];
    const sums = await results.readFloats(0);
    return { trained: { parameters, momenta, statistics }, loss: sums[headSums.loss]! / sums[headSums.count]! };
  };
  return { start, step, extractor };
}

const shown = Array.from({ length: slots }, (_, i) => (i < images ? 1 : 0));

async function valuesOf(list: TensorList): Promise<Float32Array[]> {
  return (await list.readAll()).map((bytes) => new Float32Array(bytes.buffer));
}

/** Sum of the squares of what changed. */
function squaredDistance(a: readonly Float32Array[], b: readonly Float32Array[]): number {
  return a.reduce((sum, values, i) => sum + values.reduce((inner, x, j) => inner + (x - b[i]![j]!) ** 2, 0), 0);
}

test('a step goes down the mean loss of the images that count, by the slope that it has', async () => {
  const { start, step } = await prepared();
  for (const [head, backbone] of [
    [0, 1e-4],
    [1e-4, 0],
  ] as const) {
    const moved = await step(start, [head, backbone]);
    const after = await step(moved.trained, [0, 0]);
    const [before, now] = [await valuesOf(start.parameters), await valuesOf(moved.trained.parameters)];
    // A step of rate·g changes the loss by −rate·|g|², to first order: the gradient's direction, length and mean.
    const expected = squaredDistance(before, now) / 1e-4;
    const fallen = moved.loss - after.loss;
    assert.ok(expected > 1e-6, `${expected}`);
    assert.ok(Math.abs(fallen - expected) < 0.05 * expected, `fell by ${fallen}, the slope says ${expected}`);
    const still = (from: number, to?: number): number => squaredDistance(before.slice(from, to), now.slice(from, to));
    assert.equal(head === 0 ? still(0, 2) : still(2), 0, 'each rate is of its own part');
  }
});

test('padding counts for nothing but batch norm, whose statistics move by all slots', async () => {
  const { start, step, extractor } = await prepared();
  const [part, whole] = [
    await step(start, [0, 0]),
    await step(
      start,
      [0, 0],
      shown.map(() => 1),
    ),
  ];
  assert.notEqual(part.loss, whole.loss);
  assert.deepEqual(await valuesOf(part.trained.statistics), await valuesOf(whole.trained.statistics));
  const before = await valuesOf(start.statistics);
  (await valuesOf(part.trained.statistics)).forEach((values, i) => {
    assert.notDeepEqual(values, before[i], extractor.backbone!.statistics[i]!.name);
  });
});
