// The loops of winograd.h, for vectors of a type that whoever includes this has defined: Vector, kLanes, kVectors (how many
// of them a panel is wide), and SIMSIAM_TARGET, the processor that each function is compiled for. Nothing here may be shared
// between processors, so all is in an unnamed namespace and nothing of the standard library is called.
//
// A Format says how images and factors lie in memory: Value, load() and store() of the values of an image; kFactors, how many
// factors share 32 bits, one below the other in their matrix; storeColumns() of factors that lie side by side, storeRows() of
// kFactors rows of them, and multiplyAdd() of vectors of such 32 bits.
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
template <class Format>
SIMSIAM_STEP Vector valueAt(const typename Format::Value* x, const WinogradImages& images, int64_t channels, int64_t image,
                            int64_t row, int64_t column, int64_t channel) {
  if (row < 0 || row >= images.height || column < 0 || column >= images.width) return zero();
  return Format::load(x + ((image * images.height + row) * images.width + column) * channels + channel);
}

// to [Rows, Columns vectors] = or += a × b, where a[row, k] is at a[row · byRow + k · byK], and b's rows are as wide as to's.
template <class Format, int Rows, int Columns>
SIMSIAM_LOOP void multiply(int64_t depth, const float* a, int64_t byRow, int64_t byK, const float* b, bool add, float* to,
                           int64_t toRow) {
  for (int64_t begin = 0; begin < depth; begin += kAddends) {
    Vector sums[Rows][Columns];
    for (auto& row : sums)
      for (Vector& sum : row) sum = zero();
    const int64_t end = least(depth, begin + kAddends);
    for (int64_t k = begin; k < end; k++) {
      Vector right[Columns];
      for (int c = 0; c < Columns; c++) right[c] = load(b + (k * Columns + c) * kLanes);
#pragma GCC unroll 8
      for (int r = 0; r < Rows; r++) {
        const Vector left = broadcast(a[r * byRow + k * byK]);
#pragma GCC unroll 8
        for (int c = 0; c < Columns; c++) sums[r][c] = Format::multiplyAdd(left, right[c], sums[r][c]);
      }
    }
    for (int r = 0; r < Rows; r++) {
      for (int c = 0; c < Columns; c++) {
        float* at = to + r * toRow + c * kLanes;
        store(at, add || begin > 0 ? sums[r][c] + load(at) : sums[r][c]);
      }
    }
  }
}

template <class Format, int Columns>
SIMSIAM_LOOP void multiplyRows(int64_t rows, int64_t depth, const float* a, int64_t byRow, int64_t byK, const float* b, bool add,
                               float* to, int64_t toRow) {
  for (; rows >= kRows; rows -= kRows, a += kRows * byRow, to += kRows * toRow)
    multiply<Format, kRows, Columns>(depth, a, byRow, byK, b, add, to, toRow);
  switch (rows) {
    case 5: return multiply<Format, 5, Columns>(depth, a, byRow, byK, b, add, to, toRow);
    case 4: return multiply<Format, 4, Columns>(depth, a, byRow, byK, b, add, to, toRow);
    case 3: return multiply<Format, 3, Columns>(depth, a, byRow, byK, b, add, to, toRow);
    case 2: return multiply<Format, 2, Columns>(depth, a, byRow, byK, b, add, to, toRow);
    case 1: return multiply<Format, 1, Columns>(depth, a, byRow, byK, b, add, to, toRow);
  }
}

