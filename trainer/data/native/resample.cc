#include "resample.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "clones.h"
#include "resample_kernels.h"

namespace simsiam {
namespace {

// For each output position the first source position and the weights of the taps from there on.
struct Taps {
  int pairs = 0;
  std::vector<int> first;
  std::vector<int> count;
  std::vector<int16_t> weights;
};

// A triangle filter whose support grows with the reduction; weights that fall off the edge are shared by the others.
// Rounded to fixed point they still sum to exactly one, so that an even image stays even.
void make_taps(int source, int target, int from, int length, Taps& taps) {
  const double scale = static_cast<double>(source) / target;
  const double support = std::max(scale, 1.0);
  taps.pairs = static_cast<int>(std::ceil(support)) + 1;
  taps.first.resize(length);
  taps.count.resize(length);
  taps.weights.assign(static_cast<size_t>(length) * taps.pairs * 2, 0);
  std::vector<double> exact(static_cast<size_t>(taps.pairs) * 2);
  for (int i = 0; i < length; i++) {
    const double centre = (from + i + 0.5) * scale;
    const int low = std::max(static_cast<int>(centre - support + 0.5), 0);
    const int high = std::min(static_cast<int>(centre + support + 0.5), source);
    double sum = 0;
    for (int x = low; x < high; x++) {
      exact[x - low] = std::max(1.0 - std::fabs((x - centre + 0.5) / support), 0.0);
      sum += exact[x - low];
    }
    int16_t* weights = taps.weights.data() + static_cast<size_t>(i) * taps.pairs * 2;
    int rest = 1 << kWeightBits;
    int largest = 0;
    for (int k = 0; k < high - low; k++) {
      weights[k] = static_cast<int16_t>(exact[k] / sum * (1 << kWeightBits) + 0.5);
      rest -= weights[k];
      if (weights[k] > weights[largest]) largest = k;
    }
    weights[largest] = static_cast<int16_t>(weights[largest] + rest);
    taps.first[i] = low;
    taps.count[i] = high - low;
  }
}

// Drops the pairs that no output position needs.
void trim(Taps& taps) {
  const int most = *std::max_element(taps.count.begin(), taps.count.end());
  const int pairs = (most + 1) / 2;
  if (pairs == taps.pairs) return;
  const size_t length = taps.first.size();
  for (size_t i = 0; i < length; i++) {
    std::memmove(taps.weights.data() + i * pairs * 2, taps.weights.data() + i * taps.pairs * 2,
                 static_cast<size_t>(pairs) * 2 * sizeof(int16_t));
  }
  taps.pairs = pairs;
}

SIMSIAM_CLONES
void split_row(const uint8_t* __restrict row, int length, uint8_t* __restrict red, uint8_t* __restrict green,
               uint8_t* __restrict blue) {
  for (int i = 0; i < length; i++) {
    red[i] = row[i * 3];
    green[i] = row[i * 3 + 1];
    blue[i] = row[i * 3 + 2];
  }
}

struct Scratch {
  Taps across;
  Taps down;
  std::vector<uint8_t> rows;     // reduced across, not yet down
  std::vector<uint8_t> end[2];   // copies of the image's last rows, with a margin
  std::vector<uint8_t> reduced;  // one output row
};

// The row of the image, or a copy of it where the image ends less than `margin` bytes behind the row.
const uint8_t* readable_row(const Image& image, int y, size_t margin, std::vector<uint8_t>& copy) {
  const size_t row_bytes = static_cast<size_t>(image.width) * 3;
  const uint8_t* row = image.pixels + y * row_bytes;
  if (static_cast<size_t>(image.height - 1 - y) * row_bytes >= margin) return row;
  copy.resize(row_bytes + margin);
  std::memcpy(copy.data(), row, row_bytes);
  return copy.data();
}

}  // namespace

void resample(const Image& image, const Rectangle& region, int full_width, int full_height, int window_left,
              int window_top, Planes& out) {
  static thread_local Scratch scratch;
  const int size = out.size();
  Taps& across = scratch.across;
  Taps& down = scratch.down;
  make_taps(region.width, full_width, window_left, size, across);
  trim(across);
  make_taps(region.height, full_height, window_top, size, down);
  trim(down);

  const int first_row = down.first[0];
  const int row_count = down.first[size - 1] + down.count[size - 1] - first_row;
  const int stride = (size * 3 + 15) / 16 * 16 + kRowWriteMargin;
  // A pair may reach one row past the last one, with weight 0: there must be room to read, and for a row without a
  // partner to be written.
  scratch.rows.resize(static_cast<size_t>(row_count + 2 * down.pairs) * stride);
  const size_t margin = row_read_margin(across.pairs);
  const RowTaps taps{across.first.data(), across.weights.data(), across.pairs};
  for (int y = 0; y < row_count; y += 2) {
    const uint8_t* source[2];
    uint8_t* target[2];
    for (int r = 0; r < 2; r++) {
      const int from = region.top + first_row + std::min(y + r, row_count - 1);
      source[r] = readable_row(image, from, margin, scratch.end[r]) + static_cast<size_t>(region.left) * 3;
      target[r] = scratch.rows.data() + static_cast<size_t>(y + r) * stride;
    }
    reduce_rows(source, taps, size, target);
  }

  scratch.reduced.resize(static_cast<size_t>(stride));
  for (int y = 0; y < size; y++) {
    const uint8_t* rows = scratch.rows.data() + static_cast<size_t>(down.first[y] - first_row) * stride;
    reduce_column(rows, stride, down.weights.data() + static_cast<size_t>(y) * down.pairs * 2, down.pairs, size * 3,
                  scratch.reduced.data());
    const size_t at = static_cast<size_t>(y) * out.stride();
    split_row(scratch.reduced.data(), size, out.plane(0) + at, out.plane(1) + at, out.plane(2) + at);
  }
}

}  // namespace simsiam
