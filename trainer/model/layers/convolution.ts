import { onGpu } from '../../tensorflow/device.ts';
import { filterGradient, hasConvolutions, type ConvolutionType } from '../../tensorflow/kernels.ts';
import { cast, rawOp } from '../../tensorflow/raw-op.ts';
import { tf, type Tensor } from '../../tensorflow/tfjs.ts';
import { differentiable } from '../../tensorflow/differentiable.ts';
import type { Layer } from '../layer.ts';
import { pad } from './padding.ts';
import { again } from './recompute.ts';
import { vectorOp } from './vector-op.ts';
import { winograd } from './winograd.ts';

/** Channels in the widest of oneDNN's vectors, AVX-512's of float32. */
const oneDnnVector = 16;

interface ConvolutionOptions {
  readonly name: string;
  readonly kernel: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly stride: number;
}

/**
 * A square convolution without bias, padded as in torchvision (kernel ÷ 2 on each side), Kaiming normal by fan-out.
 * Views: [n, h, w, inputs] → [n, ⌈h/stride⌉, ⌈w/stride⌉, outputs] in the scope's compute type.
 */
export function convolution({ name, kernel, inputs, outputs, stride }: ConvolutionOptions): Layer {
  const weight = `${name}.weight`;
  const std = Math.sqrt(2 / (kernel * kernel * outputs));
  return {
    entries: [
      {
        name: weight,
        shape: [outputs, inputs, kernel, kernel],
        role: 'trainable',
        layout: 'convolution',
        initial: { kind: 'normal', std },
      },
    ],
    apply: (scope, views) => {
      const w = scope.parameter(weight);
      if (winogradServes(w, stride, views[0]!, scope.computeType)) return winograd(views, w, scope.computeType);
      const filter = cast(w, scope.computeType);
      if (kernel === 1 && stride > 1 && inputs < oneDnnVector && !onGpu()) {
        return views.map((x) => conv2d(subsample(x, stride), filter, 1, scope.computeType));
      }
      return views.map((x) => conv2d(x, filter, stride, scope.computeType));
    },
  };
}

/** Whether our own kernels can compute it. */
function ownServes(w: Tensor, type: ConvolutionType): boolean {
  const [, , ...channels] = w.shape;
  return channels.every((count) => count % 16 === 0) && !onGpu() && hasConvolutions(type);
}

/**
 * Whether Winograd's method computes it, and faster than TensorFlow: where it saves a third of the products. It takes 16 for
 * each tile of 2×2 outputs, of which some lie beyond odd sides.
 */
function winogradServes(w: Tensor, stride: number, x: Tensor, type: ConvolutionType): boolean {
  const [, height = 0, width = 0] = x.shape;
  const products = 16 * Math.ceil(height / 2) * Math.ceil(width / 2);
  const saves = products <= (2 / 3) * 9 * height * width;
  return w.shape[0] === 3 && stride === 1 && saves && ownServes(w, type);
}

/**
 * Padding decides the speed on CPU: explicit padding makes TensorFlow's backward convolutions leave oneDNN, and SAME
 * pads asymmetrically at stride 2. SAME at stride 1, and a Pad before VALID at stride 2, are both right and fast. The filter's
 * gradient after such a Pad takes oneDNN twice as long as it takes us.
 */
function conv2d(x: Tensor, w: Tensor, stride: number, type: ConvolutionType): Tensor {
  const kernel = w.shape[0] ?? 1;
  const margin = kernel >> 1;
  const same = margin > 0 && stride === 1;
  const padded = margin > 0 && !same ? pad(x, margin) : x;
  const attrs = {
    strides: [1, stride, stride, 1],
    padding: same ? 'SAME' : 'VALID',
    data_format: 'NHWC',
    dilations: [1, 1, 1, 1],
  };
  const own = padded !== x && ownServes(w, type);
  return differentiable([padded, w], (input, filter) => ({
    value: vectorOp('Conv2D', [input, filter], attrs),
    saved: [own ? x : input, filter],
    gradient: (dy) => [
      vectorOp('Conv2DBackpropInput', [shapeOf(input), filter, dy], attrs, [dy]),
      own
        ? filterGradient(again(x, dy), dy, { kernel, stride })
        : vectorOp('Conv2DBackpropFilter', [again(input, dy), shapeOf(filter), dy], attrs, [dy]),
    ],
  }));
}

/**
 * Every `stride`-th row and column, which are all that a 1×1 convolution reads. oneDNN gathers them itself, but writes beyond its
 * buffer in the filter's gradient where there are fewer channels than in a vector (uxlfoundation/oneDNN#6035).
 */
function subsample(x: Tensor, stride: number): Tensor {
  const ints = (...values: number[]): Tensor => tf.tensor1d(values, 'int32');
  const range = (): Tensor[] => [ints(0, 0, 0, 0), shapeOf(x), ints(1, stride, stride, 1)];
  const attrs = { begin_mask: 0, end_mask: 0, ellipsis_mask: 0, new_axis_mask: 0, shrink_axis_mask: 0 };
  return differentiable([x], (input) => ({
    value: rawOp('StridedSlice', [input, ...range()], attrs),
    gradient: (dy) => [rawOp('StridedSliceGrad', [shapeOf(x), ...range(), dy], attrs)],
  }));
}

function shapeOf(x: Tensor): Tensor {
  return tf.tensor1d(x.shape, 'int32');
}
