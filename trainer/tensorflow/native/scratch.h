#ifndef SIMSIAM_SCRATCH_H_
#define SIMSIAM_SCRATCH_H_

#include <cstdint>

namespace simsiam {

// Memory of the calling thread, which keeps it: touching new pages would take as long as the arithmetic. It begins where a
// line of the cache does, and holds until the next call.
float* scratch(int64_t floats);

// Of the cache that cores share, for what a kernel works on.
constexpr int64_t kSharedCacheFloats = 2 << 20;

}  // namespace simsiam

#endif  // SIMSIAM_SCRATCH_H_
