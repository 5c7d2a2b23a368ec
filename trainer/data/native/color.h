// The colour operations of torchvision on 8-bit images: each rounds to bytes as Pillow does.
#pragma once

#include "planes.h"

namespace simsiam {

// Blends with black: 0 gives black, 1 the image, more than 1 a brighter one.
void adjust_brightness(Planes& image, float factor);
// Blends with the mean of the image's grey values.
void adjust_contrast(Planes& image, float factor);
// Blends with the image's own grey values.
void adjust_saturation(Planes& image, float factor);
// Turns the hue by factor · 360°, factor in [−0.5, 0.5].
void adjust_hue(Planes& image, double factor);
// Replaces the three channels by the grey value (ITU-R 601).
void to_grayscale(Planes& image);

}  // namespace simsiam
