import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import {
  initialProbe,
  isProbeTensor,
  probeFromTensors,
  probeSpecs,
  probeStep,
  probeTensors,
  type OnlineProbe,
} from '../../trainer/pretrain/online-probe.ts';
import { CounterRandom } from '../../trainer/random.ts';
import { Runtime, type TensorList } from '../../trainer/tensorflow/runtime.ts';

const runtime = Runtime.open({ threads: 1 });
after(() => runtime.close());

const probe: OnlineProbe = { dimension: 6, classes: 3, learningRate: 0.5, momentum: 0.9 };
const rows = 30;
const random = new CounterRandom(3);
const classOf = (i: number): number => i % 3;
/** A cloud around a corner for each class. */
const features = Float32Array.from({ length: rows * 6 }, (_, i) => {
  const noise = random.integer(100) / 500;
  return (i % 6 === classOf(Math.floor(i / 6)) ? 1 : 0) + noise;
});

const step = runtime.trace(
  'probe_test',
  [
    probeSpecs(probe),
    [
      { dtype: 'float32', shape: [rows, 6] },
      { dtype: 'int32', shape: [rows] },
    ],
  ],
  (state, [features, labels]) => [probeStep(probe, state, { features: features!, labels: labels! })],
);

async function train(state: TensorList, steps: number, labels: Int32Array): Promise<TensorList> {
  const batch = runtime.tensors([
    { spec: step.inputs[1]![0]!, bytes: features },
    { spec: step.inputs[1]![1]!, bytes: labels },
  ]);
  for (let i = 0; i < steps; i++) state = (await step.call([state, batch]))[0]!;
  return state;
}

async function hits(state: TensorList): Promise<number> {
  const [weight, bias] = [await state.readFloats(0), await state.readFloats(1)];
  let right = 0;
  for (let row = 0; row < rows; row++) {
    const scores = Array.from(bias, (b, c) =>
      features.subarray(row * 6, row * 6 + 6).reduce((sum, x, k) => sum + x * weight[k * 3 + c]!, b),
    );
    if (scores.indexOf(Math.max(...scores)) === classOf(row)) right += 1;
  }
  return right;
}

const labels = Int32Array.from({ length: rows }, (_, i) => classOf(i));

test('it learns classes, goes on from a checkpoint bit for bit, and images without a label count for nothing', async () => {
  const whole = await train(initialProbe(runtime, probe, 1), 40, labels);
  assert.equal(await hits(whole), rows);
  const half = await probeTensors(await train(initialProbe(runtime, probe, 1), 20, labels));
  // As a file gives them: at any address, and among the momenta of the network.
  const moved = half.map((tensor) => ({ ...tensor, bytes: Buffer.concat([Buffer.of(0), tensor.bytes]).subarray(1) }));
  const other = { name: 'encoder.conv1.weight', dtype: 'F32', shape: [1], bytes: new Uint8Array(4) } as const;
  const rest = await train(probeFromTensors(runtime, probe, [other, ...moved], 'here'), 20, labels);
  assert.deepEqual(await rest.readAll(), await whole.readAll());
  assert.deepEqual(half.map(isProbeTensor), [true, true, true, true]);
  assert.equal(isProbeTensor(other), false);
  const none = await train(initialProbe(runtime, probe, 1), 5, new Int32Array(rows).fill(-1));
  assert.deepEqual(await none.readAll(), await initialProbe(runtime, probe, 1).readAll());
});

test('a checkpoint of other classes, or without a probe, is refused by name', async () => {
  const tensors = await probeTensors(initialProbe(runtime, probe, 1));
  assert.throws(() => probeFromTensors(runtime, { ...probe, classes: 4 }, tensors, 'here'), {
    code: 'CHECKPOINT_MISMATCH',
    message: /^here\/optimizer\.safetensors is of another architecture: probe\.weight: F32 \[6, 4\] expected/,
  });
  assert.throws(() => probeFromTensors(runtime, probe, [], 'here'), /probe\.weight: .* expected, none found/);
});
