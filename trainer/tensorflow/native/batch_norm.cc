// Batch norm with the sum and the ReLU after it, over [images, …, channels]. A loop goes over pieces of the rows whose
// number depends on the shape alone, and their sums are added up in order and in double precision: results depend neither
// on threads nor on the processor.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <type_traits>

#include "clones.h"
#include "kernel.h"
#include "kernels.h"
#include "thread_pool.h"

namespace simsiam {
namespace {

using Half = uint16_t;  // bfloat16
constexpr int kRows = 4;  // are added up before they go to memory

SIMSIAM_INLINE float load(float x) { return x; }
SIMSIAM_INLINE float load(Half x) {
  const uint32_t bits = static_cast<uint32_t>(x) << 16;
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}
SIMSIAM_INLINE void store(float value, float* to) { *to = value; }
// To the nearest, halves to even; a NaN stays one.
SIMSIAM_INLINE void store(float value, Half* to) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  const uint32_t rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
  *to = static_cast<Half>((bits & 0x7fffffff) > 0x7f800000 ? 0x7fc0 : rounded);
}

// What a few rows are added up in, before they are in double: in float32 bfloat16's 8 bits lose nothing that counts.
template <class T>
using Partial = std::conditional_t<std::is_same_v<T, Half>, float, double>;

// What normalizing takes of a channel.
struct Channels {
  const float *mean, *gain, *shift;
};

SIMSIAM_INLINE float normalized(float x, const Channels& by, int64_t c) {
  return (x - by.mean[c]) * by.gain[c] + by.shift[c];
}

template <int Rows, class T>
SIMSIAM_INLINE void addMomentsOf(const T* x, int64_t channels, double* sum, double* squares) {
  for (int64_t c = 0; c < channels; c++) {
    Partial<T> values = 0, products = 0;
#pragma GCC unroll 4
    for (int row = 0; row < Rows; row++) {
      const Partial<T> value = load(x[c + row * channels]);
      values += value;
      products += value * value;
    }
    sum[c] += values;
    squares[c] += products;
  }
}

template <class T>
SIMSIAM_INLINE void addMoments(const T* x, int64_t rows, int64_t channels, double* sum, double* squares) {
  for (; rows >= kRows; rows -= kRows, x += kRows * channels) addMomentsOf<kRows>(x, channels, sum, squares);
  for (; rows > 0; rows--, x += channels) addMomentsOf<1>(x, channels, sum, squares);
}

template <class T, bool Relu, bool Skip>
SIMSIAM_INLINE void normalizeRows(const T* __restrict x, const T* __restrict skip, int64_t rows, int64_t channels,
                                  Channels by, T* __restrict y) {
  for (int64_t row = 0; row < rows; row++, x += channels, skip += Skip ? channels : 0, y += channels) {
    for (int64_t c = 0; c < channels; c++) {
      float value = normalized(load(x[c]), by, c);
      if (Skip) value += load(skip[c]);
      store(Relu && value < 0 ? 0 : value, y + c);  // a NaN stays one
    }
  }
}

template <bool Relu, class T>
SIMSIAM_INLINE float throughRelu(T dy, T x, const Channels& by, int64_t c) {
  float value = load(dy);
  if (!Relu) return value;
  // By its bits, since the compiler makes no vectors of a choice here.
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  bits &= -static_cast<uint32_t>(normalized(load(x), by, c) > 0);
  memcpy(&value, &bits, sizeof bits);
  return value;
}

template <int Rows, bool Relu, class T>
SIMSIAM_INLINE void addGradientSumsOf(const T* dy, const T* x, int64_t channels, Channels by, double* sum, double* products) {
  for (int64_t c = 0; c < channels; c++) {
    Partial<T> values = 0, weighted = 0;
#pragma GCC unroll 4
    for (int row = 0; row < Rows; row++) {
      const int64_t at = c + row * channels;
      const Partial<T> value = throughRelu<Relu>(dy[at], x[at], by, c);
      values += value;
      weighted += value * (load(x[at]) - by.mean[c]);
    }
    sum[c] += values;
    products[c] += weighted;
  }
}

// sums: of dy, and of dy · (x − mean).
template <class T, bool Relu>
SIMSIAM_INLINE void addGradientSums(const T* dy, const T* x, int64_t rows, int64_t channels, Channels by, double* sum,
                                    double* products) {
  for (; rows >= kRows; rows -= kRows, dy += kRows * channels, x += kRows * channels)
    addGradientSumsOf<kRows, Relu>(dy, x, channels, by, sum, products);
  for (; rows > 0; rows--, dy += channels, x += channels) addGradientSumsOf<1, Relu>(dy, x, channels, by, sum, products);
}

// dx may be dy.
template <class T, bool Relu>
SIMSIAM_INLINE void gradientRows(const T* dy, const T* __restrict x, int64_t rows, int64_t channels, Channels by,
                                 const float* __restrict slope, const float* __restrict offset, T* dx) {
  for (int64_t row = 0; row < rows; row++, dy += channels, x += channels, dx += channels) {
#pragma GCC ivdep
    for (int64_t c = 0; c < channels; c++) {
      const float value = throughRelu<Relu>(dy[c], x[c], by, c) * by.gain[c];
      store(value + ((load(x[c]) - by.mean[c]) * slope[c] + offset[c]), dx + c);
    }
  }
}

// One compiled loop for each type and kind, since a template can't be a clone.
#define SIMSIAM_LOOPS(T, name)                                                                                          \
  SIMSIAM_CLONES void moments##name(const T* x, int64_t rows, int64_t channels, double* sum, double* squares) {         \
    addMoments(x, rows, channels, sum, squares);                                                                        \
  }                                                                                                                     \
  SIMSIAM_CLONES void normalize##name(const T* x, const T* skip, int64_t rows, int64_t channels, Channels by, bool relu, \
                                      T* y) {                                                                           \
    if (skip != nullptr && relu) return normalizeRows<T, true, true>(x, skip, rows, channels, by, y);                   \
    if (skip != nullptr) return normalizeRows<T, false, true>(x, skip, rows, channels, by, y);                          \
    if (relu) return normalizeRows<T, true, false>(x, skip, rows, channels, by, y);                                     \
    normalizeRows<T, false, false>(x, skip, rows, channels, by, y);                                                     \
  }                                                                                                                     \
  SIMSIAM_CLONES void gradientSums##name(const T* dy, const T* x, int64_t rows, int64_t channels, Channels by, bool relu, \
                                         double* sum, double* products) {                                               \
    if (relu) return addGradientSums<T, true>(dy, x, rows, channels, by, sum, products);                                \
    addGradientSums<T, false>(dy, x, rows, channels, by, sum, products);                                                \
  }                                                                                                                     \
  SIMSIAM_CLONES void gradient##name(const T* dy, const T* x, int64_t rows, int64_t channels, Channels by,              \
                                     const float* slope, const float* offset, bool relu, T* dx) {                       \
    if (relu) return gradientRows<T, true>(dy, x, rows, channels, by, slope, offset, dx);                               \
    gradientRows<T, false>(dy, x, rows, channels, by, slope, offset, dx);                                               \
  }
