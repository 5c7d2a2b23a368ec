// SGD with momentum in one pass over memory: five reads and writes a weight, where separate ops make fourteen.
#include <algorithm>

#include "clones.h"
#include "kernel.h"
#include "kernels.h"
#include "thread_pool.h"

namespace simsiam {
namespace {

constexpr int64_t kChunk = 1 << 16;

SIMSIAM_CLONES void update(int64_t count, float rate, float momentum, float decay, const float* w, const float* v,
                           const float* g, float* wOut, float* vOut) {
  for (int64_t i = 0; i < count; i++) {
    const float moved = v[i] * momentum + (g[i] + w[i] * decay);
    wOut[i] = w[i] - moved * rate;
    vOut[i] = moved;
  }
}

void sgd(const KernelAttributes& attributes, const KernelCall& call) {
  const KernelTensor momentumOut = call.outputOver({2}, 1);
  const KernelTensor w = call.input(0), v = call.input(1), g = call.input(2), rate = call.input(3);
  const KernelTensor wOut = call.output(0, TF_FLOAT, w.shape());
  const float by = *rate.data<float>();
  parallelFor((w.size() + kChunk - 1) / kChunk, [&](int64_t chunk) {
    const int64_t from = chunk * kChunk, count = std::min(kChunk, w.size() - from);
    update(count, by, attributes.momentum, attributes.weightDecay, w.data<float>() + from, v.data<float>() + from,
           g.data<float>() + from, wOut.data<float>() + from, momentumOut.data<float>() + from);
  });
}

}  // namespace

void addSgdKernel() {
  addKernel<sgd>({"SimsiamSgd",
                  {"parameter: float", "momentum_buffer: float", "gradient: float", "rate: float"},
                  {"updated: float", "moved: float"},
                  {"momentum: float", "weight_decay: float"}});
}

}  // namespace simsiam
