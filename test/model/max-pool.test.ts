import assert from 'node:assert/strict';
import { it } from 'node:test';
import { maxPool } from '../../trainer/model/layers/elementwise.ts';
import { createScope } from '../../trainer/model/scope.ts';
import { cast } from '../../trainer/tensorflow/raw-op.ts';
import { tf, type Tensor } from '../../trainer/tensorflow/tfjs.ts';
import { evaluate, noise, toFloats, type Value } from '../tensorflow/support.ts';

const [images, side, channels] = [2, 7, 16];
const size = Math.ceil(side / 2);

/** Integers from 1 to 252, exact in bfloat16; no two of a 3×3 are equal, so that one is the largest. */
function inputs(): Value {
  const { spec, bytes } = noise(1, images, side, side, channels);
  const values = bytes as Float32Array;
  values.forEach((value, i) => {
    const pixel = Math.floor(i / channels);
    const place = 3 * ((Math.floor(pixel / side) % side) % 3) + ((pixel % side) % 3);
    values[i] = 9 * Math.floor((value + 2) * 7) + place + 1;
  });
  return { spec, bytes: values };
}

/** The largest of each 3×3, and dy where it was. */
function expected(x: readonly number[], dy: readonly number[]): [number[], number[]] {
  const [y, dx] = [dy.map(() => 0), x.map(() => 0)];
  dy.forEach((gradient, to) => {
    const [channel, pixel] = [to % channels, Math.floor(to / channels)];
    const [column, row, image] = [pixel % size, Math.floor(pixel / size) % size, Math.floor(pixel / size ** 2)];
    let [from, largest] = [-1, 0];
    for (let r = 2 * row - 1; r <= 2 * row + 1; r++)
      for (let c = 2 * column - 1; c <= 2 * column + 1; c++) {
        if (Math.min(r, c) < 0 || Math.max(r, c) >= side) continue;
        const at = ((image * side + r) * side + c) * channels + channel;
        if (x[at]! > largest) [from, largest] = [at, x[at]!];
      }
    y[to] = largest;
    dx[from]! += gradient;
  });
  return [y, dx];
}

for (const computeType of ['float32', 'bfloat16'] as const) {
  it(`the pool takes the largest, and its gradient goes there: ${computeType}`, async () => {
    const values = [inputs(), noise(2, images, size, size, channels)];
    const outputs = await evaluate(values, (x, anyGradient) => {
      const dy = tf.div(tf.round(tf.mul(anyGradient, 8)), 8); // sums of these are exact
      const scope = createScope({
        ...{ training: true, computeType, statistics: new Map() },
        parameter: () => assert.fail('a pool has no parameters'),
      });
      const pool = (image: Tensor): Tensor => cast(maxPool.apply(scope, [cast(image, computeType)])[0]!, 'float32');
      return [x, dy, pool(x), tf.grad((image) => tf.sum(tf.mul(pool(image), dy)))(x)];
    });
    const [x, dy, y, dx] = outputs.map(toFloats) as [number[], number[], number[], number[]];
    assert.deepEqual([y, dx], expected(x, dy));
  });
}
