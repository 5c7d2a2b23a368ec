// The loops of processors.h in bfloat16, for processors with AVX2 and FMA, which multiply it as floats.
#include "processors.h"

#ifdef SIMSIAM_HAS_BFLOAT16_LOOPS
#define SIMSIAM_TARGET __attribute__((target("avx2,fma")))

#include "avx2_vectors.h"
#include "bfloat16_format.h"
#include "processor_loops.h"

namespace simsiam {
namespace {

struct Avx2 {
  SIMSIAM_STEP Words widened(Halves values) { return (Words)_mm256_cvtepu16_epi32((__m128i)values); }
  SIMSIAM_STEP Halves rounded(Vector value) {
    const Words bits = (Words)value, below = bits + 0x7fff + (bits >> 16 & 1);
    const Words quiet = bits | 0x400000;  // what is not a number stays so
    return __builtin_convertvector((value == value ? below : quiet) >> 16, Halves);
  }
  SIMSIAM_STEP Vector upper(Vector pairs) { return (Vector)((Words)pairs & 0xffff0000); }
  SIMSIAM_STEP Vector lower(Vector pairs) { return (Vector)((Words)pairs << 16); }
  SIMSIAM_STEP Vector multiplyAdd(Vector a, Vector b, Vector c) {
    return simsiam::multiplyAdd(lower(a), lower(b), simsiam::multiplyAdd(upper(a), upper(b), c));
  }
};

}  // namespace
}  // namespace simsiam

const simsiam::ProcessorLoops<uint16_t> simsiam::kAvx2Bfloat16 = simsiam::processorLoopsOf<simsiam::Bfloat16<simsiam::Avx2>>();
#endif
