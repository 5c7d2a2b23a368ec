import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { headStep, headSums, type HeadStepOptions } from '../../trainer/evaluate/linear-head.ts';
import { floatTensors } from '../../trainer/evaluate/tensors.ts';
import { layoutConverter } from '../../trainer/model/layout.ts';
import { resnet } from '../../trainer/model/resnet.ts';
import { byName, evaluationScope } from '../../trainer/model/scope.ts';
import { checkpointSpecs, groupEntries } from '../../trainer/model/state.ts';
import { Runtime, TensorList } from '../../trainer/tensorflow/runtime.ts';
import { tf } from '../../trainer/tensorflow/tfjs.ts';
import { goldenImages, goldenSigns, goldenWeights, readGolden } from '../support/goldens.ts';

interface LinearGolden {
  readonly classes: number;
  readonly image_size: number;
  readonly batch: number;
  readonly lr: number;
  readonly weight_decay: number;
  readonly momentum: number;
  readonly lars: boolean;
  readonly seed: number;
  readonly fc_weight_stream: number;
  readonly fc_bias_stream: number;
  readonly expected: { readonly loss: number; readonly update: Record<'weight' | 'bias', [number, number]> };
  readonly tolerance: { readonly loss: number; readonly update: Record<'weight' | 'bias', number> };
}

const goldens = readGolden<{ linear: LinearGolden[] }>('linear.json').linear;
const runtime = Runtime.open({ threads: 2 });
after(() => runtime.close());

const backbone = resnet({ arch: 'resnet18', stem: 'imagenet', width: 64, zeroInitResidual: true }, 'encoder.');
const groups = groupEntries(backbone.entries);
const entries = [...groups.trainable, ...groups.statistics];

const DIMENSION = 512;

/** What the hash-made backbone in eval mode makes of the golden's images: [batch, 512]. */
async function featuresOf({ batch, image_size: size, seed }: LinearGolden): Promise<Float32Array> {
  const position = new Map(backbone.entries.map(({ name }, i) => [name, i]));
  const values = entries.map(({ name, shape }) => goldenWeights(name, shape, position.get(name)!, seed));
  const list = runtime.tensors(checkpointSpecs(entries).map((spec, i) => ({ spec, bytes: values[i]! })));
  const trainable = groups.trainable.length;
  const convert = layoutConverter(runtime, 'golden', groups.trainable, 'toGraph');
  const [converted] = await convert.call([list.slice(0, trainable)]);
  const state = TensorList.concat([converted!, list.slice(trainable)]);
  const images = floatTensors(runtime, [
    { shape: [batch, size, size, 3], values: goldenImages(2000, batch, size, seed) },
  ]);
  const apply = runtime.trace('golden_features', [state.specs, images.specs], (tensors, [images]) => [
    [...backbone.apply(evaluationScope(byName(entries, tensors), 'float32'), [images!])],
  ]);
  const [features] = await apply.call([state, images]);
  return features!.readFloats(0);
}

/** Row-major [out, in] → [in, out], which is its own inverse with the sizes swapped. */
function transposed(values: Float32Array, rows: number): Float32Array {
  const columns = values.length / rows;
  return values.map((_, i) => values[(i % rows) * columns + Math.floor(i / rows)]!);
}

/** Deviations of a step from the golden in units of its tolerances. */
async function deviations(
  golden: LinearGolden,
  features: Float32Array,
  changes: Partial<HeadStepOptions> = {},
): Promise<[loss: number, weight: number, bias: number]> {
  const { classes, batch, seed } = golden;
  const weight = goldenWeights('fc.weight', [classes, DIMENSION], golden.fc_weight_stream, seed);
  const bias = goldenWeights('fc.bias', [classes], golden.fc_bias_stream, seed);
  const given = floatTensors(runtime, [
    { shape: [batch, DIMENSION], values: features },
    { shape: [DIMENSION, classes], values: transposed(weight, classes) },
    { shape: [classes], values: bias },
  ]);
  const labels = Array.from({ length: batch }, (_, i) => i % classes);
  const step = runtime.trace('golden_linear', [given.specs], ([features, weight, bias]) => {
    const input = {
      features: features!,
      labels: tf.tensor1d(labels, 'int32'),
      mask: tf.ones([batch]),
      head: [weight!, bias!],
      momenta: [tf.zerosLike(weight!), tf.zerosLike(bias!)],
      learningRate: tf.scalar(golden.lr),
      signal: tf.scalar(0),
    } as const;
    const { momentum, weight_decay: weightDecay } = golden;
    const { parameters, sums } = headStep(input, {
      optimizer: golden.lars ? 'lars' : 'sgd',
      momentum,
      weightDecay,
      ...changes,
    });
    return [[sums, ...parameters]];
  });
  const [outputs] = await step.call([given]);
  const sums = await outputs!.readFloats(0);
  const loss = sums[headSums.loss]! / sums[headSums.count]!;
  const updated = {
    weight: transposed(await outputs!.readFloats(1), DIMENSION),
    bias: await outputs!.readFloats(2),
  };
  // The signs that reduce an update to one number go by the position among the head's own two tensors.
  const off = (name: 'weight' | 'bias', before: Float32Array, position: number): number => {
    const signs = goldenSigns(before.length, position);
    const change = before.map((value, i) => updated[name][i]! - value);
    const [norm, projection] = golden.expected.update[name];
    const deviation = Math.max(
      Math.abs(Math.hypot(...change) - norm),
      Math.abs(change.reduce((sum, x, i) => sum + x * signs[i]!, 0) - projection),
    );
    return deviation / norm / golden.tolerance.update[name];
  };
  return [
    Math.abs(loss - golden.expected.loss) / golden.tolerance.loss,
    off('weight', weight, 0),
    off('bias', bias, 1),
  ];
}

for (const golden of goldens) {
  const optimizer = golden.lars ? 'lars' : 'sgd';

  test(`a step of linear evaluation with ${optimizer} is PyTorch's, and one by another recipe is not`, async () => {
    const features = await featuresOf(golden);
    const right = await deviations(golden, features);
    assert.ok(
      right.every((deviation) => deviation <= 1),
      `${right.join()} tolerances`,
    );
    const others: Partial<HeadStepOptions>[] = [{ weightDecay: 0 }, { optimizer: golden.lars ? 'sgd' : 'lars' }];
    for (const changes of others) {
      const [, weight, bias] = await deviations(golden, features, changes);
      assert.ok(weight > 1 && bias > 1, `${JSON.stringify(changes)}: ${weight}, ${bias} tolerances`);
    }
  });
}
