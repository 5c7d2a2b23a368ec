// What winograd.h and filter_gradient.h have in common: matrices whose product, leftᵀ × right, is a gradient of a filter.
#ifndef SIMSIAM_PRODUCT_H_
#define SIMSIAM_PRODUCT_H_

#include <cstdint>

namespace simsiam {

// How a matrix [rows, columns] lies in memory: in panels of `width` columns, first all rows of the first panel, then those of
// the next. The last one may be narrower.
struct Panels {
  int64_t columns, width;
  int64_t count() const { return (columns + width - 1) / width; }
  int64_t first(int64_t panel) const { return panel * width; }
  int64_t widthOf(int64_t panel) const { return columns - first(panel) < width ? columns - first(panel) : width; }
  int64_t at(int64_t rows, int64_t row, int64_t column) const {
    const int64_t panel = column / width;
    return first(panel) * rows + row * widthOf(panel) + (column - first(panel));
  }
};

// to [leftWidth, rightWidth] (+)= leftᵀ × right, both of `rows` rows: right is one panel, left so many columns of rows that are
// leftRow floats each, as those of `to` are toRow.
using PanelProduct = void (*)(const float* left, int64_t leftRow, int64_t leftWidth, const float* right, int64_t rightWidth,
                              int64_t rows, bool add, float* to, int64_t toRow);

}  // namespace simsiam

#endif  // SIMSIAM_PRODUCT_H_