SIMSIAM_LOOPS(float, Single)
SIMSIAM_LOOPS(Half, Half)
#undef SIMSIAM_LOOPS

struct Single {
  using Type = float;
  static constexpr auto moments = momentsSingle;
  static constexpr auto normalize = normalizeSingle;
  static constexpr auto gradientSums = gradientSumsSingle;
  static constexpr auto gradient = gradientSingle;
};

struct Bfloat16 {
  using Type = Half;
  static constexpr auto moments = momentsHalf;
  static constexpr auto normalize = normalizeHalf;
  static constexpr auto gradientSums = gradientSumsHalf;
  static constexpr auto gradient = gradientHalf;
};

// How the rows are cut into pieces.
struct Pieces {
  explicit Pieces(const KernelTensor& x) : channels(x.channels()), rows(channels == 0 ? 0 : x.size() / channels) {
    constexpr int64_t kElements = 1 << 16, kMost = 64;
    count = std::max<int64_t>(1, std::min({kMost, rows / 4, rows * channels / kElements}));
  }
  const int64_t channels, rows;
  int64_t count;

  // body(piece, first row, number of rows)
  template <class Body>
  void each(const Body& body) const {
    parallelFor(count, [&](int64_t piece) {
      const int64_t from = rows * piece / count, to = rows * (piece + 1) / count;
      body(piece, from, to - from);
    });
  }

