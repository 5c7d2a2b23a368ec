// The loops of filter_gradient.h; what they ask of whoever includes them is in product_loops.h.
#ifndef SIMSIAM_FILTER_GRADIENT_LOOPS_H_
#define SIMSIAM_FILTER_GRADIENT_LOOPS_H_

#include "filter_gradient.h"
#include "product_loops.h"

namespace simsiam {
namespace {

// The upper left of a pixel's patch.
struct Corner {
  int64_t image, y, x;
};
SIMSIAM_STEP Corner cornerOf(int64_t pixel, const Patches& patches) {
  const int64_t across = patches.outputWidth(), down = patches.outputHeight(), margin = patches.kernel / 2;
  return {pixel / across / down, pixel / across % down * patches.stride - margin, pixel % across * patches.stride - margin};
}

// kFactors pixels each make one row; those that are missing are zeros.
template <class Format>
SIMSIAM_LOOP void storePatches(const typename Format::Value* x, Patches patches, int64_t channels, int64_t first, int64_t count,
                               int64_t row, int64_t rows, int64_t panelWidth, float* to) {
  constexpr int64_t kFactors = Format::kFactors;
  const Panels panels{patches.kernel * patches.kernel * channels, panelWidth};
  for (int64_t pixel = 0; pixel < count; pixel += kFactors, row++) {
    Corner corners[kFactors];
    for (int64_t f = 0; f < kFactors; f++) corners[f] = cornerOf(first + pixel + f, patches);
    int64_t panel = 0, column = 0, width = least(panelWidth, panels.columns);
    for (int64_t tap = 0; tap < patches.kernel * patches.kernel; tap++) {
      const int64_t down = tap / patches.kernel, across = tap % patches.kernel;
      for (int64_t channel = 0; channel < channels; channel += kLanes, column += kLanes) {
        if (column == width) panel += width, column = 0, width = least(panelWidth, panels.columns - panel);
        Vector own[kFactors] = {};
        for (int64_t f = 0; f < least(kFactors, count - pixel); f++)
          own[f] = valueAt<Format>(x, patches, channels, corners[f].image, corners[f].y + down, corners[f].x + across, channel);
        Format::storeRows(to + panel * rows + row * width + column, own[0], own[kFactors - 1]);
      }
    }
  }
}

template <class Format>
constexpr FilterGradientLoops<typename Format::Value> filterGradientLoopsOf() {
  return {Format::kFactors, kPanel, storePatches<Format>, product<Format>};
}

}  // namespace
}  // namespace simsiam

#endif  // SIMSIAM_FILTER_GRADIENT_LOOPS_H_
