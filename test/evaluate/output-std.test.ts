import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { healthyOutputStd } from '../../trainer/evaluate/collapse.ts';
import { outputMoments, outputStd } from '../../trainer/evaluate/output-std.ts';
import { floatTensors } from '../../trainer/evaluate/tensors.ts';
import { CounterRandom } from '../../trainer/random.ts';
import { Runtime } from '../../trainer/tensorflow/runtime.ts';
import { tf } from '../../trainer/tensorflow/tfjs.ts';
import { close, normals } from './support.ts';

const runtime = Runtime.open({ threads: 1 });
after(() => runtime.close());

/** The std of a batch that `world` ranks share; the ranks' sum is made here by hand. */
async function measured(z: Float32Array, dimension: number, world: number): Promise<number> {
  const rows = z.length / dimension / world;
  const input = floatTensors(runtime, [{ shape: [rows * world, dimension], values: z }]);
  const traced = runtime.trace('test_output_std', [input.specs], ([z]) => {
    const parts = tf.split(z!, world, 0).map((part) => outputMoments(part));
    const sums = [0, 1, 2].map((k) => tf.addN(parts.map((part) => part[k]!)));
    return [[outputStd(sums, rows, world)]];
  });
  const [result] = await traced.call([input]);
  traced.dispose();
  return (await result!.readFloats(0))[0]!;
}

function reference(z: Float32Array, dimension: number): number {
  const rows = Array.from({ length: z.length / dimension }, (_, i) => {
    const row = [...z.subarray(i * dimension, (i + 1) * dimension)];
    const length = Math.sqrt(row.reduce((sum, x) => sum + x * x, 0));
    return row.map((x) => x / length);
  });
  let total = 0;
  for (let j = 0; j < dimension; j++) {
    const mean = rows.reduce((sum, row) => sum + row[j]!, 0) / rows.length;
    total += Math.sqrt(rows.reduce((sum, row) => sum + (row[j]! - mean) ** 2, 0) / (rows.length - 1));
  }
  return total / dimension;
}

test('the unbiased standard deviation of the directions, mean over the dimensions, however many ranks share the batch', async () => {
  for (const common of [0, 1, 10]) {
    const z = normals(new CounterRandom(7), 24 * 6).map((x) => x + common);
    const expected = reference(z, 6);
    for (const world of [1, 2, 4]) {
      const value = await measured(z, 6, world);
      assert.ok(close(value, expected, 1e-5 * (1 + common)), `${value} for ${expected}`);
    }
  }
});

test('outputs in all directions give about 1/√d, and outputs of one direction give 0', async () => {
  const dimension = 64;
  const spread = await measured(normals(new CounterRandom(1), 512 * dimension), dimension, 2);
  assert.ok(close(spread / healthyOutputStd(dimension), 1, 0.02), String(spread));
  const point = normals(new CounterRandom(2), dimension);
  const scaled = Float32Array.from({ length: 16 * dimension }, (_, i) => (1 + (i >> 6)) * point[i % dimension]!);
  assert.ok((await measured(scaled, dimension, 2)) < 0.001 * healthyOutputStd(dimension));
});
