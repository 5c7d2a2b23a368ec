// Ops between the ranks of one machine, in the memory that they share: sums, or the greatest, of tensors, and gathers. Each rank
// reads all others' slots and computes the same. What three ranks or more add up they add up in the order of TensorFlow's ring, so
// that a run on one machine has the same bits as one over the network. They end with when they began and when they ended.
#include <algorithm>
#include <chrono>
#include <cstring>

#include "clones.h"
#include "exchange.h"
#include "kernel.h"
#include "kernels.h"
#include "thread_pool.h"

namespace simsiam {
namespace {

constexpr int64_t kPart = 16 << 10;  // elements that a thread takes at once
constexpr int64_t kAlignment = 64;   // of a ring's chunks, in bytes: EIGEN_MAX_ALIGN_BYTES of TensorFlow's wheels

#define SIMSIAM_LOOPS(T, name)                                                                                     \
  SIMSIAM_CLONES void add##name(const T* a, const T* b, int64_t count, T factor, T* sum) {                         \
    for (int64_t i = 0; i < count; i++) sum[i] = (a[i] + b[i]) * factor;                                           \
  }                                                                                                                \
  SIMSIAM_CLONES void greatest##name(const T* a, const T* b, int64_t count, T factor, T* greatest) {               \
    for (int64_t i = 0; i < count; i++) greatest[i] = (a[i] < b[i] ? b[i] : a[i]) * factor;                        \
  }
SIMSIAM_LOOPS(float, Single)
SIMSIAM_LOOPS(double, Double)
#undef SIMSIAM_LOOPS

template <class T>
using Loop = void (*)(const T* a, const T* b, int64_t count, T factor, T* result);
template <class T>
Loop<T> loopOf(bool greatest);
template <>
Loop<float> loopOf(bool greatest) { return greatest ? greatestSingle : addSingle; }
template <>
Loop<double> loopOf(bool greatest) { return greatest ? greatestDouble : addDouble; }

double seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// Elements of one of as many chunks as there are ranks, which the ring begins at each of them.
int64_t chunkOf(int64_t elements, int ranks, int64_t size) {
  const int64_t bytes = (elements + ranks - 1) / ranks * size;
  return (bytes + kAlignment - bytes % kAlignment) / size;  // one more where it is whole
}

// Several tensors as if they were one, flat.
template <class T>
struct Tensors {
  std::vector<T*> data;
  std::vector<int64_t> sizes;
  int64_t size = 0;

  void add(const KernelTensor& tensor) {
    data.push_back(tensor.data<T>());
    sizes.push_back(tensor.size());
    size += tensor.size();
  }

  // body(place, where that is in memory, count) for each stretch of [first, first + count) that lies together.
  template <class Body>
  void each(int64_t first, int64_t count, const Body& body) const {
    int64_t begin = 0;
    for (size_t i = 0; i < data.size() && begin < first + count; begin += sizes[i++]) {
      const int64_t from = std::max(first, begin), to = std::min(first + count, begin + sizes[i]);
      if (from < to) body(from, data[i] + (from - begin), to - from);
    }
  }
};

template <class T>
void reduce(const Tensors<T>& xs, const Tensors<T>& ys, Loop<T> loop, T factor) {
  Exchange& exchange = Exchange::own();
  const int ranks = exchange.ranks();
  const int64_t most = exchange.slotBytes() / static_cast<int64_t>(sizeof(T)), chunk = chunkOf(xs.size, ranks, sizeof(T));
  for (int64_t begin = 0; begin < xs.size; begin += most) {
    const int64_t count = std::min(most, xs.size - begin);
    T* const slot = static_cast<T*>(exchange.next());
    inParts(count, kPart, [&](int64_t first, int64_t count) {
      xs.each(begin + first, count, [&](int64_t place, const T* x, int64_t count) { memcpy(slot + (place - begin), x, count * sizeof(T)); });
    });
    exchange.publish();
    inParts(count, kPart, [&](int64_t first, int64_t count) {
      ys.each(begin + first, count, [&](int64_t place, T* y, int64_t count) {
        for (int64_t done = 0, length; done < count; done += length) {
          const int64_t at = place + done, start = at / chunk;
          length = std::min(count - done, (start + 1) * chunk - at);
          const auto of = [&](int64_t rank) {
            return static_cast<const T*>(exchange.latestOf(static_cast<int>((start + rank) % ranks))) + (at - begin);
          };
          const auto factorAt = [&](int rank) { return rank == ranks - 1 ? factor : 1; };
          loop(of(0), of(1), length, factorAt(1), y + done);
          for (int rank = 2; rank < ranks; rank++) loop(y + done, of(rank), length, factorAt(rank), y + done);
        }
      });
    });
  }
}

template <class T>
void allReduceOf(const KernelAttributes& attributes, const KernelCall& call) {
  std::vector<KernelTensor> held;
  Tensors<T> xs, ys;
  for (int i = 0; i < call.inputs(); i++) {
    // A slot's part of x is copied before that of y is written.
    held.push_back(call.outputOver({i}, i));
    ys.add(held.back());
    held.push_back(call.input(i));
    xs.add(held.back());
  }
  reduce(xs, ys, loopOf<T>(attributes.greatest), static_cast<T>(attributes.factor));
}

void tellTime(const KernelCall& call, int output) { *call.output(output, TF_DOUBLE, {}).data<double>() = seconds(); }

// xs -> factor · ys, times
void allReduce(const KernelAttributes& attributes, const KernelCall& call) {
  tellTime(call, call.inputs());
  call.input(0).type() == TF_DOUBLE ? allReduceOf<double>(attributes, call) : allReduceOf<float>(attributes, call);
  tellTime(call, call.inputs() + 1);
}

// x [n, …] -> y [ranks · n, …], times
void allGather(const KernelAttributes&, const KernelCall& call) {
  tellTime(call, 1);
  Exchange& exchange = Exchange::own();
  const KernelTensor x = call.input(0);
  std::vector<int64_t> shape = x.shape();
  shape[0] *= exchange.ranks();
  const KernelTensor y = call.output(0, x.type(), shape);
  const int64_t bytes = x.size() * static_cast<int64_t>(TF_DataTypeSize(x.type())), most = exchange.slotBytes();
  for (int64_t begin = 0; begin < bytes; begin += most) {
    const int64_t count = std::min(most, bytes - begin);
    memcpy(exchange.next(), x.data<char>() + begin, count);
    exchange.publish();
    for (int rank = 0; rank < exchange.ranks(); rank++) memcpy(y.data<char>() + rank * bytes + begin, exchange.latestOf(rank), count);
  }
  tellTime(call, 2);
}

}  // namespace

void addCollectiveKernels() {
  const char *began = "began: double", *ended = "ended: double";
  const std::vector<const char*> ofReduction = {"T: {float, double}", "count: int >= 1", "greatest: bool", "factor: float"};
  addKernel<allReduce>({"SimsiamAllReduce", {"xs: count * T"}, {"ys: count * T", began, ended}, ofReduction, true});
  addKernel<allGather>({"SimsiamAllGather", {"x: T"}, {"y: T", began, ended}, {"T: numbertype"}, true});
}

}  // namespace simsiam
