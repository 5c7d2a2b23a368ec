// Runs before tfjs-node is loaded (see tfjs.ts): puts back what it needs from Node and sets what TensorFlow reads from
// the environment. What the user has set stays.
import { createRequire } from 'node:module';

const util = createRequire(import.meta.url)('node:util') as Record<string, unknown>;
// Called by tfjs-node 4.22 in every kernel; gone in Node 23, and in 22 each warns that it will go.
util['isNullOrUndefined'] = (value: unknown) => value === null || value === undefined;
util['isArray'] = Array.isArray;

// 3 = nothing but the end of the process. TensorFlow greets with a dozen lines and reports each failing collective many
// times over; what fails reaches us as a status anyway. 0 shows all, for one why a GPU isn't found.
process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '3';
// oneDNN's convolutions and matrix products also where TensorFlow would leave them out: on x86 without AVX-512, where they take
// a quarter off a step (docs/performance.md). On other processors the variable stands for other libraries.
if (process.arch === 'x64') process.env['TF_ENABLE_ONEDNN_OPTS'] ??= '1';
// tfjs-node's own context would take the whole GPU memory, which our context shares, at its start.
process.env['TF_FORCE_GPU_ALLOW_GROWTH'] ??= 'true';
// A resumed run must equal an undisturbed one: GPU kernels then add in one order, at the price of some speed. 0 gives the
// speed back.
process.env['TF_DETERMINISTIC_OPS'] ??= '1';
// cuDNN's one-pass batch norm for bfloat16; without it TensorFlow transposes every activation around the slower one.
process.env['TF_USE_CUDNN_BATCHNORM_SPATIAL_PERSISTENT'] ??= '1';
// On a GPU XLA can fuse all that isn't a convolution or a matrix product into few kernels (docs/gpu.md). It leaves the CPU
// alone.
if (process.env['SIMSIAM_XLA'] === '1') {
  process.env['TF_XLA_FLAGS'] ??= '--tf_xla_auto_jit=2 --tf_xla_ops_to_cluster=FUSIBLE';
  process.env['XLA_FLAGS'] ??= '--xla_gpu_deterministic_ops=true';
}