  // Two sums a channel: add(first row, rows, sums, other sums) adds one piece's, finish(channel, sum, other sum) gets the whole.
  template <class Add, class Finish>
  void reduce(const Add& add, const Finish& finish) const {
    std::vector<double> sums(2 * channels * count);
    each([&](int64_t piece, int64_t from, int64_t rows) {
      double* own = sums.data() + 2 * channels * piece;
      add(from, rows, own, own + channels);
    });
    for (int64_t c = 0; c < channels; c++) {
      double sum = 0, other = 0;
      for (int64_t piece = 0; piece < count; piece++) {
        const double* own = sums.data() + 2 * channels * piece;
        sum += own[c];
        other += own[c + channels];
      }
      finish(c, sum, other);
    }
  }
};

// scale / √(variance + ε), and the rest as it is given.
class Gains {
 public:
  Gains(const KernelTensor& scale, const KernelTensor& shift, const KernelTensor& mean, const KernelTensor& variance, float epsilon)
      : shift_(shift.data<float>()), mean_(mean.data<float>()), inverse_(mean.size()), gain_(mean.size()) {
    for (int64_t c = 0; c < mean.size(); c++) {
      inverse_[c] = static_cast<float>(1 / std::sqrt(static_cast<double>(variance.data<float>()[c]) + epsilon));
      gain_[c] = scale.data<float>()[c] * inverse_[c];
    }
  }
  Channels channels() const { return {mean_, gain_.data(), shift_}; }
  float inverse(int64_t channel) const { return inverse_[channel]; }

 private:
  const float *shift_, *mean_;
  std::vector<float> inverse_, gain_;
};

// x -> mean, variance (biased)
template <class Loops>
void momentsOf(const KernelCall& call, const KernelTensor& x) {
  using T = typename Loops::Type;
  const Pieces pieces(x);
  const KernelTensor mean = call.output(0, TF_FLOAT, {pieces.channels}), variance = call.output(1, TF_FLOAT, {pieces.channels});
  pieces.reduce(
      [&](int64_t from, int64_t rows, double* sum, double* squares) {
        Loops::moments(x.data<T>() + from * pieces.channels, rows, pieces.channels, sum, squares);
      },
      [&](int64_t c, double sum, double squares) {
        const double average = sum / pieces.rows, spread = squares / pieces.rows - average * average;
        mean.data<float>()[c] = static_cast<float>(average);
        variance.data<float>()[c] = static_cast<float>(spread < 0 ? 0 : spread);
      });
}

// x, scale, shift, mean, variance [, skip] -> y
template <class Loops>
void normalizeOf(const KernelAttributes& attributes, const KernelCall& call, const KernelTensor& x) {
  using T = typename Loops::Type;
  const Pieces pieces(x);
  const KernelTensor scale = call.input(1), shift = call.input(2), mean = call.input(3), variance = call.input(4);
  const Gains by(scale, shift, mean, variance, attributes.epsilon);
  const KernelTensor y = call.output(0, x.type(), x.shape());
  const bool skips = call.inputs() > 5;
  const KernelTensor skip = call.input(skips ? 5 : 0);
  pieces.each([&](int64_t, int64_t from, int64_t rows) {
    const int64_t at = from * pieces.channels;
    Loops::normalize(x.data<T>() + at, skips ? skip.data<T>() + at : nullptr, rows, pieces.channels, by.channels(),
                     attributes.relu, y.data<T>() + at);
  });
}

