#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("no-trapping-math")
#endif
#include "color.h"

#include <algorithm>
#include <cstring>

#include "clones.h"

namespace simsiam {
namespace {

// ITU-R 601 in 16-bit fixed point.
inline int gray_of(int red, int green, int blue) {
  return (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;
}

// from + factor·(to − from), cut to a byte towards zero.
inline uint8_t blend(int from, int to, float factor) {
  const float mixed = static_cast<float>(from) + factor * static_cast<float>(to - from);
  return static_cast<uint8_t>(static_cast<int>(std::min(std::max(mixed, 0.0f), 255.0f)));
}

SIMSIAM_CLONES
void blend_with_constant(uint8_t* __restrict bytes, size_t count, int constant, float factor) {
  for (size_t i = 0; i < count; i++) bytes[i] = blend(constant, bytes[i], factor);
}

SIMSIAM_CLONES
void blend_with_gray(uint8_t* __restrict red, uint8_t* __restrict green, uint8_t* __restrict blue, size_t count,
                     float factor) {
  for (size_t i = 0; i < count; i++) {
    const int gray = gray_of(red[i], green[i], blue[i]);
    red[i] = blend(gray, red[i], factor);
    green[i] = blend(gray, green[i], factor);
    blue[i] = blend(gray, blue[i], factor);
  }
}

SIMSIAM_CLONES
uint32_t gray_sum(const uint8_t* __restrict red, const uint8_t* __restrict green, const uint8_t* __restrict blue,
                  int count) {
  uint32_t sum = 0;
  for (int i = 0; i < count; i++) sum += static_cast<uint32_t>(gray_of(red[i], green[i], blue[i]));
  return sum;
}

SIMSIAM_CLONES
void gray_plane(uint8_t* __restrict red, const uint8_t* __restrict green, const uint8_t* __restrict blue,
                size_t count) {
  for (size_t i = 0; i < count; i++) red[i] = static_cast<uint8_t>(gray_of(red[i], green[i], blue[i]));
}

// How far a channel falls below the value, in units of value · saturation. `position` is the hue in [0, 6] plus the
// channel's offset (red 5, green 3, blue 1).
inline float fall(float position) {
  position = position >= 6.0f ? position - 6.0f : position;
  return std::min(std::max(std::min(position, 4.0f - position), 0.0f), 1.0f);
}

inline uint8_t to_byte(float value) { return static_cast<uint8_t>(static_cast<int>(value + 0.5f)); }

// To HSV in bytes, the hue shifted with wrap-around, and back. Without branches, so that it vectorises.
SIMSIAM_CLONES
void shift_hue(uint8_t* __restrict reds, uint8_t* __restrict greens, uint8_t* __restrict blues, size_t count,
               int shift) {
  for (size_t i = 0; i < count; i++) {
    const int red = reds[i];
    const int green = greens[i];
    const int blue = blues[i];
    const int high = std::max(red, std::max(green, blue));
    const int low = std::min(red, std::min(green, blue));
    const float range = static_cast<float>(std::max(high - low, 1));
    const float to_red = static_cast<float>(high - red) / range;
    const float to_green = static_cast<float>(high - green) / range;
    const float to_blue = static_cast<float>(high - blue) / range;
    const float sector = red == high     ? to_blue - to_green
                         : green == high ? 2.0f + to_red - to_blue
                                         : 4.0f + to_green - to_red;
    float turn = sector / 6.0f + 1.0f;
    turn = turn >= 1.0f ? turn - 1.0f : turn;
    const int hue = high == low ? 0 : static_cast<int>(turn * 255.0f);
    const int saturation = static_cast<int>(static_cast<float>(high - low) / static_cast<float>(std::max(high, 1)) * 255.0f);

    const float position = static_cast<float>((hue + shift) & 255) * 6.0f / 255.0f;
    const float value = static_cast<float>(high);
    const float depth = static_cast<float>(saturation) / 255.0f;
    reds[i] = to_byte(value * (1.0f - depth * fall(position + 5.0f)));
    greens[i] = to_byte(value * (1.0f - depth * fall(position + 3.0f)));
    blues[i] = to_byte(value * (1.0f - depth * fall(position + 1.0f)));
  }
}

}  // namespace

void adjust_brightness(Planes& image, float factor) {
  blend_with_constant(image.plane(0), image.plane_bytes() * 3, 0, factor);
}

void adjust_contrast(Planes& image, float factor) {
  uint64_t sum = 0;
  for (int y = 0; y < image.size(); y++) {
    const size_t at = static_cast<size_t>(y) * image.stride();
    sum += gray_sum(image.plane(0) + at, image.plane(1) + at, image.plane(2) + at, image.size());
  }
  const double mean = static_cast<double>(sum) / image.size() / image.size();
  blend_with_constant(image.plane(0), image.plane_bytes() * 3, static_cast<int>(mean + 0.5), factor);
}

void adjust_saturation(Planes& image, float factor) {
  blend_with_gray(image.plane(0), image.plane(1), image.plane(2), image.plane_bytes(), factor);
}

void adjust_hue(Planes& image, double factor) {
  shift_hue(image.plane(0), image.plane(1), image.plane(2), image.plane_bytes(), static_cast<int>(factor * 255) & 255);
}

void to_grayscale(Planes& image) {
  gray_plane(image.plane(0), image.plane(1), image.plane(2), image.plane_bytes());
  std::memcpy(image.plane(1), image.plane(0), image.plane_bytes());
  std::memcpy(image.plane(2), image.plane(0), image.plane_bytes());
}

}  // namespace simsiam
