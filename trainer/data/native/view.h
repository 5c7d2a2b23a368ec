// One view of an image: crop, resize, colour, blur, flip, in the order of MoCo v2.
#pragma once

#include <cstdint>

#include "resample.h"

namespace simsiam {

enum class ColorOperation { kBrightness = 0, kContrast = 1, kSaturation = 2, kHue = 3 };

struct ColorStep {
  ColorOperation operation;
  double factor;
};

struct View {
  Rectangle region;
  int full_width;
  int full_height;
  int window_left;
  int window_top;
  bool flip;
  bool grayscale;
  double blur_sigma;  // 0: no blur
  int color_steps;
  ColorStep color[4];
};

// Writes size × size × 3 bytes, interleaved RGB.
void render(const Image& image, const View& view, int size, uint8_t* out);

}  // namespace simsiam
