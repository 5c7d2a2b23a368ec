/**
 * Times the trainer's own pre-training step with random weights and images, on the GPU if one is visible.
 * Arguments: ARCH BATCH SIZE THREADS PRECISION. Then a number of steps on each line of standard input, answered by a line of
 * JSON: {"milliseconds": [one a step]}.
 */
import { createInterface } from 'node:readline';
import { pretrainSchema } from '../api/pretrain.ts';
import { simSiam } from '../trainer/model/simsiam.ts';
import { disposeTrained, StateCodec } from '../trainer/pretrain/state.ts';
import { metric, tracePretrainStep } from '../trainer/pretrain/step.ts';
import { CounterRandom } from '../trainer/random.ts';
import { Runtime } from '../trainer/tensorflow/runtime.ts';

const [arch, ...numbers] = process.argv.slice(2, 6);
const [batch, imageSize, threads] = numbers.map(Number) as [number, number, number];
const precision = process.argv[6] ?? 'fp32';

const spec = pretrainSchema.parse({ arch, batchSize: batch, imageSize, precision });
const model = simSiam(spec);
const runtime = Runtime.open({ threads });
const codec = new StateCodec(runtime, model);
const step = tracePretrainStep({
  runtime,
  model,
  spec,
  batch,
  imageSize,
});
const random = new CounterRandom(0);
const view = { dtype: 'uint8', shape: [batch, imageSize, imageSize, 3] } as const;
const pixels = (): Uint8Array => Uint8Array.from({ length: batch * imageSize ** 2 * 3 }, () => random.integer(256));
const views = runtime.tensors([0, 1].map(() => ({ spec: view, bytes: pixels() })));
const rate = (0.05 * batch) / 256;
const controls = runtime.tensors([
  { spec: { dtype: 'float32', shape: [4] }, bytes: Float32Array.of(rate, rate, 0, 0) },
]);
let state = await codec.initial(0);

/** One step to the loss on the host, as in training. Answers milliseconds. */
async function timeStep(): Promise<number> {
  const start = performance.now();
  const [trainable, momenta, statistics, figures] = await step.call([
    ...[state.trainable, state.momenta, state.statistics, state.frozen],
    views,
    controls,
  ]);
  const loss = new DataView((await figures!.read(0)).buffer).getFloat32(metric.loss * 4, true);
  const elapsed = performance.now() - start;
  if (!Number.isFinite(loss)) throw new Error(`the loss is ${loss}`);
  disposeTrained(state);
  figures!.dispose();
  state = { ...state, trainable: trainable!, momenta: momenta!, statistics: statistics! };
  return elapsed;
}

for await (const line of createInterface({ input: process.stdin })) {
  const milliseconds: number[] = [];
  for (let i = 0; i < Number(line); i++) milliseconds.push(await timeStep());
  console.log(JSON.stringify({ milliseconds }));
}
runtime.close();
