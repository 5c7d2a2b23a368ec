import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sumKernels } from '../../bench/profile-report.ts';

test('kernels are summed by kind and direction, what is left is everything else', () => {
  const line = (kind: string, implementation: string, direction: string, milliseconds: string): string =>
    `onednn_verbose,v1,primitive,exec,cpu,${kind},${implementation},${direction},src:f32::blocked:acdb::f0,,alg:x,mb4,${milliseconds}`;
  const parts = sumKernels(
    [
      'onednn_verbose,v1,info,cpu,runtime:threadpool,nthr:1',
      'onednn_verbose,v1,primitive,info,template:operation,engine,primitive,implementation,exec_time',
      line('convolution', 'jit:avx512_core', 'backward_weights', '3'),
      line('convolution', 'brg_conv_fwd:avx512_core', 'forward_training', '2'),
      line('convolution', 'brgconv:avx512_core', 'backward_data', '2.5'),
      line('matmul', 'brg_matmul:avx512_core', 'undef', '1'),
      line('reorder', 'jit:uni', 'undef', '0.5'),
      'simsiam_kernel,exec,SimsiamWinograd_3,0.125',
      'simsiam_kernel,exec,SimsiamWinogradFilterGrad_1,0.125',
      'simsiam_kernel,exec,SimsiamNormalize_2,0.0625',
      'simsiam_kernel,exec,SimsiamSgd,0.0625',
      line('pooling', 'jit:avx512_core', 'forward_training', '0.25'),
    ],
    10,
  );
  assert.deepEqual(parts, {
    'convolution, forward': 2,
    'convolution, gradient of the input': 2.5,
    'convolution, gradient of the weights': 3,
    'convolution, all of 3×3 by Winograd': 0.25,
    'matrix product': 1,
    'batch norm and ReLU by our kernels': 0.125 / 2,
    'SGD by our kernel': 0.125 / 2,
    'other kernels of oneDNN': 0.25,
    'changes of layout': 0.5,
    'everything else': 0.375,
    'the step': 10,
  });
});
