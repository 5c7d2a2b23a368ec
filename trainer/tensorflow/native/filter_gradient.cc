// The op of filter_gradient.h.
#include "filter_gradient.h"

#include <algorithm>

#include "kernel.h"
#include "kernels.h"
#include "processors.h"
#include "scratch.h"
#include "thread_pool.h"

namespace simsiam {
namespace {

constexpr int64_t kLeftPanel = 48;  // 8 times as many columns as the innermost loop takes at once

// x, dy -> dw [kernel, kernel, inputs, outputs]. Pixels are added up in groups that depend on the shapes alone.
template <class Value>
void filterGradientOf(const KernelAttributes& attributes, const KernelCall& call) {
  const FilterGradientLoops<Value>& loops = processorLoops<Value>()->filterGradient;
  const KernelTensor x = call.input(0), dy = call.input(1);
  const std::vector<int64_t> shape = x.shape();
  const Patches patches{shape[0], shape[1], shape[2], attributes.kernel, attributes.stride};
  const Patches single{patches.count, patches.outputHeight(), patches.outputWidth(), 1, 1};
  const int64_t inputs = x.channels(), outputs = dy.channels(), pixels = patches.pixels();
  const KernelTensor dw = call.output(0, TF_FLOAT, {patches.kernel, patches.kernel, inputs, outputs});

  const Panels left{patches.kernel * patches.kernel * inputs, kLeftPanel}, right{outputs, loops.panel};
  const int64_t mostRows = std::clamp<int64_t>(kSharedCacheFloats / (left.columns + right.columns), 64, 1024);
  const int64_t group = loops.factors * mostRows;
  float* const seen = scratch(mostRows * (left.columns + right.columns));
  float* const gradients = seen + mostRows * left.columns;
  for (int64_t begin = 0; begin < pixels; begin += group) {
    const int64_t count = std::min(group, pixels - begin), rows = (count + loops.factors - 1) / loops.factors;
    inParts(count, 16, [&](int64_t first, int64_t part) {
      const int64_t row = first / loops.factors;
      loops.patches(x.data<Value>(), patches, inputs, begin + first, part, row, rows, left.width, seen);
      loops.patches(dy.data<Value>(), single, outputs, begin + first, part, row, rows, right.width, gradients);
    });
    parallelFor(left.count() * right.count(), [&](int64_t job) {
      const int64_t a = job / right.count(), b = job % right.count();
      loops.product(seen + left.first(a) * rows, left.widthOf(a), left.widthOf(a), gradients + right.first(b) * rows,
                    right.widthOf(b), rows, begin > 0, dw.data<float>() + left.first(a) * outputs + right.first(b), outputs);
    });
  }
}

void filterGradient(const KernelAttributes& attributes, const KernelCall& call) {
  const bool single = call.input(0).type() == TF_FLOAT;
  single ? filterGradientOf<float>(attributes, call) : filterGradientOf<uint16_t>(attributes, call);
}

}  // namespace

void addFilterGradientKernel() {
  addKernel<filterGradient>({"SimsiamFilterGrad",
                             {"x: T", "dy: T"},
                             {"filter_gradient: float"},
                             {"T: {float, bfloat16}", "kernel: int", "stride: int"}});
}

}  // namespace simsiam
