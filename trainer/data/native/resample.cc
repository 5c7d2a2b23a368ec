#include "resample.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "clones.h"

namespace simsiam {
namespace {

// Pillow's fixed point: 8 bits of the pixel, 2 of head room for the sum, the rest for the weight.
constexpr int kFractionBits = 32 - 8 - 2;
constexpr int32_t kHalf = 1 << (kFractionBits - 1);

// For each output position: the first source position, the number of taps and their weights.
struct Taps {
  int width = 0;  // room for weights at each position
  std::vector<int> first;
  std::vector<int> count;
  std::vector<int32_t> weight;
};

// A triangle filter whose support grows with the reduction; weights that fall off the edge are shared by the others.
void make_taps(int source, int target, int from, int length, Taps& taps) {
  const double scale = static_cast<double>(source) / target;
  const double support = std::max(scale, 1.0);
  taps.width = static_cast<int>(std::ceil(support)) * 2 + 1;
  taps.first.resize(length);
  taps.count.resize(length);
  taps.weight.resize(static_cast<size_t>(length) * taps.width);
  std::vector<double> exact(taps.width);
  for (int i = 0; i < length; i++) {
    const double centre = (from + i + 0.5) * scale;
    const int low = std::max(static_cast<int>(centre - support + 0.5), 0);
    const int high = std::min(static_cast<int>(centre + support + 0.5), source);
    double sum = 0;
    for (int x = low; x < high; x++) {
      const double distance = std::fabs((x - centre + 0.5) / support);
      exact[x - low] = std::max(1.0 - distance, 0.0);
      sum += exact[x - low];
    }
    for (int k = 0; k < high - low; k++) {
      taps.weight[static_cast<size_t>(i) * taps.width + k] =
          static_cast<int32_t>(exact[k] / sum * (1 << kFractionBits) + 0.5);
    }
    taps.first[i] = low;
    taps.count[i] = high - low;
  }
}

typedef uint8_t Bytes4 __attribute__((vector_size(4)));
typedef int32_t Ints4 __attribute__((vector_size(16)));
typedef uint8_t Bytes16 __attribute__((vector_size(16)));
typedef int32_t Ints16 __attribute__((vector_size(64)));

// The weights sum to one and are never negative, so the results need no clamp beyond the rounding of the weights.
inline uint8_t to_byte(int32_t sum) { return static_cast<uint8_t>(std::min(sum >> kFractionBits, 255)); }

// One source row to one row of each plane. Pixels are read four bytes at a time: `row` must be readable one byte past
// its last pixel.
SIMSIAM_CLONES
void reduce_row(const uint8_t* row, const int* first, const int* count, const int32_t* weight, int weights, int length,
                uint8_t* red, uint8_t* green, uint8_t* blue) {
  for (int i = 0; i < length; i++) {
    const uint8_t* pixel = row + static_cast<ptrdiff_t>(first[i]) * 3;
    const int32_t* w = weight + static_cast<ptrdiff_t>(i) * weights;
    Ints4 sum = {kHalf, kHalf, kHalf, kHalf};
    for (int k = 0; k < count[i]; k++) {
      Bytes4 bytes;
      std::memcpy(&bytes, pixel + k * 3, sizeof bytes);
      sum += __builtin_convertvector(bytes, Ints4) * w[k];
    }
    red[i] = to_byte(sum[0]);
    green[i] = to_byte(sum[1]);
    blue[i] = to_byte(sum[2]);
  }
}

// `count` rows, weighted, to one; `stride` is a multiple of the vector.
SIMSIAM_CLONES
void reduce_column(const uint8_t* rows, int stride, int count, const int32_t* weight, uint8_t* out) {
  for (int x = 0; x < stride; x += 16) {
    Ints16 sum = Ints16{} + kHalf;
    const uint8_t* at = rows + x;
    for (int k = 0; k < count; k++, at += stride) {
      Bytes16 bytes;
      std::memcpy(&bytes, at, sizeof bytes);
      sum += __builtin_convertvector(bytes, Ints16) * weight[k];
    }
    sum >>= kFractionBits;
    sum = sum > 255 ? Ints16{} + 255 : sum;
    const Bytes16 bytes = __builtin_convertvector(sum, Bytes16);
    std::memcpy(out + x, &bytes, sizeof bytes);
  }
}

void split_row(const uint8_t* row, int length, uint8_t* red, uint8_t* green, uint8_t* blue) {
  for (int i = 0; i < length; i++) {
    red[i] = row[i * 3];
    green[i] = row[i * 3 + 1];
    blue[i] = row[i * 3 + 2];
  }
}

struct Scratch {
  Taps across;
  Taps down;
  std::vector<uint8_t> rows;
  std::vector<uint8_t> last_row;
};

}  // namespace

void resample(const Image& image, const Rectangle& region, int full_width, int full_height, int window_left,
              int window_top, Planes& out) {
  static thread_local Scratch scratch;
  const int size = out.size();
  const int stride = out.stride();
  Taps& across = scratch.across;
  Taps& down = scratch.down;
  make_taps(region.width, full_width, window_left, size, across);
  make_taps(region.height, full_height, window_top, size, down);

  const int first_row = down.first[0];
  const int row_count = down.first[size - 1] + down.count[size - 1] - first_row;
  const bool same_width = region.width == full_width;
  const bool same_height = region.height == full_height;
  const size_t plane_bytes = static_cast<size_t>(row_count) * stride;
  if (!same_height) scratch.rows.resize(plane_bytes * 3);

  for (int y = 0; y < row_count; y++) {
    const int source_y = region.top + first_row + y;
    const size_t row_bytes = static_cast<size_t>(image.width) * 3;
    const uint8_t* row = image.pixels + source_y * row_bytes;
    if (source_y == image.height - 1) {
      scratch.last_row.assign(row, row + row_bytes);
      scratch.last_row.push_back(0);
      row = scratch.last_row.data();
    }
    row += static_cast<size_t>(region.left) * 3;
    uint8_t* target[3];
    for (int c = 0; c < 3; c++) {
      target[c] = same_height ? out.plane(c) + static_cast<size_t>(y) * stride
                              : scratch.rows.data() + c * plane_bytes + static_cast<size_t>(y) * stride;
    }
    if (same_width) {
      split_row(row + static_cast<size_t>(window_left) * 3, size, target[0], target[1], target[2]);
    } else {
      reduce_row(row, across.first.data(), across.count.data(), across.weight.data(), across.width, size, target[0],
                 target[1], target[2]);
    }
  }
  if (same_height) return;

  for (int c = 0; c < 3; c++) {
    const uint8_t* plane = scratch.rows.data() + c * plane_bytes;
    for (int y = 0; y < size; y++) {
      reduce_column(plane + static_cast<size_t>(down.first[y] - first_row) * stride, stride, down.count[y],
                    down.weight.data() + static_cast<size_t>(y) * down.width,
                    out.plane(c) + static_cast<size_t>(y) * stride);
    }
  }
}

}  // namespace simsiam
