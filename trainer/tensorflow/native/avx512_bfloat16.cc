// The loops of processors.h in bfloat16, for processors whose AVX-512 multiplies it.
#include "processors.h"

#ifdef SIMSIAM_HAS_BFLOAT16_LOOPS
#define SIMSIAM_TARGET __attribute__((target("avx512f,avx512bf16")))

#include "avx512_vectors.h"
#include "processor_loops.h"

namespace simsiam {
namespace {

using Halves = uint16_t __attribute__((vector_size(32)));
using Words = uint32_t __attribute__((vector_size(64)));

// To the nearest, halves to even.
SIMSIAM_STEP Halves rounded(Vector value) { return (Halves)_mm512_cvtneps_pbh(value); }
SIMSIAM_STEP Words widened(Halves values) { return __builtin_convertvector(values, Words); }
SIMSIAM_STEP Halves loadHalves(const void* from) { return (Halves)_mm256_loadu_si256((const __m256i*)from); }
SIMSIAM_STEP void storeHalves(void* to, Halves values) { _mm256_storeu_si256((__m256i*)to, (__m256i)values); }

struct Bfloat16 {
  using Value = uint16_t;
  static constexpr int64_t kFactors = 2;
  SIMSIAM_STEP Vector load(const uint16_t* from) { return (Vector)(widened(loadHalves(from)) << 16); }
  SIMSIAM_STEP void store(uint16_t* to, Vector value) { storeHalves(to, rounded(value)); }
  SIMSIAM_STEP void storeColumns(float* to, Vector factors) { storeHalves(to, rounded(factors)); }
  SIMSIAM_STEP void storeRows(float* to, Vector first, Vector second) {
    simsiam::store(to, (Vector)(widened(rounded(second)) << 16 | widened(rounded(first))));
  }
  SIMSIAM_STEP Vector multiplyAdd(Vector a, Vector b, Vector c) { return _mm512_dpbf16_ps(c, (__m512bh)a, (__m512bh)b); }
};

}  // namespace
}  // namespace simsiam

const simsiam::ProcessorLoops<uint16_t> simsiam::kAvx512Bfloat16 = simsiam::processorLoopsOf<simsiam::Bfloat16>();
#endif
