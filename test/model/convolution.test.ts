/** The layer beside sums in float64, from the definition. */
import { threads } from './one-thread.ts';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { convolution } from '../../trainer/model/layers/convolution.ts';
import { createScope } from '../../trainer/model/scope.ts';
import { tf } from '../../trainer/tensorflow/tfjs.ts';
import { evaluate, noise, toFloats } from '../tensorflow/support.ts';
import { distance } from './distance.ts';

interface Shape {
  readonly images: number;
  readonly side: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly kernel: number;
  readonly stride: number;
}

/** Output, gradient of the input and of the filter, of x [n, h, w, i], w [k, k, i, o] and dy [n, h ÷ s, w ÷ s, o]. */
function expected({ images, side, inputs, outputs, kernel, stride }: Shape, [x, w, dy]: readonly Float32Array[]) {
  const size = side / stride;
  const [y, dx, dw] = [dy!.length, x!.length, w!.length].map((length) => new Float64Array(length));
  const positions = (count: number): number[] => [...Array(count).keys()];
  for (const n of positions(images))
    for (const row of positions(size))
      for (const column of positions(size))
        for (const tap of positions(kernel ** 2)) {
          const [down, right] = [Math.floor(tap / kernel), tap % kernel].map((offset) => offset - (kernel >> 1));
          const [from, beside] = [row * stride + down!, column * stride + right!];
          if (Math.min(from, beside) < 0 || Math.max(from, beside) >= side) continue;
          const input = ((n * side + from) * side + beside) * inputs;
          const output = ((n * size + row) * size + column) * outputs;
          for (const i of positions(inputs))
            for (const o of positions(outputs)) {
              const weight = (tap * inputs + i) * outputs + o;
              y![output + o]! += x![input + i]! * w![weight]!;
              dx![input + i]! += dy![output + o]! * w![weight]!;
              dw![weight]! += dy![output + o]! * x![input + i]!;
            }
        }
  return [y!, dx!, dw!];
}

describe(`a convolution agrees with its definition, by ${threads} thread`, () => {
  for (const kernel of [1, 3, 7])
    for (const stride of [1, 2])
      for (const inputs of [3, 12, 16])
        it(`${kernel} × ${kernel} by ${stride}, ${inputs} channels`, async () => {
          const shape = { images: 2, side: 16, inputs, outputs: 32, kernel, stride };
          const { images, side, outputs } = shape;
          const size = side / stride;
          const values = [
            noise(1, images, side, side, inputs),
            noise(2, kernel, kernel, inputs, outputs),
            noise(3, images, size, size, outputs),
          ];
          const layer = convolution({ ...shape, name: 'conv' });
          const found = await evaluate(values, (x, w, dy) => {
            const forward = (image: tf.Tensor, filter: tf.Tensor): tf.Tensor => {
              const scope = { training: true, computeType: 'float32', statistics: new Map() } as const;
              return layer.apply(createScope({ ...scope, parameter: () => filter }), [image])[0]!;
            };
            return [forward(x, w), ...tf.grads(forward)([x, w], dy)];
          });
          const right = expected(
            shape,
            values.map(({ bytes }) => bytes as Float32Array),
          );
          for (const [i, figure] of ['output', "input's gradient", "filter's gradient"].entries()) {
            const far = distance(toFloats(found[i]!), [...right[i]!]);
            assert.ok(far <= 1e-6, `${figure}: ${far}`);
          }
        });
});
