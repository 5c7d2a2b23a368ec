// Images and factors in bfloat16, for loops of vectors that whoever includes this has defined, as product_loops.h asks.
//
// An Arithmetic says how vectors compute with it: widened() to 32 bits each, rounded() to the nearest, halves to even, and
// multiplyAdd(), the sum of a third vector and of both products of the pairs that share 32 bits.
#ifndef SIMSIAM_BFLOAT16_FORMAT_H_
#define SIMSIAM_BFLOAT16_FORMAT_H_

#include "product_loops.h"

namespace simsiam {
namespace {

using Halves = uint16_t __attribute__((vector_size(2 * kLanes)));
using Words = uint32_t __attribute__((vector_size(4 * kLanes)));

// At any address.
struct __attribute__((packed, may_alias)) StoredHalves {
  Halves values;
};

template <class Arithmetic>
struct Bfloat16 {
  using Value = uint16_t;
  static constexpr int64_t kFactors = 2;
  SIMSIAM_STEP Vector load(const uint16_t* from) { return (Vector)(Arithmetic::widened(((const StoredHalves*)from)->values) << 16); }
  SIMSIAM_STEP void store(void* to, Vector value) { ((StoredHalves*)to)->values = Arithmetic::rounded(value); }
  SIMSIAM_STEP void storeColumns(float* to, Vector factors) { store(to, factors); }
  SIMSIAM_STEP void storeRows(float* to, Vector first, Vector second) {
    const Halves upper = Arithmetic::rounded(second), lower = Arithmetic::rounded(first);
    simsiam::store(to, (Vector)(Arithmetic::widened(upper) << 16 | Arithmetic::widened(lower)));
  }
  SIMSIAM_STEP Vector multiplyAdd(Vector a, Vector b, Vector c) { return Arithmetic::multiplyAdd(a, b, c); }
};

}  // namespace
}  // namespace simsiam

#endif  // SIMSIAM_BFLOAT16_FORMAT_H_
