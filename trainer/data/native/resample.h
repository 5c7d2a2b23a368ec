// Bilinear resizing with antialiasing, as Pillow defines it for 8-bit images.
#pragma once

#include <cstdint>

#include "planes.h"

namespace simsiam {

// Interleaved 8-bit RGB, rows without padding.
struct Image {
  const uint8_t* pixels;
  int width;
  int height;
};

struct Rectangle {
  int left;
  int top;
  int width;
  int height;
};

// Resizes `region` of the image to full_width × full_height as if it were the whole image (no pixel outside of it is
// read), and keeps the square window at (window_left, window_top) that has the size of `out`. Pixels of the source
// that the window doesn't need aren't touched.
void resample(const Image& image, const Rectangle& region, int full_width, int full_height, int window_left,
              int window_top, Planes& out);

}  // namespace simsiam
