// Ops of convolutions by Winograd's method (winograd.h): tiles are dealt out to threads.
#include "winograd.h"

#include <algorithm>

#include "kernel.h"
#include "kernels.h"
#include "processors.h"
#include "scratch.h"
#include "thread_pool.h"

namespace simsiam {
namespace {

constexpr int64_t kCacheFloats = 192 << 10;  // of a core's second cache, for the tiles that a thread works on

WinogradImages imagesOf(const KernelTensor& x) {
  const std::vector<int64_t> shape = x.shape();
  return {shape[0], shape[1], shape[2]};
}

// w [3, 3, inputs, outputs] -> the transformed filter, flat
template <class Value>
void filterOf(const KernelAttributes& attributes, const KernelCall& call) {
  const WinogradLoops<Value>& loops = processorLoops<Value>()->winograd;
  const KernelTensor w = call.input(0);
  const int64_t inputs = w.shape()[2], outputs = w.shape()[3];
  const KernelTensor transformed = call.output(0, TF_FLOAT, {16 * winogradSkip(inputs * outputs / loops.factors)});
  inParts(attributes.turned ? outputs : inputs, 16, [&](int64_t first, int64_t count) {
    loops.filter(w.data<float>(), inputs, outputs, attributes.turned, first, count, transformed.data<float>());
  });
}

// x, transformed filter -> y
template <class Value>
void convolutionOf(const KernelAttributes& attributes, const KernelCall& call) {
  const WinogradLoops<Value>& loops = processorLoops<Value>()->winograd;
  const KernelTensor x = call.input(0), transformed = call.input(1);
  const WinogradImages images = imagesOf(x);
  const int64_t inputs = x.channels(), outputs = attributes.outputs;
  const KernelTensor y = call.output(0, x.type(), {images.count, images.height, images.width, outputs});
  const int64_t most = std::clamp<int64_t>(kCacheFloats / (16 * (inputs / loops.factors + outputs)) / 6 * 6, 24, 96);
  inParts(images.tiles(), most, [&](int64_t first, int64_t count) {
    loops.convolve(x.data<Value>(), transformed.data<float>(), images, inputs, outputs, first, count,
                   scratch(winogradScratch(count, inputs, outputs)), y.data<Value>());
  });
}

// xs, dys -> dw, which is that of all of them. Tiles are added up in groups that depend on the shapes alone.
template <class Value>
void filterGradientOf(const KernelCall& call) {
  const WinogradLoops<Value>& loops = processorLoops<Value>()->winograd;
  const int views = call.inputs() / 2;
  const KernelTensor x = call.input(0), dy = call.input(views);
  const WinogradImages images = imagesOf(x);
  const int64_t inputs = x.channels(), outputs = dy.channels(), tiles = images.tiles();
  const KernelTensor dw = call.output(0, TF_FLOAT, {3, 3, inputs, outputs});
  const int64_t mostRows = std::max<int64_t>(kSharedCacheFloats / (16 * (inputs + outputs)), 48);
  const int64_t group = std::min(tiles, loops.factors * mostRows), groupRows = (group + loops.factors - 1) / loops.factors;
  const int64_t sumSkip = winogradSkip(inputs * outputs);
  const int64_t inputSkip = winogradSkip(groupRows * inputs), outputSkip = winogradSkip(groupRows * outputs);
  float* const sums = scratch(16 * (sumSkip + inputSkip + outputSkip));
  float *const fromInput = sums + 16 * sumSkip, *const fromOutput = fromInput + 16 * inputSkip;
  const Panels panels{outputs, loops.panel};
  for (int view = 0; view < views; view++) {
    const KernelTensor x = call.input(view), dy = call.input(views + view);
    for (int64_t begin = 0; begin < tiles; begin += group) {
      const int64_t count = std::min(group, tiles - begin), rows = (count + loops.factors - 1) / loops.factors;
      inParts(count, 16, [&](int64_t tile, int64_t part) {
        const int64_t row = tile / loops.factors;
        loops.inputTiles(x.data<Value>(), images, inputs, begin + tile, part, row, inputSkip, fromInput);
        loops.outputTiles(dy.data<Value>(), images, outputs, begin + tile, part, row, rows, outputSkip, fromOutput);
      });
      parallelFor(16 * panels.count(), [&](int64_t job) {
        const int64_t i = job / panels.count(), panel = job % panels.count(), first = panels.first(panel);
        const bool more = view > 0 || begin > 0;
        loops.product(fromInput + i * inputSkip, inputs, inputs, fromOutput + i * outputSkip + first * rows,
                      panels.widthOf(panel), rows, more, sums + i * sumSkip + first, outputs);
      });
    }
  }
  inParts(inputs, 16, [&](int64_t first, int64_t count) {
    loops.filterGradient(sums, sumSkip, inputs, outputs, first, count, dw.data<float>());
  });
}

void filter(const KernelAttributes& attributes, const KernelCall& call) {
  attributes.paired ? filterOf<uint16_t>(attributes, call) : filterOf<float>(attributes, call);
}

void convolution(const KernelAttributes& attributes, const KernelCall& call) {
  const bool single = call.input(0).type() == TF_FLOAT;
  single ? convolutionOf<float>(attributes, call) : convolutionOf<uint16_t>(attributes, call);
}

void filterGradient(const KernelAttributes&, const KernelCall& call) {
  call.input(0).type() == TF_FLOAT ? filterGradientOf<float>(call) : filterGradientOf<uint16_t>(call);
}

}  // namespace

void addWinogradKernels() {
  const char* type = "T: {float, bfloat16}";
  addKernel<filter>({"SimsiamWinogradFilter", {"filter: float"}, {"transformed: float"}, {"turned: bool", "paired: bool"}});
  addKernel<convolution>({"SimsiamWinograd", {"x: T", "transformed: float"}, {"y: T"}, {type, "outputs: int"}});
  addKernel<filterGradient>({"SimsiamWinogradFilterGrad", {"xs: views * T", "dys: views * T"}, {"filter_gradient: float"}, {type, "views: int >= 1"}});
}

}  // namespace simsiam
