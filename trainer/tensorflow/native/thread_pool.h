// Threads of our own kernels: TensorFlow's C API gives a kernel none.
#ifndef SIMSIAM_THREAD_POOL_H_
#define SIMSIAM_THREAD_POOL_H_

#include <algorithm>
#include <cstdint>
#include <functional>

namespace simsiam {

// How many threads a parallel loop may use, the caller's among them. The pool only grows.
void usePoolThreads(int threads);

// Runs body(0) … body(count − 1), each once, on the pool and the calling thread, and returns when all are done.
// Denormals are flushed to zero on every thread, as TensorFlow does in its own: which thread takes an index changes nothing.
void parallelFor(int64_t count, const std::function<void(int64_t)>& body);

// body(first, count) for consecutive parts of `whole` of at most `most`.
template <class Body>
void inParts(int64_t whole, int64_t most, const Body& body) {
  parallelFor((whole + most - 1) / most, [&](int64_t part) { body(part * most, std::min(most, whole - part * most)); });
}

}  // namespace simsiam

#endif  // SIMSIAM_THREAD_POOL_H_
