// Loops that are compiled for several processors, the best of which is taken when the addon is loaded. Products and sums
// are not contracted (addons.ts), so all of them give the same bits.
#ifndef SIMSIAM_CLONES_H_
#define SIMSIAM_CLONES_H_

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define SIMSIAM_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define SIMSIAM_CLONES
#endif
#define SIMSIAM_INLINE inline __attribute__((always_inline))

#endif  // SIMSIAM_CLONES_H_
