#include "blur.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "clones.h"

namespace simsiam {
namespace {

constexpr int kPasses = 3;
constexpr int kFractionBits = 24;

// A box of 2·reach + 1 whole pixels and a fraction of the next one on either side, in fixed point.
struct Box {
  int reach;
  uint32_t inner;
  uint32_t outer;
};

// The box whose variance, three times over, is sigma² (Gwosdek et al., "Theoretical foundations of Gaussian
// convolution by extended box filtering", 2011).
Box box_of(double sigma) {
  const double variance = sigma * sigma / kPasses;
  const double whole = std::floor((std::sqrt(12.0 * variance + 1.0) - 1.0) / 2.0);
  const double above = (2 * whole + 1) * (whole * (whole + 1) - 3.0 * variance);
  const double below = 6.0 * (variance - (whole + 1) * (whole + 1));
  const float radius = static_cast<float>(whole + above / below);
  Box box;
  box.reach = static_cast<int>(radius);
  box.inner = static_cast<uint32_t>(static_cast<float>(1 << kFractionBits) / (radius * 2 + 1));
  box.outer = ((1u << kFractionBits) - (static_cast<uint32_t>(box.reach) * 2 + 1) * box.inner) / 2;
  return box;
}

// One output row from the rows around it: `inside` whole ones and two for the fraction.
inline uint8_t weigh(uint32_t inside, uint32_t outside, uint32_t inner, uint32_t outer) {
  return static_cast<uint8_t>((inside * inner + outside * outer + (1u << (kFractionBits - 1))) >> kFractionBits);
}

// For one box of the usual strengths (sigma below about 2.4): three pixels at most on either side.
SIMSIAM_CLONES
void weigh_3(const uint8_t* __restrict before, const uint8_t* __restrict at, const uint8_t* __restrict after,
             uint8_t* __restrict out, int count, uint32_t inner, uint32_t outer) {
  for (int i = 0; i < count; i++) out[i] = weigh(at[i], before[i] + after[i], inner, outer);
}

SIMSIAM_CLONES
void weigh_5(const uint8_t* __restrict far_before, const uint8_t* __restrict before, const uint8_t* __restrict at,
             const uint8_t* __restrict after, const uint8_t* __restrict far_after, uint8_t* __restrict out, int count,
             uint32_t inner, uint32_t outer) {
  for (int i = 0; i < count; i++) out[i] = weigh(before[i] + at[i] + after[i], far_before[i] + far_after[i], inner, outer);
}

SIMSIAM_CLONES
void add_row(uint32_t* __restrict sum, const uint8_t* __restrict row, int count) {
  for (int i = 0; i < count; i++) sum[i] += row[i];
}

SIMSIAM_CLONES
void weigh_many(const uint32_t* __restrict inside, const uint8_t* __restrict before, const uint8_t* __restrict after,
                uint8_t* __restrict out, int count, uint32_t inner, uint32_t outer) {
  for (int i = 0; i < count; i++) out[i] = weigh(inside[i], before[i] + after[i], inner, outer);
}

struct Scratch {
  std::vector<uint8_t> a;
  std::vector<uint8_t> b;
  std::vector<uint32_t> sum;
};

// `row(offset)` gives the neighbour at that distance.
template <typename Row>
void box_row(const Row& row, uint8_t* out, int count, const Box& box, std::vector<uint32_t>& sum) {
  if (box.reach == 0) {
    weigh_3(row(-1), row(0), row(1), out, count, box.inner, box.outer);
  } else if (box.reach == 1) {
    weigh_5(row(-2), row(-1), row(0), row(1), row(2), out, count, box.inner, box.outer);
  } else {
    sum.assign(static_cast<size_t>(count), 0);
    for (int offset = -box.reach; offset <= box.reach; offset++) add_row(sum.data(), row(offset), count);
    weigh_many(sum.data(), row(-box.reach - 1), row(box.reach + 1), out, count, box.inner, box.outer);
  }
}

// Along a row: neighbours are the row itself, shifted, with the border repeated on both sides.
void blur_across(uint8_t* plane, int size, int stride, const Box& box, Scratch& scratch) {
  const int margin = box.reach + 1;
  scratch.a.resize(static_cast<size_t>(size) + 2 * margin);
  scratch.b.resize(static_cast<size_t>(size) + 2 * margin);
  for (int y = 0; y < size; y++) {
    uint8_t* line = plane + static_cast<size_t>(y) * stride;
    uint8_t* from = scratch.a.data();
    uint8_t* to = scratch.b.data();
    std::memcpy(from + margin, line, static_cast<size_t>(size));
    for (int pass = 0; pass < kPasses; pass++) {
      std::memset(from, from[margin], static_cast<size_t>(margin));
      std::memset(from + margin + size, from[margin + size - 1], static_cast<size_t>(margin));
      uint8_t* target = pass == kPasses - 1 ? line : to + margin;
      box_row([&](int offset) { return from + margin + offset; }, target, size, box, scratch.sum);
      std::swap(from, to);
    }
  }
}

void blur_down(uint8_t* plane, int size, int stride, const Box& box, Scratch& scratch) {
  const size_t bytes = static_cast<size_t>(size) * stride;
  scratch.a.resize(bytes);
  scratch.b.resize(bytes);
  const uint8_t* from = plane;
  for (int pass = 0; pass < kPasses; pass++) {
    uint8_t* to = pass == 0 ? scratch.a.data() : pass == 1 ? scratch.b.data() : plane;
    for (int y = 0; y < size; y++) {
      const auto row = [&](int offset) {
        return from + static_cast<size_t>(std::min(std::max(y + offset, 0), size - 1)) * stride;
      };
      box_row(row, to + static_cast<size_t>(y) * stride, stride, box, scratch.sum);
    }
    from = to;
  }
}

}  // namespace

void gaussian_blur(Planes& image, double sigma) {
  static thread_local Scratch scratch;
  const Box box = box_of(sigma);
  for (int channel = 0; channel < 3; channel++) {
    blur_across(image.plane(channel), image.size(), image.stride(), box, scratch);
    blur_down(image.plane(channel), image.size(), image.stride(), box, scratch);
  }
}

}  // namespace simsiam
