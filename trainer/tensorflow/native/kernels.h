// Kernels of our own for CPUs, where TensorFlow's pass over memory, multiply, or copy between ranks, more often than they must. Graphs
// use them by the ops that trainer/tensorflow/kernels.ts and collectives.ts name.
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
