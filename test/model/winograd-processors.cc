// Convolves random images by the loops of each kind of processor that this one can stand for, and by the same loops over
// single floats. Prints "same" if all bits are, or what differs.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <random>
#include <vector>

#define SIMSIAM_TARGET

namespace simsiam {
namespace {

using Vector = float;
constexpr int64_t kLanes = 1, kVectors = 4;

inline Vector zero() { return 0; }
inline Vector broadcast(float value) { return value; }
inline Vector load(const float* from) { return *from; }
inline void store(float* to, Vector value) { *to = value; }
inline Vector multiplyAdd(Vector a, Vector b, Vector c) { return std::fma(a, b, c); }

}  // namespace
}  // namespace simsiam

#include "processor_loops.h"

namespace {

using simsiam::WinogradImages;
using simsiam::WinogradLoops;
using simsiam::winogradScratch;
using simsiam::winogradSkip;
using Floats = std::vector<float>;

struct Shape {
  WinogradImages images;
  int64_t inputs, outputs;
};

// Output, gradient of the input and gradient of the filter, one after the other.
Floats results(const WinogradLoops<float>& loops, const Shape& shape, const Floats& x, const Floats& w, const Floats& dy) {
  const auto [images, inputs, outputs] = shape;
  const int64_t tiles = images.tiles(), matrix = winogradSkip(inputs * outputs);
  Floats filter(16 * matrix), scratch(winogradScratch(tiles, inputs, outputs)), y(dy.size()), dx(x.size()), dw(w.size());
  loops.filter(w.data(), inputs, outputs, false, 0, inputs, filter.data());
  loops.convolve(x.data(), filter.data(), images, inputs, outputs, 0, tiles, scratch.data(), y.data());
  loops.filter(w.data(), inputs, outputs, true, 0, outputs, filter.data());
  loops.convolve(dy.data(), filter.data(), images, outputs, inputs, 0, tiles, scratch.data(), dx.data());

  const int64_t inputSkip = winogradSkip(tiles * inputs), outputSkip = winogradSkip(tiles * outputs);
  Floats fromInput(16 * inputSkip), fromOutput(16 * outputSkip), sums(16 * matrix);
  loops.inputTiles(x.data(), images, inputs, 0, tiles, 0, inputSkip, fromInput.data());
  loops.outputTiles(dy.data(), images, outputs, 0, tiles, 0, tiles, outputSkip, fromOutput.data());
  const simsiam::Panels panels{outputs, loops.panel};
  for (int64_t i = 0; i < 16; i++) {
    for (int64_t panel = 0; panel < panels.count(); panel++) {
      const int64_t first = panels.first(panel);
      loops.product(&fromInput[i * inputSkip], inputs, inputs, &fromOutput[i * outputSkip + first * tiles], panels.widthOf(panel),
                    tiles, false, &sums[i * matrix + first], outputs);
    }
  }
  loops.filterGradient(sums.data(), matrix, inputs, outputs, 0, inputs, dw.data());
  y.insert(y.end(), dx.begin(), dx.end());
  y.insert(y.end(), dw.begin(), dw.end());
  return y;
}

std::vector<const WinogradLoops<float>*> kinds() {
  std::vector<const WinogradLoops<float>*> able;
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
  if (__builtin_cpu_supports("avx512f")) able.push_back(&simsiam::kAvx512.winograd);
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) able.push_back(&simsiam::kAvx2.winograd);
#endif
  return able;
}

}  // namespace

int main() {
  const WinogradLoops<float> single = simsiam::winogradLoopsOf<simsiam::Single>();
  std::mt19937 generator(1);
  std::normal_distribution<float> normal;
  for (const Shape& shape : {Shape{{2, 7, 7}, 64, 80}, Shape{{1, 8, 5}, 144, 16}}) {
    const int64_t pixels = shape.images.count * shape.images.height * shape.images.width;
    Floats x(pixels * shape.inputs), w(9 * shape.inputs * shape.outputs), dy(pixels * shape.outputs);
    for (Floats* values : {&x, &w, &dy})
      for (float& value : *values) value = normal(generator);
    const Floats expected = results(single, shape, x, w, dy);
    for (const WinogradLoops<float>* loops : kinds()) {
      const Floats found = results(*loops, shape, x, w, dy);
      if (memcmp(expected.data(), found.data(), found.size() * sizeof(float)) == 0) continue;
      printf("other bits in panels of %d, %d to %d channels\n", int(loops->panel), int(shape.inputs), int(shape.outputs));
      return 1;
    }
  }
  puts("same");
}
