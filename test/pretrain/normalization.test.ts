import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { ablationSchema } from '../../api/ablation.ts';
import { pretrainSchema } from '../../api/pretrain.ts';
import { simSiam } from '../../trainer/model/simsiam.ts';
import { StateCodec } from '../../trainer/pretrain/state.ts';
import { metric, tracePretrainStep } from '../../trainer/pretrain/step.ts';
import { CounterRandom } from '../../trainer/random.ts';
import { Runtime } from '../../trainer/tensorflow/runtime.ts';
import { floatsOf } from '../support/arrays.ts';

/** No two channels alike, so that none can stand in for another. */
const normalize = { mean: [0.2, 0.5, 0.7], std: [0.1, 0.3, 0.6] };
const [batch, imageSize] = [4, 16];
const runtime = Runtime.open({ threads: 1 });
after(() => runtime.close());

const spec = {
  ...pretrainSchema.parse({ arch: 'resnet18', stem: 'cifar', zeroInitResidual: false, normalize }),
  ...{ width: 2, dim: 8, predictorDim: 4, ablation: ablationSchema.parse({}) },
};
const model = simSiam(spec);
const codec = new StateCodec(runtime, model);
const bytes = [0, 1].map((view) => {
  const random = new CounterRandom(1, view);
  return Uint8Array.from({ length: batch * imageSize ** 2 * 3 }, () => random.integer(256));
});

/** Weights, running statistics and loss after one step. */
async function stepOn(
  imageType: 'uint8' | 'float32',
  views: readonly ArrayBufferView[],
): Promise<ReadonlyMap<string, Float32Array>> {
  const step = tracePretrainStep({ runtime, model, spec, batch, imageSize, imageType });
  const view = { dtype: imageType, shape: [batch, imageSize, imageSize, 3] } as const;
  const controls = { spec: { dtype: 'float32', shape: [4] } as const, bytes: Float32Array.of(0.1, 0.1, 0, 0) };
  const state = await codec.initial(0);
  const images = runtime.tensors(views.map((bytes) => ({ spec: view, bytes })));
  const [trainable, momenta, statistics, figures] = await step.call([
    ...[state.trainable, state.momenta, state.statistics, state.frozen],
    ...[images, runtime.tensors([controls])],
  ]);
  const now = { trainable: trainable!, momenta: momenta!, statistics: statistics!, frozen: state.frozen };
  const { weights } = await codec.values(now);
  const metrics = await figures!.readFloats(0);
  step.dispose();
  const floats = [...weights].map(([name, values]) => [name, floatsOf(values)] as const);
  return new Map([...floats, ['loss', Float32Array.of(metrics[metric.loss]!)]]);
}

/** As the step must do it, each operation rounded to float32. */
function normalized(view: Uint8Array): Float32Array {
  const [mean, std] = [Float32Array.from(normalize.mean), Float32Array.from(normalize.std)];
  return Float32Array.from(view, (byte, i) => {
    const centred = Math.fround(Math.fround(byte / 255) - mean[i % 3]!);
    return Math.fround(centred / std[i % 3]!);
  });
}

test('a step on bytes is the step on the normalised numbers: weights, running statistics and loss', async () => {
  const [ofBytes, ofNumbers] = [await stepOn('uint8', bytes), await stepOn('float32', bytes.map(normalized))];
  assert.ok(ofNumbers.size > 100);
  assert.deepEqual(ofBytes, ofNumbers);
});