// dy, x, scale, shift, mean, variance -> Σ dy · (x − mean) / √(variance + ε), Σ dy
template <class Loops>
void gradientSumsOf(const KernelAttributes& attributes, const KernelCall& call, const KernelTensor& dy) {
  using T = typename Loops::Type;
  const Pieces pieces(dy);
  const KernelTensor x = call.input(1), scale = call.input(2), shift = call.input(3), mean = call.input(4), variance = call.input(5);
  const Gains by(scale, shift, mean, variance, attributes.epsilon);
  const KernelTensor dScale = call.output(0, TF_FLOAT, mean.shape()), dShift = call.output(1, TF_FLOAT, mean.shape());
  pieces.reduce(
      [&](int64_t from, int64_t rows, double* sum, double* products) {
        const int64_t at = from * pieces.channels;
        Loops::gradientSums(dy.data<T>() + at, x.data<T>() + at, rows, pieces.channels, by.channels(), attributes.relu, sum, products);
      },
      [&](int64_t c, double sum, double products) {
        dShift.data<float>()[c] = static_cast<float>(sum);
        dScale.data<float>()[c] = static_cast<float>(products * by.inverse(c));
      });
}

// dy, x, scale, shift, mean, variance, slope, offset -> dx
template <class Loops>
void gradientOf(const KernelAttributes& attributes, const KernelCall& call) {
  using T = typename Loops::Type;
  const KernelTensor dx = call.outputOver({0}, 0);
  const KernelTensor dy = call.input(0), x = call.input(1), scale = call.input(2), shift = call.input(3);
  const KernelTensor mean = call.input(4), variance = call.input(5), slope = call.input(6), offset = call.input(7);
  const Pieces pieces(x);
  const Gains by(scale, shift, mean, variance, attributes.epsilon);
  pieces.each([&](int64_t, int64_t from, int64_t rows) {
    const int64_t at = from * pieces.channels;
    Loops::gradient(dy.data<T>() + at, x.data<T>() + at, rows, pieces.channels, by.channels(), slope.data<float>(),
                    offset.data<float>(), attributes.relu, dx.data<T>() + at);
  });
}

void moments(const KernelAttributes&, const KernelCall& call) {
  const KernelTensor x = call.input(0);
  x.type() == TF_FLOAT ? momentsOf<Single>(call, x) : momentsOf<Bfloat16>(call, x);
}

void normalize(const KernelAttributes& attributes, const KernelCall& call) {
  const KernelTensor x = call.input(0);
  x.type() == TF_FLOAT ? normalizeOf<Single>(attributes, call, x) : normalizeOf<Bfloat16>(attributes, call, x);
}

void gradientSums(const KernelAttributes& attributes, const KernelCall& call) {
  const KernelTensor dy = call.input(0);
  dy.type() == TF_FLOAT ? gradientSumsOf<Single>(attributes, call, dy) : gradientSumsOf<Bfloat16>(attributes, call, dy);
}

void gradient(const KernelAttributes& attributes, const KernelCall& call) {
  const TF_DataType type = call.input(0).type();
  type == TF_FLOAT ? gradientOf<Single>(attributes, call) : gradientOf<Bfloat16>(attributes, call);
}

}  // namespace

void addBatchNormKernels() {
  const char *type = "T: {float, bfloat16}", *epsilon = "epsilon: float", *relu = "relu: bool";
  addKernel<moments>({"SimsiamMoments", {"x: T"}, {"mean: float", "variance: float"}, {type}});
  addKernel<normalize>({"SimsiamNormalize",
                        {"x: T", "scale: float", "shift: float", "mean: float", "variance: float", "skip: skips * T"},
                        {"y: T"},
                        {type, epsilon, relu, "skips: int >= 0"}});
  addKernel<gradientSums>({"SimsiamNormalizeSums",
                           {"dy: T", "x: T", "scale: float", "shift: float", "mean: float", "variance: float"},
                           {"scale_gradient: float", "shift_gradient: float"},
                           {type, epsilon, relu}});
  addKernel<gradient>({"SimsiamNormalizeGrad",
                       {"dy: T", "x: T", "scale: float", "shift: float", "mean: float", "variance: float", "slope: float",
                        "offset: float"},
                       {"dx: T"},
                       {type, epsilon, relu}});
}

}  // namespace simsiam
