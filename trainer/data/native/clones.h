// SIMSIAM_CLONES compiles a function for AVX2 as well and picks the version when the library is loaded. Only functions
// whose result is the same in every version carry it: integer arithmetic, or single float operations that are rounded
// alike everywhere (AVX2 alone brings no fused multiply-add).
#pragma once

// For __GLIBC__: other C libraries can't choose at load time.
#include <cstddef>

#if defined(__x86_64__) && defined(__GLIBC__) && __has_attribute(target_clones)
#define SIMSIAM_CLONES __attribute__((target_clones("avx2", "default")))
#else
#define SIMSIAM_CLONES
#endif
