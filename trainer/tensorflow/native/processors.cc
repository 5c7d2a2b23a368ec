#include "processors.h"

namespace simsiam {

bool multipliesBfloat16() {
#ifdef __x86_64__
  return __builtin_cpu_supports("avx512f");
#else
  return true;
#endif
}

template <>
const ProcessorLoops<float>* processorLoops() {
#ifdef SIMSIAM_HAS_LOOPS
  if (__builtin_cpu_supports("avx512f")) return &kAvx512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return &kAvx2;
#endif
  return nullptr;
}

template <>
const ProcessorLoops<uint16_t>* processorLoops() {
#ifdef SIMSIAM_HAS_BFLOAT16_LOOPS
  // Whoever has AMX multiplies by it many times as fast, and oneDNN does.
  if (__builtin_cpu_supports("avx512bf16") && !__builtin_cpu_supports("amx-bf16")) return &kAvx512Bfloat16;
  if (!multipliesBfloat16() && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return &kAvx2Bfloat16;
#endif
  return nullptr;
}

}  // namespace simsiam
