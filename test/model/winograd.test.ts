/** Convolutions by Winograd's method beside TensorFlow's. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { addons } from '../../scripts/setup/addons.ts';
import { findTools } from '../../scripts/setup/tools.ts';
import {
  winogradConvolution,
  winogradFilter,
  winogradFilterGradient,
  type ConvolutionType,
} from '../../trainer/tensorflow/kernels.ts';
import { cast, rawOp } from '../../trainer/tensorflow/raw-op.ts';
import { Runtime } from '../../trainer/tensorflow/runtime.ts';
import { tf, type Tensor } from '../../trainer/tensorflow/tfjs.ts';
import { callAndRead, evaluate, noise, spec, toFloats, trace, type Value } from '../tensorflow/support.ts';
import { distance } from './distance.ts';
import { promisedTypes, types } from './processor-types.ts';

/** How far both ways may be from each other, over their length. */
const furthest: Readonly<Record<ConvolutionType, number>> = {
  float32: 1e-6,
  // Rounding to 8 bits moves a value by up to 1/512 of it, and sums of transformed values by √(25/9) of that.
  bfloat16: 2 ** -8 * Math.sqrt(25 / 9),
};

interface Shape {
  readonly images: number;
  readonly height: number;
  readonly width: number;
  readonly inputs: number;
  readonly outputs: number;
}

/** [x, w, dy] */
function valuesOf({ images, height, width, inputs, outputs }: Shape): Value[] {
  return [
    noise(1, images, height, width, inputs),
    noise(2, 3, 3, inputs, outputs),
    noise(3, images, height, width, outputs),
  ];
}

/** Output, gradient of the input, gradient of the filter: float32. */
function byWinograd(type: ConvolutionType, x: Tensor, w: Tensor, dy: Tensor): Tensor[] {
  const [, , inputs, outputs] = w.shape as [number, number, number, number];
  const [images, gradients] = [cast(x, type), cast(dy, type)];
  return [
    winogradConvolution(images, winogradFilter(w, { type, turned: false }), outputs),
    winogradConvolution(gradients, winogradFilter(w, { type, turned: true }), inputs),
    winogradFilterGradient([images], [gradients]),
  ].map((tensor) => cast(tensor, 'float32'));
}

/** The same by TensorFlow's kernels in float64, of what the type holds of x and dy. */
function direct(type: ConvolutionType, x: Tensor, w: Tensor, dy: Tensor): Tensor[] {
  const attrs = { strides: [1, 1, 1, 1], padding: 'SAME', data_format: 'NHWC', dilations: [1, 1, 1, 1] };
  const shapeOf = (tensor: Tensor): Tensor => tf.tensor1d(tensor.shape, 'int32');
  const [images, gradients] = [x, dy].map((tensor) => cast(cast(tensor, type), 'float64')) as [Tensor, Tensor];
  const filter = cast(w, 'float64');
  return [
    rawOp('Conv2D', [images, filter], attrs),
    rawOp('Conv2DBackpropInput', [shapeOf(x), filter, gradients], attrs),
    rawOp('Conv2DBackpropFilter', [images, shapeOf(w), gradients], attrs),
  ].map((tensor) => cast(tensor, 'float32'));
}

it('this processor has the kernels that its flags promise', async () => {
  assert.deepEqual(types, await promisedTypes());
});

for (const type of types) {
  describe(`Winograd's method agrees with TensorFlow's convolutions, forward and backward: ${type}`, () => {
    for (const shape of [
      { images: 1, height: 1, width: 1, inputs: 16, outputs: 16 },
      { images: 2, height: 5, width: 8, inputs: 48, outputs: 80 },
      { images: 3, height: 7, width: 7, inputs: 144, outputs: 32 },
      { images: 8, height: 28, width: 27, inputs: 16, outputs: 64 },
    ]) {
      it(Object.values(shape).join(' × '), async () => {
        const outputs = await evaluate(valuesOf(shape), (x, w, dy) => [
          ...byWinograd(type, x, w, dy),
          ...direct(type, x, w, dy),
        ]);
        for (const [i, name] of ['output', 'gradient of the input', 'gradient of the filter'].entries()) {
          const far = distance(toFloats(outputs[i]!), toFloats(outputs[i + 3]!));
          assert.ok(far <= furthest[type], `${name}: ${far}`);
        }
      });
    }
  });
}

if (types.includes('bfloat16')) {
  it('bfloat16 is rounded to the nearest, halves to even, and what is not a number stays so', async () => {
    const filter = new Float32Array(9 * 16 * 16);
    // The middle takes each channel times 1 + 3/128, exact in bfloat16: products have twice the bits, and some are halves.
    for (let channel = 0; channel < 16; channel++) filter[(4 * 16 + channel) * 16 + channel] = 1 + 3 / 128;
    const strange = filter.slice();
    new Uint32Array(strange.buffer).fill(0x7fffffff, 4 * 256, 5 * 256); // rounded as a number it would be -0
    const filters = [filter, strange].map((bytes): Value => ({ spec: spec('float32', 3, 3, 16, 16), bytes }));
    const outputs = await evaluate([noise(1, 512, 1, 1, 16), ...filters], (x, ...filters) => {
      const images = cast(x, 'bfloat16');
      const convolved = filters.map((filter) =>
        winogradConvolution(images, winogradFilter(filter, { type: 'bfloat16', turned: false }), 16),
      );
      const products = tf.mul(cast(images, 'float32'), 1 + 3 / 128);
      return [...convolved, cast(products, 'bfloat16')].map((y) => cast(y, 'float32'));
    });
    const [found, notNumbers, right] = outputs.map(toFloats);
    assert.deepEqual(found, right);
    assert.ok(notNumbers!.every(Number.isNaN));
  });
}

it('it has the same bits with any number of threads', async (context) => {
  if (types.length === 0) return context.skip('this processor has no such kernels');
  const values = valuesOf({ images: 16, height: 16, width: 16, inputs: 128, outputs: 64 });
  const fn = trace(
    'all_types',
    values.map(({ spec }) => spec),
    (x, w, dy) => types.flatMap((type) => byWinograd(type, x, w, dy)),
  );
  const alone = await callAndRead(fn, values);
  const other = Runtime.open({ threads: 4 }); // from now on the kernels have four
  assert.deepEqual(await callAndRead(fn, values), alone);
  other.close();
});

it('it has the same bits on all kinds of processors', async () => {
  const { compiler } = await findTools({ python: false, compiler: true });
  const root = fileURLToPath(new URL('../../../', import.meta.url));
  const { sources, compileFlags } = addons.find(({ name }) => name === 'tensorflow')!;
  const folder = await mkdtemp(join(tmpdir(), 'simsiam-winograd-'));
  try {
    const program = join(folder, 'compare');
    const files = ['avx512.cc', 'avx2.cc'].map((name) => join(root, sources, name));
    files.push(join(root, 'test/model/winograd-processors.cc'));
    const flags = ['-std=c++17', '-O3', ...compileFlags, '-I', join(root, sources)];
    await promisify(execFile)(compiler, [...flags, ...files, '-o', program]);
    const { stdout } = await promisify(execFile)(program);
    assert.equal(stdout, 'same\n');
  } finally {
    await rm(folder, { recursive: true });
  }
});