// b: a panel of `width` columns, of at most kPanel.
template <class Format>
SIMSIAM_LOOP void multiplyPanel(int64_t rows, int64_t depth, const float* a, int64_t byRow, int64_t byK, const float* b,
                                int64_t width, bool add, float* to, int64_t toRow) {
  static_assert(kVectors <= 4, "a case for each width");
  switch (width / kLanes) {
    case 4: return multiplyRows<Format, kVectors>(rows, depth, a, byRow, byK, b, add, to, toRow);
    case 3: return multiplyRows<Format, kVectors < 3 ? kVectors : 3>(rows, depth, a, byRow, byK, b, add, to, toRow);
    case 2: return multiplyRows<Format, 2>(rows, depth, a, byRow, byK, b, add, to, toRow);
    case 1: return multiplyRows<Format, 1>(rows, depth, a, byRow, byK, b, add, to, toRow);
  }
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
  Block block;
  for (int64_t column = 0; column < columns; column += kLanes) {
    const int64_t panel = column / kPanel * kPanel, width = least(kPanel, columns - panel);
    for (int64_t row = first; row < first + count; row += kFactors) {
      if (turned && (row - first) % kLanes == 0) turn(w, inputs, outputs, row, column, &block);
      Factors factors[kFactors];
      for (int64_t f = 0; f < kFactors; f++) {
        Vector g[9];
        for (int i = 0; i < 9; i++)
          g[i] = load(turned ? block.values[i][(row + f - first) % kLanes] : w + (i * inputs + row + f) * outputs + column);
        factors[f] = filterFactors(g);
      }
      storeRows<Format>(factors, skip, to + (panel * rows + row * width) / kFactors + (column - panel));
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

// kFactors tiles each make one row; those that are missing are zeros.
template <class Format>
SIMSIAM_LOOP void inputTiles(const typename Format::Value* x, WinogradImages images, int64_t channels, int64_t first,
                             int64_t count, int64_t row, int64_t skip, float* to) {
  for (int64_t tile = 0; tile < count; tile += Format::kFactors, row++) {
    for (int64_t channel = 0; channel < channels; channel += kLanes) {
      Factors factors[Format::kFactors] = {};
      for (int64_t f = 0; f < least(Format::kFactors, count - tile); f++)
        factors[f] = inputFactors<Format>(x, images, channels, first + tile + f, channel);
      storeRows<Format>(factors, skip, to + row * channels + channel);
    }
  }
}

template <class Format>
SIMSIAM_LOOP void outputTiles(const typename Format::Value* dy, WinogradImages images, int64_t channels, int64_t first,
                              int64_t count, int64_t row, int64_t rows, int64_t skip, float* to) {
  for (int64_t tile = 0; tile < count; tile += Format::kFactors, row++) {
    for (int64_t channel = 0; channel < channels; channel += kLanes) {
      const int64_t panel = channel / kPanel * kPanel, width = least(kPanel, channels - panel);
      Factors factors[Format::kFactors] = {};
      for (int64_t f = 0; f < least(Format::kFactors, count - tile); f++)
        factors[f] = outputFactors<Format>(dy, images, channels, first + tile + f, channel);
      storeRows<Format>(factors, skip, to + panel * rows + row * width + (channel - panel));
    }
  }
}

template <class Format>
SIMSIAM_LOOP void product(const float* input, const float* panel, int64_t rows, int64_t inputs, int64_t width, int64_t outputs,
                          bool add, float* to) {
  multiplyPanel<Format>(inputs, rows, input, 1, inputs, panel, width, add, to, outputs);
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
constexpr WinogradLoops<typename Format::Value> loopsOf() {
  return {Format::kFactors, kPanel, filter<Format>, convolve<Format>, inputTiles<Format>, outputTiles<Format>, product<Format>, filterGradient};
}

// Floats throughout.
struct Single {
  using Value = float;
  static constexpr int64_t kFactors = 1;
  SIMSIAM_STEP Vector load(const float* from) { return simsiam::load(from); }
  SIMSIAM_STEP void store(float* to, Vector value) { simsiam::store(to, value); }
  SIMSIAM_STEP void storeColumns(float* to, Vector factors) { simsiam::store(to, factors); }
  SIMSIAM_STEP void storeRows(float* to, Vector only, Vector) { simsiam::store(to, only); }
  SIMSIAM_STEP Vector multiplyAdd(Vector a, Vector b, Vector c) { return simsiam::multiplyAdd(a, b, c); }
};

}  // namespace
}  // namespace simsiam
