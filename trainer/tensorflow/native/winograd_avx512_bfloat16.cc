// Winograd's method in bfloat16 for processors that multiply it, two products in 32 bits, and sum up in float32.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#include <immintrin.h>

#include <cstdint>

#define SIMSIAM_TARGET __attribute__((target("avx512f,avx512bf16")))

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

namespace simsiam {
namespace {

// To the nearest, halves to even.
SIMSIAM_STEP __m256i rounded(Vector value) { return (__m256i)_mm512_cvtneps_pbh(value); }

struct Bfloat16 {
  using Value = uint16_t;
  static constexpr int64_t kFactors = 2;
  SIMSIAM_STEP Vector load(const uint16_t* from) {
    return (Vector)_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i*)from)), 16);
  }
  SIMSIAM_STEP void store(uint16_t* to, Vector value) { _mm256_storeu_si256((__m256i*)to, rounded(value)); }
  SIMSIAM_STEP void storeColumns(float* to, Vector factors) { _mm256_storeu_si256((__m256i*)to, rounded(factors)); }
  SIMSIAM_STEP void storeRows(float* to, Vector upper, Vector lower) {
    const __m512i low = _mm512_slli_epi32(_mm512_cvtepu16_epi32(rounded(lower)), 16);
    _mm512_storeu_si512(to, _mm512_or_si512(low, _mm512_cvtepu16_epi32(rounded(upper))));
  }
  SIMSIAM_STEP Vector multiplyAdd(Vector a, Vector b, Vector c) { return _mm512_dpbf16_ps(c, (__m512bh)a, (__m512bh)b); }
};

}  // namespace
}  // namespace simsiam

const simsiam::WinogradLoops<uint16_t> simsiam::kWinogradAvx512Bfloat16 = simsiam::loopsOf<simsiam::Bfloat16>();
#endif
