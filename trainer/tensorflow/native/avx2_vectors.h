// Vectors of AVX2, for functions of SIMSIAM_TARGET.
#include <immintrin.h>

#include <cstdint>

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
