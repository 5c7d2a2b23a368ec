/** Our gradient of a strided convolution's filter beside TensorFlow's. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { filterGradient, type ConvolutionType } from '../../trainer/tensorflow/kernels.ts';
import { cast, rawOp } from '../../trainer/tensorflow/raw-op.ts';
import { Runtime } from '../../trainer/tensorflow/runtime.ts';
import { tf, type Tensor } from '../../trainer/tensorflow/tfjs.ts';
import { callAndRead, evaluate, noise, toFloats, trace } from '../tensorflow/support.ts';
import { distance } from './distance.ts';
import { types } from './processor-types.ts';

/** What TensorFlow's kernel in float64 says of what the type holds of x and dy. */
function expected(type: ConvolutionType, x: Tensor, dy: Tensor, kernel: number, stride: number): Tensor {
  const margin = kernel >> 1;
  const [images, gradients] = [x, dy].map((tensor) => cast(cast(tensor, type), 'float64')) as [Tensor, Tensor];
  const paddings = tf.tensor2d([0, 0, margin, margin, margin, margin, 0, 0], [4, 2], 'int32');
  const shape = tf.tensor1d([kernel, kernel, x.shape[3]!, dy.shape[3]!], 'int32');
  const attrs = { strides: [1, stride, stride, 1], padding: 'VALID', data_format: 'NHWC', dilations: [1, 1, 1, 1] };
  return cast(rawOp('Conv2DBackpropFilter', [rawOp('Pad', [images, paddings]), shape, gradients], attrs), 'float32');
}

for (const type of types) {
  describe(`the gradient of a filter agrees with TensorFlow's: ${type}`, () => {
    for (const { images, side, inputs, outputs, kernel, stride } of [
      { images: 1, side: 1, inputs: 16, outputs: 16, kernel: 3, stride: 2 },
      { images: 3, side: 9, inputs: 48, outputs: 80, kernel: 3, stride: 2 },
      { images: 5, side: 8, inputs: 16, outputs: 32, kernel: 1, stride: 2 },
      { images: 2, side: 40, inputs: 32, outputs: 16, kernel: 5, stride: 1 },
    ]) {
      it(`${images} of ${side}², ${inputs} to ${outputs}, ${kernel} × ${kernel} by ${stride}`, async () => {
        const size = Math.ceil(side / stride);
        const values = [noise(1, images, side, side, inputs), noise(2, images, size, size, outputs)];
        const [found, right] = await evaluate(values, (x, dy) => [
          filterGradient(cast(x, type), cast(dy, type), { kernel, stride }),
          expected(type, x, dy, kernel, stride),
        ]);
        // Products of bfloat16 are exact in float32, in which we add them up: roundings go either way at random.
        const far = distance(toFloats(found!), toFloats(right!));
        assert.ok(far <= Math.min(2 ** -24 * Math.sqrt(images) * size, 1e-6), String(far));
      });
    }
  });
}

it('it has the same bits with any number of threads', async (context) => {
  if (types.length === 0) return context.skip('this processor has no such kernels');
  const values = [noise(1, 8, 32, 32, 64), noise(2, 8, 16, 16, 96)];
  const fn = trace(
    'all_types',
    values.map(({ spec }) => spec),
    (x, dy) => types.map((type) => filterGradient(cast(x, type), cast(dy, type), { kernel: 3, stride: 2 })),
  );
  const alone = await callAndRead(fn, values);
  const other = Runtime.open({ threads: 4 }); // from now on the kernels have four
  assert.deepEqual(await callAndRead(fn, values), alone);
  other.close();
});
