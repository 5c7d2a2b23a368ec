// The loops of winograd.h, for vectors of a type that whoever includes this has defined: Vector, kLanes, kVectors (how many
// of them a panel is wide), and SIMSIAM_TARGET, the processor that each function is compiled for. Nothing here may be shared
// between processors, so all is in an unnamed namespace and nothing of the standard library is called.
#include "winograd.h"

#define SIMSIAM_LOOP SIMSIAM_TARGET static
#define SIMSIAM_STEP SIMSIAM_TARGET static inline __attribute__((always_inline))

namespace simsiam {
namespace {

constexpr int64_t kPanel = kLanes * kVectors;
constexpr int kRows = 6;           // with kVectors columns as many sums as registers hold
constexpr int64_t kAddends = 32;   // are added up by themselves: sums of sums round less

SIMSIAM_STEP int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

// Where a tile lies: its image, and its first row and column.
struct Tile {
  int64_t image, y, x;
};
SIMSIAM_STEP Tile tileAt(int64_t index, const WinogradImages& images) {
  const int64_t across = (images.width + 1) / 2, down = (images.height + 1) / 2;
  return {index / across / down, index / across % down * 2, index % across * 2};
}

// Zero beyond the image.
SIMSIAM_STEP Vector valueAt(const float* x, const WinogradImages& images, int64_t channels, int64_t image, int64_t row,
                            int64_t column, int64_t channel) {
  if (row < 0 || row >= images.height || column < 0 || column >= images.width) return zero();
  return load(x + ((image * images.height + row) * images.width + column) * channels + channel);
}

// to [Rows, Columns vectors] (+)= a × b, where a[row, k] is at a[row · byRow + k · byK], and b's rows are `width` floats.
template <int Rows, int Columns, bool Add>
SIMSIAM_LOOP void multiply(int64_t depth, const float* a, int64_t byRow, int64_t byK, const float* b, int64_t width, float* to,
                           int64_t toRow) {
  for (int64_t begin = 0; begin < depth; begin += kAddends) {
    Vector sums[Rows][Columns];
    for (auto& row : sums)
      for (Vector& sum : row) sum = zero();
    const int64_t end = least(depth, begin + kAddends);
    for (int64_t k = begin; k < end; k++) {
      Vector right[Columns];
      for (int c = 0; c < Columns; c++) right[c] = load(b + k * width + c * kLanes);
#pragma GCC unroll 8
      for (int r = 0; r < Rows; r++) {
        const Vector left = broadcast(a[r * byRow + k * byK]);
#pragma GCC unroll 8
        for (int c = 0; c < Columns; c++) sums[r][c] = multiplyAdd(left, right[c], sums[r][c]);
      }
    }
    for (int r = 0; r < Rows; r++) {
      for (int c = 0; c < Columns; c++) {
        float* at = to + r * toRow + c * kLanes;
        store(at, Add || begin > 0 ? sums[r][c] + load(at) : sums[r][c]);
      }
    }
  }
}

template <int Columns, bool Add>
SIMSIAM_LOOP void multiplyRows(int64_t rows, int64_t depth, const float* a, int64_t byRow, int64_t byK, const float* b, float* to,
                               int64_t toRow) {
  constexpr int64_t width = Columns * kLanes;
  for (; rows >= kRows; rows -= kRows, a += kRows * byRow, to += kRows * toRow)
    multiply<kRows, Columns, Add>(depth, a, byRow, byK, b, width, to, toRow);
  switch (rows) {
    case 5: return multiply<5, Columns, Add>(depth, a, byRow, byK, b, width, to, toRow);
    case 4: return multiply<4, Columns, Add>(depth, a, byRow, byK, b, width, to, toRow);
    case 3: return multiply<3, Columns, Add>(depth, a, byRow, byK, b, width, to, toRow);
    case 2: return multiply<2, Columns, Add>(depth, a, byRow, byK, b, width, to, toRow);
    case 1: return multiply<1, Columns, Add>(depth, a, byRow, byK, b, width, to, toRow);
  }
}

// b: a panel of `width` columns, of at most kPanel.
template <bool Add>
SIMSIAM_LOOP void multiplyPanel(int64_t rows, int64_t depth, const float* a, int64_t byRow, int64_t byK, const float* b,
                                int64_t width, float* to, int64_t toRow) {
  static_assert(kVectors <= 4, "a case for each width");
  switch (width / kLanes) {
    case 4: return multiplyRows<kVectors, Add>(rows, depth, a, byRow, byK, b, to, toRow);
    case 3: return multiplyRows<kVectors < 3 ? kVectors : 3, Add>(rows, depth, a, byRow, byK, b, to, toRow);
    case 2: return multiplyRows<2, Add>(rows, depth, a, byRow, byK, b, to, toRow);
    case 1: return multiplyRows<1, Add>(rows, depth, a, byRow, byK, b, to, toRow);
  }
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
SIMSIAM_LOOP void filter(const float* w, int64_t inputs, int64_t outputs, bool turned, int64_t first, int64_t count, float* to) {
  const int64_t rows = turned ? outputs : inputs, columns = turned ? inputs : outputs, skip = winogradSkip(rows * columns);
  const Vector half = broadcast(0.5f);
  Block block;
  for (int64_t column = 0; column < columns; column += kLanes) {
    const int64_t panel = column / kPanel * kPanel, width = least(kPanel, columns - panel);
    for (int64_t row = first; row < first + count; row++) {
      if (turned && (row - first) % kLanes == 0) turn(w, inputs, outputs, row, column, &block);
      Vector g[9], t[4][3];
      for (int i = 0; i < 9; i++)
        g[i] = load(turned ? block.values[i][(row - first) % kLanes] : w + (i * inputs + row) * outputs + column);
      for (int j = 0; j < 3; j++) {
        const Vector outer = (g[j] + g[6 + j]) * half, inner = g[3 + j] * half;
        t[0][j] = g[j], t[1][j] = outer + inner, t[2][j] = outer - inner, t[3][j] = g[6 + j];
      }
      float* at = to + panel * rows + row * width + (column - panel);
      for (int i = 0; i < 4; i++, at += 4 * skip) {
        const Vector outer = (t[i][0] + t[i][2]) * half, inner = t[i][1] * half;
        store(at, t[i][0]), store(at + skip, outer + inner), store(at + 2 * skip, outer - inner), store(at + 3 * skip, t[i][2]);
      }
    }
  }
}

// Bᵀ d B, where d is 4×4 around the tile.
SIMSIAM_LOOP void inputTiles(const float* x, WinogradImages images, int64_t channels, int64_t first, int64_t count, int64_t row,
                             int64_t skip, float* to) {
  for (int64_t tile = first; tile < first + count; tile++, row++) {
    const Tile place = tileAt(tile, images);
    for (int64_t channel = 0; channel < channels; channel += kLanes) {
      Vector d[4][4], t[4][4];
      for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++)
          d[i][j] = valueAt(x, images, channels, place.image, place.y - 1 + i, place.x - 1 + j, channel);
      for (int j = 0; j < 4; j++)
        t[0][j] = d[0][j] - d[2][j], t[1][j] = d[1][j] + d[2][j], t[2][j] = d[2][j] - d[1][j], t[3][j] = d[1][j] - d[3][j];
      float* at = to + row * channels + channel;
      for (int i = 0; i < 4; i++, at += 4 * skip) {
        store(at, t[i][0] - t[i][2]), store(at + skip, t[i][1] + t[i][2]);
        store(at + 2 * skip, t[i][2] - t[i][1]), store(at + 3 * skip, t[i][1] - t[i][3]);
      }
    }
  }
}

// Aᵀ m A, where m is 4×4 and the outcome 2×2.
SIMSIAM_LOOP void writeTiles(const float* from, WinogradImages images, int64_t channels, int64_t first, int64_t count,
                             int64_t skip, float* y) {
  for (int64_t tile = first; tile < first + count; tile++, from += channels) {
    const Tile place = tileAt(tile, images);
    for (int64_t channel = 0; channel < channels; channel += kLanes) {
      Vector m[16], u[2][4];
      for (int i = 0; i < 16; i++) m[i] = load(from + i * skip + channel);
      for (int j = 0; j < 4; j++) u[0][j] = m[j] + m[4 + j] + m[8 + j], u[1][j] = m[4 + j] - m[8 + j] - m[12 + j];
      for (int i = 0; i < 2 && place.y + i < images.height; i++) {
        float* at = y + ((place.image * images.height + place.y + i) * images.width + place.x) * channels + channel;
        store(at, u[i][0] + u[i][1] + u[i][2]);
        if (place.x + 1 < images.width) store(at + channels, u[i][1] - u[i][2] - u[i][3]);
      }
    }
  }
}

SIMSIAM_LOOP void convolve(const float* x, const float* filter, WinogradImages images, int64_t inputs, int64_t outputs,
                           int64_t first, int64_t count, float* scratch, float* y) {
  const int64_t inputSkip = winogradSkip(count * inputs), outputSkip = winogradSkip(count * outputs);
  float* products = scratch + 16 * inputSkip;
  inputTiles(x, images, inputs, first, count, 0, inputSkip, scratch);
  for (int i = 0; i < 16; i++) {
    const float* matrix = filter + i * winogradSkip(inputs * outputs);
    for (int64_t panel = 0; panel < outputs; panel += kPanel)
      multiplyPanel<false>(count, inputs, scratch + i * inputSkip, inputs, 1, matrix + panel * inputs,
                           least(kPanel, outputs - panel), products + i * outputSkip + panel, outputs);
  }
  writeTiles(products, images, outputs, first, count, outputSkip, y);
}

// A e Aᵀ, where e is the tile.
SIMSIAM_LOOP void outputTiles(const float* dy, WinogradImages images, int64_t channels, int64_t first, int64_t count, int64_t row,
                              int64_t rows, int64_t skip, float* to) {
  for (int64_t tile = first; tile < first + count; tile++, row++) {
    const Tile place = tileAt(tile, images);
    for (int64_t channel = 0; channel < channels; channel += kLanes) {
      const int64_t panel = channel / kPanel * kPanel, width = least(kPanel, channels - panel);
      Vector r[4][2];
      for (int j = 0; j < 2; j++) {
        const Vector upper = valueAt(dy, images, channels, place.image, place.y, place.x + j, channel);
        const Vector lower = valueAt(dy, images, channels, place.image, place.y + 1, place.x + j, channel);
        r[0][j] = upper, r[1][j] = upper + lower, r[2][j] = upper - lower, r[3][j] = zero() - lower;
      }
      float* at = to + panel * rows + row * width + (channel - panel);
      for (int i = 0; i < 4; i++, at += 4 * skip) {
        store(at, r[i][0]), store(at + skip, r[i][0] + r[i][1]);
        store(at + 2 * skip, r[i][0] - r[i][1]), store(at + 3 * skip, zero() - r[i][1]);
      }
    }
  }
}

SIMSIAM_LOOP void product(const float* input, const float* panel, int64_t rows, int64_t inputs, int64_t width, int64_t outputs,
                          bool add, float* to) {
  if (add) return multiplyPanel<true>(inputs, rows, input, 1, inputs, panel, width, to, outputs);
  multiplyPanel<false>(inputs, rows, input, 1, inputs, panel, width, to, outputs);
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

constexpr WinogradLoops kLoops = {kPanel, filter, convolve, inputTiles, outputTiles, product, filterGradient};

}  // namespace
}  // namespace simsiam
