// The gradient of a convolution's filter as a product of two matrices with a row for each pixel of the output: what of the
// image that pixel has seen, and its gradient. Images are [images, height, width, channels].
#ifndef SIMSIAM_FILTER_GRADIENT_H_
#define SIMSIAM_FILTER_GRADIENT_H_

#include "product.h"

namespace simsiam {

// What the pixels of an output see of images padded by kernel ÷ 2: squares of kernel × kernel values, where kernel is odd.
struct Patches {
  int64_t count, height, width, kernel, stride;
  int64_t outputHeight() const { return (height - 1) / stride + 1; }
  int64_t outputWidth() const { return (width - 1) / stride + 1; }
  int64_t pixels() const { return count * outputHeight() * outputWidth(); }
};

// Loops for one kind of processor and of values: float, or uint16_t for bfloat16, whose sums are float. Where `factors` is 2, 32
// bits of a matrix hold two rows.
template <class Value>
struct FilterGradientLoops {
  int64_t factors, panel;
  // The patches of `count` pixels from `first` on become rows, from `row` on, of a matrix of `rows` with kernel² · channels
  // columns, in panels of panelWidth.
  void (*patches)(const Value* x, Patches patches, int64_t channels, int64_t first, int64_t count, int64_t row, int64_t rows,
                  int64_t panelWidth, float* to);
  PanelProduct product;
};

}  // namespace simsiam

#endif  // SIMSIAM_FILTER_GRADIENT_H_
