// Node-API binding. Its contract is in ../native-augment.ts.
#include <node_api.h>

#include <cmath>

#include "view.h"

namespace {

constexpr size_t kParameters = 20;

bool is_whole(double value, double low, double high) {
  return value >= low && value <= high && value == std::floor(value);
}

// Reads and checks the 20 numbers of a view. Null when they are right, else what is wrong.
const char* read_view(const double* p, const simsiam::Image& image, int size, simsiam::View& view) {
  constexpr double kMost = 1 << 30;
  if (!is_whole(p[0], 0, image.width - 1) || !is_whole(p[1], 0, image.height - 1) ||
      !is_whole(p[2], 1, image.width - p[0]) || !is_whole(p[3], 1, image.height - p[1])) {
    return "the region is not within the image";
  }
  if (!is_whole(p[4], size, kMost) || !is_whole(p[5], size, kMost) || !is_whole(p[6], 0, p[4] - size) ||
      !is_whole(p[7], 0, p[5] - size)) {
    return "the window is not within the resized region";
  }
  if (!(p[10] >= 0 && p[10] <= 1024)) return "the blur's sigma is not between 0 and 1024";
  if (!is_whole(p[11], 0, 4)) return "there are 0 to 4 colour steps";
  view.region = {static_cast<int>(p[0]), static_cast<int>(p[1]), static_cast<int>(p[2]), static_cast<int>(p[3])};
  view.full_width = static_cast<int>(p[4]);
  view.full_height = static_cast<int>(p[5]);
  view.window_left = static_cast<int>(p[6]);
  view.window_top = static_cast<int>(p[7]);
  view.flip = p[8] != 0;
  view.grayscale = p[9] != 0;
  view.blur_sigma = p[10];
  view.color_steps = static_cast<int>(p[11]);
  for (int i = 0; i < view.color_steps; i++) {
    if (!is_whole(p[12 + 2 * i], 0, 3) || !std::isfinite(p[13 + 2 * i])) return "a colour step is unknown";
    view.color[i] = {static_cast<simsiam::ColorOperation>(static_cast<int>(p[12 + 2 * i])), p[13 + 2 * i]};
  }
  return nullptr;
}

struct TypedArray {
  napi_typedarray_type type;
  size_t length;
  void* data;
};

bool typed_array(napi_env env, napi_value value, TypedArray& array) {
  bool is_typed_array = false;
  if (napi_is_typedarray(env, value, &is_typed_array) != napi_ok || !is_typed_array) return false;
  return napi_get_typedarray_info(env, value, &array.type, &array.length, &array.data, nullptr, nullptr) == napi_ok;
}

// render(pixels, width, height, parameters, view, size, out, offset)
napi_value render(napi_env env, napi_callback_info info) {
  const auto refuse = [env](const char* why) -> napi_value {
    napi_throw_range_error(env, "AUGMENT_ARGUMENT", why);
    return nullptr;
  };
  size_t count = 8;
  napi_value arguments[8];
  if (napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr) != napi_ok || count != 8) {
    return refuse("render takes 8 arguments");
  }
  TypedArray pixels, parameters, out;
  if (!typed_array(env, arguments[0], pixels) || pixels.type != napi_uint8_array) return refuse("pixels: a Uint8Array");
  if (!typed_array(env, arguments[3], parameters) || parameters.type != napi_float64_array) {
    return refuse("parameters: a Float64Array");
  }
  if (!typed_array(env, arguments[6], out) || out.type != napi_uint8_array) return refuse("out: a Uint8Array");
  int32_t width, height, number, size;
  int64_t offset;
  if (napi_get_value_int32(env, arguments[1], &width) != napi_ok ||
      napi_get_value_int32(env, arguments[2], &height) != napi_ok ||
      napi_get_value_int32(env, arguments[4], &number) != napi_ok ||
      napi_get_value_int32(env, arguments[5], &size) != napi_ok ||
      napi_get_value_int64(env, arguments[7], &offset) != napi_ok) {
    return refuse("width, height, view, size, offset: numbers");
  }
  if (width < 1 || height < 1 || pixels.length / 3 / static_cast<size_t>(width) < static_cast<size_t>(height)) {
    return refuse("pixels are fewer than width × height × 3");
  }
  if (number < 0 || (static_cast<size_t>(number) + 1) * kParameters > parameters.length) {
    return refuse("there are no parameters for this view");
  }
  if (size < 1 || size > 16384 || offset < 0 || static_cast<size_t>(offset) > out.length ||
      out.length - static_cast<size_t>(offset) < static_cast<size_t>(size) * size * 3) {
    return refuse("out has no room for size × size × 3 bytes at the offset");
  }
  const simsiam::Image image{static_cast<const uint8_t*>(pixels.data), width, height};
  simsiam::View view;
  const double* values = static_cast<const double*>(parameters.data) + static_cast<size_t>(number) * kParameters;
  if (const char* wrong = read_view(values, image, size, view)) return refuse(wrong);
  simsiam::render(image, view, size, static_cast<uint8_t*>(out.data) + offset);
  return nullptr;
}

}  // namespace

NAPI_MODULE_INIT() {
  napi_value function;
  if (napi_create_function(env, "render", NAPI_AUTO_LENGTH, render, nullptr, &function) != napi_ok ||
      napi_set_named_property(env, exports, "render", function) != napi_ok) {
    napi_throw_error(env, nullptr, "the augmentation addon could not be set up");
  }
  return exports;
}
