/**
 * The fastest that TensorFlow's library computes on this machine: the best of some matrix products and convolutions.
 * Arguments: THREADS PRECISION. Then a number of runs on each line of standard input, answered by a line of JSON:
 * {"milliseconds": [that 10¹² operations would take, one a run]}.
 */
import { createInterface } from 'node:readline';
import { rawOp } from '../trainer/tensorflow/raw-op.ts';
import { Runtime, type TensorSpec } from '../trainer/tensorflow/runtime.ts';
import { elementCount } from '../trainer/tensorflow/tensor-spec.ts';

interface Kernel {
  readonly op: 'MatMul' | 'Conv2D';
  readonly shapes: readonly [readonly number[], readonly number[]];
  /** Multiplications and additions. */
  readonly operations: number;
}

const product = (n: number): Kernel => {
  const shape = [n, n];
  return { op: 'MatMul', shapes: [shape, shape], operations: 2 * n ** 3 };
};
const convolution = (kernel: number, side: number, inputs: number, outputs: number): Kernel => {
  const images = 16;
  const shapes = [
    [images, side, side, inputs],
    [kernel, kernel, inputs, outputs],
  ] as const;
  return { op: 'Conv2D', shapes, operations: 2 * images * side ** 2 * kernel ** 2 * inputs * outputs };
};
const kernels: readonly Kernel[] = [
  product(1024),
  product(2048),
  convolution(3, 56, 64, 64),
  convolution(3, 28, 128, 128),
  convolution(3, 14, 256, 256),
  convolution(1, 56, 64, 256),
  convolution(1, 14, 1024, 1024),
];
const attributes = {
  MatMul: {},
  Conv2D: { strides: [1, 1, 1, 1], padding: 'SAME', data_format: 'NHWC', dilations: [1, 1, 1, 1] },
} as const;

const [threads = '1', precision = 'fp32'] = process.argv.slice(2);
const runtime = Runtime.open({ threads: Number(threads) });

/** Runs the kernel and answers what 10¹² operations would take, in milliseconds. */
function prepare({ op, shapes, operations }: Kernel, index: number): () => Promise<number> {
  const specs = shapes.map((shape): TensorSpec => ({ dtype: precision === 'bf16' ? 'bfloat16' : 'float32', shape }));
  const traced = runtime.trace(`peak_${index}`, [specs], (inputs = []) => [[rawOp(op, inputs, attributes[op])]]);
  const values = specs.map((spec) => {
    const count = elementCount(spec.shape);
    const ones = spec.dtype === 'bfloat16' ? new Uint16Array(count).fill(0x3f80) : new Float32Array(count).fill(1);
    return { spec, bytes: ones };
  });
  const inputs = runtime.tensors(values);
  return async () => {
    const start = performance.now();
    const [output] = await traced.call([inputs]);
    const milliseconds = performance.now() - start;
    output!.dispose();
    return (milliseconds * 1e12) / operations;
  };
}

const WARM_UP = 4;
let best: (() => Promise<number>) | undefined;
let least = Infinity;
for (const [index, kernel] of kernels.entries()) {
  const run = prepare(kernel, index);
  await run();
  for (let i = 0; i < WARM_UP; i++) {
    const time = await run();
    if (time < least) [least, best] = [time, run];
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const milliseconds: number[] = [];
  for (let i = 0; i < Number(line); i++) milliseconds.push(await best!());
  console.log(JSON.stringify({ milliseconds }));
}
runtime.close();
