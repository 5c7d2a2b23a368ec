// The inner loops of resampling: weighted sums of pixels in 16-bit fixed point. All versions give the same bytes.
#pragma once

#include <cstddef>
#include <cstdint>

namespace simsiam {

constexpr int kWeightBits = 14;
// Bytes past its last pixel that a source row must be readable for (weights of 0 still read), and a reduced one
// writable and readable.
constexpr size_t row_read_margin(int pairs) { return static_cast<size_t>(pairs) * 6 + 2; }
constexpr int kRowWriteMargin = 16;

struct RowTaps {
  const int* first;        // source pixel of each output pixel's first tap
  const int16_t* weights;  // `pairs` · 2 for each output pixel; 0 where there are fewer taps
  int pairs;
};

// One output row of `length` RGB pixels from each of two source rows.
void reduce_rows(const uint8_t* const source[2], const RowTaps& taps, int length, uint8_t* const out[2]);

// One output row of `bytes` bytes (rounded up to 16) from 2 · `pairs` source rows, `stride` apart.
void reduce_column(const uint8_t* rows, int stride, const int16_t* weights, int pairs, int bytes, uint8_t* out);

}  // namespace simsiam
