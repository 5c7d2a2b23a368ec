// The loops of processors.h for processors with AVX-512.
#include "processors.h"

#ifdef SIMSIAM_HAS_LOOPS
#define SIMSIAM_TARGET __attribute__((target("avx512f")))

#include "avx512_vectors.h"
#include "processor_loops.h"

const simsiam::ProcessorLoops<float> simsiam::kAvx512 = simsiam::processorLoopsOf<simsiam::Single>();
#endif
