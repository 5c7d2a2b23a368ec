import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { cpuBatchNorm } from '../../trainer/model/layers/cpu-batch-norm.ts';
import { xlaBatchNorm } from '../../trainer/model/layers/xla-batch-norm.ts';
import { CounterRandom } from '../../trainer/random.ts';
import { cast } from '../../trainer/tensorflow/raw-op.ts';
import { Runtime } from '../../trainer/tensorflow/runtime.ts';

const [ROWS, CHANNELS] = [4 * 6 * 6, 3];
const EPSILON = 1e-5;
const runtime = Runtime.open({ threads: 2 });
after(() => runtime.close());

const random = new CounterRandom(1);
const noise = (): Float32Array => Float32Array.from({ length: ROWS * CHANNELS }, () => random.uniform() * 2 - 1);
const noisy = noise();
/** One mean for each channel. */
const around = (...means: number[]): Float32Array => noisy.map((value, i) => value + means[i % CHANNELS]!);
const dy = noise();
const [scale, slope, offset] = [
  [1, 0.5, 2],
  [0.1, -0.2, 0.3],
  [0.5, 0, -0.5],
].map((values) => Float32Array.from(values)) as [Float32Array, Float32Array, Float32Array];

/** In float64, from the definition. */
function expected(x: Float32Array): Record<'mean' | 'variance' | 'dScale' | 'dShift' | 'dx', number[]> {
  const ofChannel = (c: number, f: (row: number) => number): number =>
    Array.from({ length: ROWS }, (_, row) => f(row * CHANNELS + c)).reduce((a, b) => a + b, 0);
  const each = (f: (c: number) => number): number[] => Array.from({ length: CHANNELS }, (_, c) => f(c));
  const mean = each((c) => ofChannel(c, (i) => x[i]!) / ROWS);
  const variance = each((c) => ofChannel(c, (i) => (x[i]! - mean[c]!) ** 2) / ROWS);
  const inverse = each((c) => 1 / Math.sqrt(variance[c]! + EPSILON));
  return {
    mean,
    variance,
    dScale: each((c) => ofChannel(c, (i) => dy[i]! * (x[i]! - mean[c]!)) * inverse[c]!),
    dShift: each((c) => ofChannel(c, (i) => dy[i]!)),
    dx: Array.from(dy, (value, i) => {
      const c = i % CHANNELS;
      return value * scale[c]! * inverse[c]! + slope[c]! * (x[i]! - mean[c]!) + offset[c]!;
    }),
  };
}

for (const local of [cpuBatchNorm, xlaBatchNorm]) {
  describe(`batch norm of one view by the kernels for ${local.name}`, () => {
    for (const [type, inputs, tolerance] of [
      // The last channel's mean is a thousand times its spread: E[x²] − mean² would say nothing about its variance.
      ['float32', around(0, 1, 1000), 2e-4],
      ['bfloat16', around(0, 1, -1), 0.02],
    ] as const) {
      test(`${type}: moments, sums of the gradient, and the gradient by x`, async () => {
        const image = { dtype: 'float32', shape: [4, 6, 6, CHANNELS] } as const;
        const vector = { dtype: 'float32', shape: [CHANNELS] } as const;
        const traced = runtime.trace(
          `${local.name}_${type}`,
          [[image, image, vector, vector, vector]],
          ([x, dy, scale, slope, offset]) => {
            const [input, gradient] = [cast(x!, type), cast(dy!, type)];
            const { moments, workspace } = local.forward(input, scale!, scale!);
            const { dScale, dShift, dx } = local.backward({
              dy: gradient,
              x: input,
              scale: scale!,
              shift: offset!,
              moments,
              workspace,
              relu: false,
            });
            return [[moments.mean, moments.variance, dScale, dShift, cast(dx(slope!, offset!), 'float32')]];
          },
        );
        const wanted = expected(inputs);
        const list = runtime.tensors([
          { spec: image, bytes: inputs },
          { spec: image, bytes: dy },
          ...[scale, slope, offset].map((bytes) => ({ spec: vector, bytes })),
        ]);
        const [outputs] = await traced.call([list]);
        const names = ['mean', 'variance', 'dScale', 'dShift', 'dx'] as const;
        assert.ok(outputs);
        for (const [i, name] of names.entries()) {
          const values = await outputs.readFloats(i);
          assert.equal(values.length, wanted[name].length);
          for (const [at, value] of wanted[name].entries()) {
            const error = Math.abs(values[at]! - value) / Math.max(1, Math.abs(value));
            assert.ok(error < tolerance, `${name}[${at}] is ${values[at]} instead of ${value}`);
          }
        }
      });
    }
  });
}
