// The loops of processors.h for processors with AVX2 and FMA.
#include "processors.h"

#ifdef SIMSIAM_HAS_LOOPS
#define SIMSIAM_TARGET __attribute__((target("avx2,fma")))

#include "avx2_vectors.h"
#include "processor_loops.h"

const simsiam::ProcessorLoops<float> simsiam::kAvx2 = simsiam::processorLoopsOf<simsiam::Single>();
#endif
