// Kernels of our own for CPUs, where TensorFlow's pass over memory, or multiply, more often than they must. Graphs use them by the ops
// that trainer/tensorflow/kernels.ts names.
#ifndef SIMSIAM_KERNELS_H_
#define SIMSIAM_KERNELS_H_

namespace simsiam {

void addBatchNormKernels();
void addCollectiveKernels();
void addFilterGradientKernel();
void addSgdKernel();
void addWinogradKernels();

// Registers all ops, once a process.
void registerKernels();

}  // namespace simsiam

#endif  // SIMSIAM_KERNELS_H_
