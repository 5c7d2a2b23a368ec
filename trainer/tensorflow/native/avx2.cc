// The loops of processors.h for processors with AVX2 and FMA.
#include "processors.h"

#ifdef SIMSIAM_HAS_LOOPS
#include <immintrin.h>

#include <cstdint>

#define SIMSIAM_TARGET __attribute__((target("avx2,fma")))

namespace simsiam {
namespace {

using Vector = __m256;
constexpr int64_t kLanes = 8, kVectors = 2;

SIMSIAM_TARGET inline Vector zero() { return _mm256_setzero_ps(); }
SIMSIAM_TARGET inline Vector broadcast(float value) { return _mm256_set1_ps(value); }
SIMSIAM_TARGET inline Vector load(const float* from) { return _mm256_loadu_ps(from); }
SIMSIAM_TARGET inline void store(float* to, Vector value) { _mm256_storeu_ps(to, value); }
SIMSIAM_TARGET inline Vector multiplyAdd(Vector a, Vector b, Vector c) { return _mm256_fmadd_ps(a, b, c); }

}  // namespace
}  // namespace simsiam

#include "processor_loops.h"

const simsiam::ProcessorLoops<float> simsiam::kAvx2 = simsiam::processorLoopsOf<simsiam::Single>();
#endif
