// All loops of processors.h; what they ask of whoever includes them is in product_loops.h.
#include "filter_gradient_loops.h"
#include "processors.h"
#include "winograd_loops.h"

namespace simsiam {
namespace {

template <class Format>
constexpr ProcessorLoops<typename Format::Value> processorLoopsOf() {
  return {winogradLoopsOf<Format>(), filterGradientLoopsOf<Format>()};
}

}  // namespace
}  // namespace simsiam
