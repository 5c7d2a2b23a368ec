// The loops of winograd.h; what they ask of whoever includes them is in product_loops.h.
#ifndef SIMSIAM_WINOGRAD_LOOPS_H_
#define SIMSIAM_WINOGRAD_LOOPS_H_

#include "product_loops.h"
#include "winograd.h"

namespace simsiam {
namespace {

// Where a tile lies: its image, and its first row and column.
struct Tile {
  int64_t image, y, x;
};
SIMSIAM_STEP Tile tileAt(int64_t index, const WinogradImages& images) {
  const int64_t across = (images.width + 1) / 2, down = (images.height + 1) / 2;
  return {index / across / down, index / across % down * 2, index % across * 2};
}

// 16 factors of a tile or a filter, 4×4 of them, for kLanes channels.
struct Factors {
  Vector values[16];
};

// Each goes to its own of 16 matrices: kFactors rows of it, from `rows` on.
template <class Format>
SIMSIAM_STEP void storeRows(const Factors* rows, int64_t skip, float* at) {
  for (int i = 0; i < 16; i++) Format::storeRows(at + i * skip, rows[0].values[i], rows[Format::kFactors - 1].values[i]);
}

// Values of a turned filter, from kLanes rows and columns on, where one row is one vector.
struct Block {
  float values[9][kLanes][kLanes];
};
SIMSIAM_STEP void turn(const float* w, int64_t inputs, int64_t outputs, int64_t row, int64_t column, Block* block) {
  for (int i = 0; i < 9; i++)
    for (int64_t c = 0; c < kLanes; c++)
      for (int64_t r = 0; r < kLanes; r++) block->values[i][r][c] = w[((8 - i) * inputs + column + c) * outputs + row + r];
}

// G g Gᵀ, where g is 3×3.
SIMSIAM_STEP Factors filterFactors(const Vector* g) {
  const Vector half = broadcast(0.5f);
  Vector t[4][3];
  for (int j = 0; j < 3; j++) {
    const Vector outer = (g[j] + g[6 + j]) * half, inner = g[3 + j] * half;
    t[0][j] = g[j], t[1][j] = outer + inner, t[2][j] = outer - inner, t[3][j] = g[6 + j];
  }
  Factors to;
  for (int i = 0; i < 4; i++) {
    const Vector outer = (t[i][0] + t[i][2]) * half, inner = t[i][1] * half;
    Vector* at = to.values + 4 * i;
    at[0] = t[i][0], at[1] = outer + inner, at[2] = outer - inner, at[3] = t[i][2];
  }
  return to;
}

template <class Format>
SIMSIAM_LOOP void filter(const float* w, int64_t inputs, int64_t outputs, bool turned, int64_t first, int64_t count, float* to) {
  constexpr int64_t kFactors = Format::kFactors;
  const int64_t rows = turned ? outputs : inputs, columns = turned ? inputs : outputs;
  const int64_t skip = winogradSkip(rows * columns / kFactors);
  const Panels panels{columns, kPanel};
  Block block;
  for (int64_t column = 0; column < columns; column += kLanes) {
    for (int64_t row = first; row < first + count; row += kFactors) {
      if (turned && (row - first) % kLanes == 0) turn(w, inputs, outputs, row, column, &block);
      Factors factors[kFactors];
      for (int64_t f = 0; f < kFactors; f++) {
        Vector g[9];
        for (int i = 0; i < 9; i++)
          g[i] = load(turned ? block.values[i][(row + f - first) % kLanes] : w + (i * inputs + row + f) * outputs + column);
        factors[f] = filterFactors(g);
      }
      storeRows<Format>(factors, skip, to + panels.at(rows / kFactors, row / kFactors, column));
    }
  }
}

// Bᵀ d B, where d is 4×4 around the tile.
template <class Format>
SIMSIAM_STEP Factors inputFactors(const typename Format::Value* x, const WinogradImages& images, int64_t channels, int64_t tile,
                                  int64_t channel) {
  const Tile place = tileAt(tile, images);
  Vector d[4][4], t[4][4];
  for (int i = 0; i < 4; i++)
    for (int j = 0; j < 4; j++)
      d[i][j] = valueAt<Format>(x, images, channels, place.image, place.y - 1 + i, place.x - 1 + j, channel);
  for (int j = 0; j < 4; j++)
    t[0][j] = d[0][j] - d[2][j], t[1][j] = d[1][j] + d[2][j], t[2][j] = d[2][j] - d[1][j], t[3][j] = d[1][j] - d[3][j];
  Factors to;
  for (int i = 0; i < 4; i++) {
    Vector* at = to.values + 4 * i;
    at[0] = t[i][0] - t[i][2], at[1] = t[i][1] + t[i][2], at[2] = t[i][2] - t[i][1], at[3] = t[i][1] - t[i][3];
  }
  return to;
}

// A e Aᵀ, where e is the tile.
template <class Format>
SIMSIAM_STEP Factors outputFactors(const typename Format::Value* dy, const WinogradImages& images, int64_t channels, int64_t tile,
                                   int64_t channel) {
  const Tile place = tileAt(tile, images);
  Vector r[4][2];
  for (int j = 0; j < 2; j++) {
    const Vector upper = valueAt<Format>(dy, images, channels, place.image, place.y, place.x + j, channel);
    const Vector lower = valueAt<Format>(dy, images, channels, place.image, place.y + 1, place.x + j, channel);
    r[0][j] = upper, r[1][j] = upper + lower, r[2][j] = upper - lower, r[3][j] = zero() - lower;
  }
  Factors to;
  for (int i = 0; i < 4; i++) {
    Vector* at = to.values + 4 * i;
    at[0] = r[i][0], at[1] = r[i][0] + r[i][1], at[2] = r[i][0] - r[i][1], at[3] = zero() - r[i][1];
  }
  return to;
}

// Aᵀ m A, where m is 4×4 and the outcome 2×2.
template <class Format>
SIMSIAM_LOOP void writeTiles(const float* from, WinogradImages images, int64_t channels, int64_t first, int64_t count,
                             int64_t skip, typename Format::Value* y) {
  for (int64_t tile = first; tile < first + count; tile++, from += channels) {
    const Tile place = tileAt(tile, images);
    for (int64_t channel = 0; channel < channels; channel += kLanes) {
      Vector m[16], u[2][4];
      for (int i = 0; i < 16; i++) m[i] = load(from + i * skip + channel);
      for (int j = 0; j < 4; j++) u[0][j] = m[j] + m[4 + j] + m[8 + j], u[1][j] = m[4 + j] - m[8 + j] - m[12 + j];
      for (int i = 0; i < 2 && place.y + i < images.height; i++) {
        typename Format::Value* at = y + ((place.image * images.height + place.y + i) * images.width + place.x) * channels + channel;
        Format::store(at, u[i][0] + u[i][1] + u[i][2]);
        if (place.x + 1 < images.width) Format::store(at + channels, u[i][1] - u[i][2] - u[i][3]);
      }
    }
  }
}

template <class Format>
SIMSIAM_LOOP void convolve(const typename Format::Value* x, const float* filter, WinogradImages images, int64_t inputs,
                           int64_t outputs, int64_t first, int64_t count, float* scratch, typename Format::Value* y) {
  const int64_t depth = inputs / Format::kFactors;
  const int64_t inputSkip = winogradSkip(count * depth), outputSkip = winogradSkip(count * outputs);
  float* products = scratch + 16 * inputSkip;
  for (int64_t tile = 0; tile < count; tile++) {
    for (int64_t channel = 0; channel < inputs; channel += kLanes) {
      const Factors factors = inputFactors<Format>(x, images, inputs, first + tile, channel);
      float* at = scratch + tile * depth + channel / Format::kFactors;
      for (int i = 0; i < 16; i++) Format::storeColumns(at + i * inputSkip, factors.values[i]);
    }
  }
  for (int i = 0; i < 16; i++) {
    const float* matrix = filter + i * winogradSkip(depth * outputs);
    for (int64_t panel = 0; panel < outputs; panel += kPanel)
      multiplyPanel<Format>(count, depth, scratch + i * inputSkip, depth, 1, matrix + panel * depth,
                            least(kPanel, outputs - panel), false, products + i * outputSkip + panel, outputs);
  }
  writeTiles<Format>(products, images, outputs, first, count, outputSkip, y);
}

// kFactors tiles each make one row; those that are missing are zeros. factors(tile, channel): those of one.
template <class Format, class TileFactors>
SIMSIAM_STEP void storeTiles(Panels panels, int64_t count, int64_t row, int64_t rows, int64_t skip, float* to,
                             const TileFactors& factors) {
  for (int64_t tile = 0; tile < count; tile += Format::kFactors, row++) {
    for (int64_t first = 0; first < panels.columns; first += panels.width) {
      const int64_t width = least(panels.width, panels.columns - first);
      for (int64_t column = 0; column < width; column += kLanes) {
        Factors own[Format::kFactors] = {};
        for (int64_t f = 0; f < least(Format::kFactors, count - tile); f++) own[f] = factors(tile + f, first + column);
        storeRows<Format>(own, skip, to + first * rows + row * width + column);
      }
    }
  }
}

template <class Format>
SIMSIAM_LOOP void inputTiles(const typename Format::Value* x, WinogradImages images, int64_t channels, int64_t first,
                             int64_t count, int64_t row, int64_t skip, float* to) {
  storeTiles<Format>({channels, channels}, count, row, 0, skip, to, [&](int64_t tile, int64_t channel) SIMSIAM_TARGET {
    return inputFactors<Format>(x, images, channels, first + tile, channel);
  });
}

template <class Format>
SIMSIAM_LOOP void outputTiles(const typename Format::Value* dy, WinogradImages images, int64_t channels, int64_t first,
                              int64_t count, int64_t row, int64_t rows, int64_t skip, float* to) {
  storeTiles<Format>({channels, kPanel}, count, row, rows, skip, to, [&](int64_t tile, int64_t channel) SIMSIAM_TARGET {
    return outputFactors<Format>(dy, images, channels, first + tile, channel);
  });
}

// Gᵀ u G, where u is 4×4 and the outcome 3×3.
SIMSIAM_LOOP void filterGradient(const float* from, int64_t skip, int64_t inputs, int64_t outputs, int64_t first, int64_t count,
                                 float* dw) {
  const Vector half = broadcast(0.5f);
  for (int64_t at = first * outputs; at < (first + count) * outputs; at += kLanes) {
    Vector u[16], t[3][4];
    for (int i = 0; i < 16; i++) u[i] = load(from + i * skip + at);
    for (int j = 0; j < 4; j++) {
      const Vector sum = (u[4 + j] + u[8 + j]) * half, difference = (u[4 + j] - u[8 + j]) * half;
      t[0][j] = u[j] + sum, t[1][j] = difference, t[2][j] = sum + u[12 + j];
    }
    for (int i = 0; i < 3; i++) {
      const Vector sum = (t[i][1] + t[i][2]) * half, difference = (t[i][1] - t[i][2]) * half;
      float* row = dw + 3 * i * inputs * outputs + at;
      store(row, t[i][0] + sum), store(row + inputs * outputs, difference), store(row + 2 * inputs * outputs, sum + t[i][3]);
    }
  }
}

template <class Format>
constexpr WinogradLoops<typename Format::Value> winogradLoopsOf() {
  return {Format::kFactors, kPanel, filter<Format>, convolve<Format>, inputTiles<Format>, outputTiles<Format>, product<Format>,
          filterGradient};
}

}  // namespace
}  // namespace simsiam

#endif  // SIMSIAM_WINOGRAD_LOOPS_H_
