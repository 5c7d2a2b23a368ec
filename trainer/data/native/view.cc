#include "view.h"

#include "blur.h"
#include "clones.h"
#include "color.h"

namespace simsiam {
namespace {

SIMSIAM_CLONES
void interleave(const uint8_t* __restrict red, const uint8_t* __restrict green, const uint8_t* __restrict blue,
                int count, uint8_t* __restrict out) {
  for (int x = 0; x < count; x++) {
    out[x * 3] = red[x];
    out[x * 3 + 1] = green[x];
    out[x * 3 + 2] = blue[x];
  }
}

SIMSIAM_CLONES
void interleave_mirrored(const uint8_t* __restrict red, const uint8_t* __restrict green,
                         const uint8_t* __restrict blue, int count, uint8_t* __restrict out) {
  for (int x = 0; x < count; x++) {
    const int from = count - 1 - x;
    out[x * 3] = red[from];
    out[x * 3 + 1] = green[from];
    out[x * 3 + 2] = blue[from];
  }
}

void apply(const ColorStep& step, Planes& image) {
  switch (step.operation) {
    case ColorOperation::kBrightness:
      return adjust_brightness(image, static_cast<float>(step.factor));
    case ColorOperation::kContrast:
      return adjust_contrast(image, static_cast<float>(step.factor));
    case ColorOperation::kSaturation:
      return adjust_saturation(image, static_cast<float>(step.factor));
    case ColorOperation::kHue:
      return adjust_hue(image, step.factor);
  }
}

}  // namespace

void render(const Image& image, const View& view, int size, uint8_t* out) {
  static thread_local Planes planes;
  planes.resize(size);
  resample(image, view.region, view.full_width, view.full_height, view.window_left, view.window_top, planes);
  for (int i = 0; i < view.color_steps; i++) apply(view.color[i], planes);
  if (view.grayscale) to_grayscale(planes);
  if (view.blur_sigma > 0) gaussian_blur(planes, view.blur_sigma);
  const auto write_row = view.flip ? interleave_mirrored : interleave;
  for (int y = 0; y < size; y++) {
    const size_t at = static_cast<size_t>(y) * planes.stride();
    write_row(planes.plane(0) + at, planes.plane(1) + at, planes.plane(2) + at, size,
              out + static_cast<size_t>(y) * size * 3);
  }
}

}  // namespace simsiam
