// Products of matrices for the loops of winograd.h and filter_gradient.h, for vectors of a type that whoever includes this has
// defined: Vector, kLanes, kVectors (how many of them a panel is wide), and SIMSIAM_TARGET, the processor that each function
// is compiled for. Nothing here may be shared between processors, so all is in an unnamed namespace and nothing of the
// standard library is called.
//
// A Format says how images and factors lie in memory: Value, load() and store() of the values of an image; kFactors, how many
// factors share 32 bits, one below the other in their matrix; storeColumns() of factors that lie side by side, storeRows() of
// kFactors rows of them, and multiplyAdd() of vectors of such 32 bits.
#ifndef SIMSIAM_PRODUCT_LOOPS_H_
#define SIMSIAM_PRODUCT_LOOPS_H_

#include "product.h"

#define SIMSIAM_LOOP SIMSIAM_TARGET static
#define SIMSIAM_STEP SIMSIAM_TARGET static inline __attribute__((always_inline))

namespace simsiam {
namespace {

constexpr int64_t kPanel = kLanes * kVectors;
constexpr int kRows = 6;           // with kVectors columns as many sums as registers hold
constexpr int64_t kAddends = 32;   // are added up by themselves: sums of sums round less

SIMSIAM_STEP int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

// Zero beyond the image. Images: count, height and width of them.
template <class Format, class Images>
SIMSIAM_STEP Vector valueAt(const typename Format::Value* x, const Images& images, int64_t channels, int64_t image, int64_t row,
                            int64_t column, int64_t channel) {
  if (row < 0 || row >= images.height || column < 0 || column >= images.width) return zero();
  return Format::load(x + ((image * images.height + row) * images.width + column) * channels + channel);
}

// to [Rows, Columns vectors] = or += a × b, where a[row, k] is at a[row · byRow + k · byK], and b's rows are as wide as to's.
template <class Format, int Rows, int Columns>
SIMSIAM_LOOP void multiply(int64_t depth, const float* a, int64_t byRow, int64_t byK, const float* b, bool add, float* to,
                           int64_t toRow) {
  for (int64_t begin = 0; begin < depth; begin += kAddends) {
    Vector sums[Rows][Columns];
    for (auto& row : sums)
      for (Vector& sum : row) sum = zero();
    const int64_t end = least(depth, begin + kAddends);
    for (int64_t k = begin; k < end; k++) {
      Vector right[Columns];
      for (int c = 0; c < Columns; c++) right[c] = load(b + (k * Columns + c) * kLanes);
#pragma GCC unroll 8
      for (int r = 0; r < Rows; r++) {
        const Vector left = broadcast(a[r * byRow + k * byK]);
#pragma GCC unroll 8
        for (int c = 0; c < Columns; c++) sums[r][c] = Format::multiplyAdd(left, right[c], sums[r][c]);
      }
    }
    for (int r = 0; r < Rows; r++) {
      for (int c = 0; c < Columns; c++) {
        float* at = to + r * toRow + c * kLanes;
        store(at, add || begin > 0 ? sums[r][c] + load(at) : sums[r][c]);
      }
    }
  }
}

template <class Format, int Columns>
SIMSIAM_LOOP void multiplyRows(int64_t rows, int64_t depth, const float* a, int64_t byRow, int64_t byK, const float* b, bool add,
                               float* to, int64_t toRow) {
  for (; rows >= kRows; rows -= kRows, a += kRows * byRow, to += kRows * toRow)
    multiply<Format, kRows, Columns>(depth, a, byRow, byK, b, add, to, toRow);
  switch (rows) {
    case 5: return multiply<Format, 5, Columns>(depth, a, byRow, byK, b, add, to, toRow);
    case 4: return multiply<Format, 4, Columns>(depth, a, byRow, byK, b, add, to, toRow);
    case 3: return multiply<Format, 3, Columns>(depth, a, byRow, byK, b, add, to, toRow);
    case 2: return multiply<Format, 2, Columns>(depth, a, byRow, byK, b, add, to, toRow);
    case 1: return multiply<Format, 1, Columns>(depth, a, byRow, byK, b, add, to, toRow);
  }
}

// b: a panel of `width` columns, of at most kPanel.
template <class Format>
SIMSIAM_LOOP void multiplyPanel(int64_t rows, int64_t depth, const float* a, int64_t byRow, int64_t byK, const float* b,
                                int64_t width, bool add, float* to, int64_t toRow) {
  static_assert(kVectors <= 4, "a case for each width");
  switch (width / kLanes) {
    case 4: return multiplyRows<Format, kVectors>(rows, depth, a, byRow, byK, b, add, to, toRow);
    case 3: return multiplyRows<Format, kVectors < 3 ? kVectors : 3>(rows, depth, a, byRow, byK, b, add, to, toRow);
    case 2: return multiplyRows<Format, 2>(rows, depth, a, byRow, byK, b, add, to, toRow);
    case 1: return multiplyRows<Format, 1>(rows, depth, a, byRow, byK, b, add, to, toRow);
  }
}

template <class Format>
SIMSIAM_LOOP void product(const float* left, int64_t leftRow, int64_t leftWidth, const float* right, int64_t rightWidth,
                          int64_t rows, bool add, float* to, int64_t toRow) {
  multiplyPanel<Format>(leftWidth, rows, left, 1, leftRow, right, rightWidth, add, to, toRow);
}

// Floats throughout.
struct Single {
  using Value = float;
  static constexpr int64_t kFactors = 1;
  SIMSIAM_STEP Vector load(const float* from) { return simsiam::load(from); }
  SIMSIAM_STEP void store(float* to, Vector value) { simsiam::store(to, value); }
  SIMSIAM_STEP void storeColumns(float* to, Vector factors) { simsiam::store(to, factors); }
  SIMSIAM_STEP void storeRows(float* to, Vector only, Vector) { simsiam::store(to, only); }
  SIMSIAM_STEP Vector multiplyAdd(Vector a, Vector b, Vector c) { return simsiam::multiplyAdd(a, b, c); }
};

}  // namespace
}  // namespace simsiam

#endif  // SIMSIAM_PRODUCT_LOOPS_H_
