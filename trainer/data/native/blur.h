// Gaussian blur by three box blurs in each direction, as Pillow's ImageFilter.GaussianBlur, which MoCo v2 uses.
#pragma once

#include "planes.h"

namespace simsiam {

// sigma > 0, in pixels. Pixels beyond the border are those of the border.
void gaussian_blur(Planes& image, double sigma);

}  // namespace simsiam
