/**
 * Times the trainer's own pre-training step with random weights and images, on the GPU if one is visible.
 * Arguments: ARCH BATCH SIZE THREADS PRECISION. Then a number of steps on each line of standard input, answered by a line of
 * JSON: {"milliseconds": [one a step]}.
 */
import { createInterface } from 'node:readline';
import { pretrainSchema } from '../api/pretrain.ts';
import { Runtime } from '../trainer/tensorflow/runtime.ts';
import { StepTrainer } from './step-trainer.ts';

const [arch, ...numbers] = process.argv.slice(2, 6);
const [batch, imageSize, threads] = numbers.map(Number) as [number, number, number];
const precision = process.argv[6] ?? 'fp32';

const runtime = Runtime.open({ threads });
const spec = pretrainSchema.parse({ arch, batchSize: batch, imageSize, precision });
const trainer = await StepTrainer.open(runtime, spec, batch);

for await (const line of createInterface({ input: process.stdin })) {
  const milliseconds: number[] = [];
  for (let i = 0; i < Number(line); i++) {
    const start = performance.now();
    await trainer.train();
    milliseconds.push(performance.now() - start);
  }
  console.log(JSON.stringify({ milliseconds }));
}
runtime.close();
