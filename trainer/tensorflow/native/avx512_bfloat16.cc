// The loops of processors.h in bfloat16, for processors whose AVX-512 multiplies it.
#include "processors.h"

#ifdef SIMSIAM_HAS_BFLOAT16_LOOPS
#define SIMSIAM_TARGET __attribute__((target("avx512f,avx512bf16")))

#include "avx512_vectors.h"
#include "bfloat16_format.h"
#include "processor_loops.h"

namespace simsiam {
namespace {

struct Avx512 {
  // With a mask that leaves nothing out: GCC 12 warns of what it takes to be uninitialized in the intrinsic without one.
  SIMSIAM_STEP Words widened(Halves values) { return (Words)_mm512_maskz_cvtepu16_epi32(0xffff, (__m256i)values); }
  SIMSIAM_STEP Halves rounded(Vector value) { return (Halves)_mm512_cvtneps_pbh(value); }
  SIMSIAM_STEP Vector multiplyAdd(Vector a, Vector b, Vector c) { return _mm512_dpbf16_ps(c, (__m512bh)a, (__m512bh)b); }
};

}  // namespace
}  // namespace simsiam

const simsiam::ProcessorLoops<uint16_t> simsiam::kAvx512Bfloat16 = simsiam::processorLoopsOf<simsiam::Bfloat16<simsiam::Avx512>>();
#endif
