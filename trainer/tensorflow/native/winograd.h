// 3×3 convolutions by Winograd's method F(2×2, 3×3) (Lavin & Gray 2015, arXiv 1509.09308): a tile of 2×2 outputs takes 16
// products a channel instead of 36. Images are [images, height, width, channels], padded by 1; filters [3, 3, inputs, outputs].
#ifndef SIMSIAM_WINOGRAD_H_
#define SIMSIAM_WINOGRAD_H_

#include "product.h"

namespace simsiam {

// An image is cut into tiles of 2×2 values, row by row; where a side is odd the last ones reach beyond it.
struct WinogradImages {
  int64_t count, height, width;
  int64_t tiles() const { return count * ((height + 1) / 2) * ((width + 1) / 2); }
};

// Loops for one kind of processor and of values: float, or uint16_t for bfloat16. Each value is summed up in one order, so any
// threads give the same bits, and with float all processors do.
// A transformed filter, and a transformed gradient of an output, is 16 matrices [depth, outputs] in panels of `panel` columns,
// `skip` floats apart; a transformed image is 16 plain ones. Where `factors` is 2, 32 bits hold two rows of bfloat16, and
// `rows` counts such pairs.
template <class Value>
struct WinogradLoops {
  int64_t factors, panel;
  // w [3, 3, inputs, outputs] -> 16 matrices [inputs, outputs], rows from `first` on; for the gradient of the input the filter
  // is turned around, and the matrices are [outputs, inputs].
  void (*filter)(const float* w, int64_t inputs, int64_t outputs, bool turned, int64_t first, int64_t count, float* to);
  // Convolves `count` tiles from `first` on. scratch: winogradScratch() floats.
  void (*convolve)(const Value* x, const float* filter, WinogradImages images, int64_t inputs, int64_t outputs, int64_t first,
                   int64_t count, float* scratch, Value* y);
  // Transforms `count` tiles, from `first` on, to rows of 16 matrices, the first of them row `row`.
  void (*inputTiles)(const Value* x, WinogradImages images, int64_t channels, int64_t first, int64_t count, int64_t row,
                     int64_t skip, float* to);
  void (*outputTiles)(const Value* dy, WinogradImages images, int64_t channels, int64_t first, int64_t count, int64_t row,
                      int64_t rows, int64_t skip, float* to);
  PanelProduct product;
  // 16 matrices [inputs, outputs] of float -> dw [3, 3, inputs, outputs], rows from `first` on.
  void (*filterGradient)(const float* from, int64_t skip, int64_t inputs, int64_t outputs, int64_t first, int64_t count, float* dw);
};

// Floats between two of 16 matrices: a few lines of cache more than they have, lest all 16 fall on the same places of a cache.
inline int64_t winogradSkip(int64_t floats) { return floats + 80; }
inline int64_t winogradScratch(int64_t tiles, int64_t inputs, int64_t outputs) {
  return 16 * (winogradSkip(tiles * inputs) + winogradSkip(tiles * outputs));
}

}  // namespace simsiam

#endif  // SIMSIAM_WINOGRAD_H_
