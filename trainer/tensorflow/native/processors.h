// Loops that are written for the vectors of one kind of processor, each kind in a file of its own.
#ifndef SIMSIAM_PROCESSORS_H_
#define SIMSIAM_PROCESSORS_H_

#include "filter_gradient.h"
#include "winograd.h"

// Which builds have them.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define SIMSIAM_HAS_LOOPS
#if __GNUC__ >= 11
#define SIMSIAM_HAS_BFLOAT16_LOOPS
#endif
#endif

namespace simsiam {

// Value: float, or uint16_t for bfloat16, of which two are multiplied at once and whose sums are float.
template <class Value>
struct ProcessorLoops {
  WinogradLoops<Value> winograd;
  FilterGradientLoops<Value> filterGradient;
};

extern const ProcessorLoops<float> kAvx512, kAvx2;
extern const ProcessorLoops<uint16_t> kAvx512Bfloat16, kAvx2Bfloat16;

// Whether TensorFlow's library multiplies bfloat16 in vectors: on x86 it leaves processors without AVX-512 to kernels that take
// one value at a time.
bool multipliesBfloat16();

// Those for this processor; nullptr where there are none.
template <class Value>
const ProcessorLoops<Value>* processorLoops();

}  // namespace simsiam

#endif  // SIMSIAM_PROCESSORS_H_
