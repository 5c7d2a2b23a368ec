// Winograd's method for processors with AVX-512.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#include <immintrin.h>

#include <cstdint>

#define SIMSIAM_TARGET __attribute__((target("avx512f")))

namespace simsiam {
namespace {

using Vector = __m512;
constexpr int64_t kLanes = 16, kVectors = 4;

SIMSIAM_TARGET inline Vector zero() { return _mm512_setzero_ps(); }
SIMSIAM_TARGET inline Vector broadcast(float value) { return _mm512_set1_ps(value); }
SIMSIAM_TARGET inline Vector load(const float* from) { return _mm512_loadu_ps(from); }
SIMSIAM_TARGET inline void store(float* to, Vector value) { _mm512_storeu_ps(to, value); }
SIMSIAM_TARGET inline Vector multiplyAdd(Vector a, Vector b, Vector c) { return _mm512_fmadd_ps(a, b, c); }

}  // namespace
}  // namespace simsiam

#include "winograd_loops.h"

const simsiam::WinogradLoops<float> simsiam::kWinogradAvx512 = simsiam::loopsOf<simsiam::Single>();
#endif
