#include "kernels.h"

#include <mutex>

namespace simsiam {

void registerKernels() {
  static std::once_flag once;
  std::call_once(once, [] {
    addBatchNormKernels();
    addCollectiveKernels();
    addFilterGradientKernel();
    addSgdKernel();
    addWinogradKernels();
  });
}

}  // namespace simsiam
