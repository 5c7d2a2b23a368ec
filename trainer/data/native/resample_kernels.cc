#include "resample_kernels.h"

#include <cstddef>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace simsiam {
namespace {

constexpr int32_t kHalf = 1 << (kWeightBits - 1);

void reduce_rows_portable(const uint8_t* const source[2], const RowTaps& taps, int length, uint8_t* const out[2]) {
  for (int r = 0; r < 2; r++) {
    for (int i = 0; i < length; i++) {
      const uint8_t* pixel = source[r] + static_cast<ptrdiff_t>(taps.first[i]) * 3;
      const int16_t* weight = taps.weights + static_cast<ptrdiff_t>(i) * taps.pairs * 2;
      int32_t red = kHalf, green = kHalf, blue = kHalf;
      for (int k = 0; k < taps.pairs * 2; k++) {
        // A weight of 0 stands past the last tap, where there may be no pixel.
        if (weight[k] == 0) continue;
        red += pixel[k * 3] * weight[k];
        green += pixel[k * 3 + 1] * weight[k];
        blue += pixel[k * 3 + 2] * weight[k];
      }
      out[r][i * 3] = static_cast<uint8_t>(red >> kWeightBits);
      out[r][i * 3 + 1] = static_cast<uint8_t>(green >> kWeightBits);
      out[r][i * 3 + 2] = static_cast<uint8_t>(blue >> kWeightBits);
    }
  }
}

void reduce_column_portable(const uint8_t* rows, int stride, const int16_t* weights, int pairs, int bytes,
                            uint8_t* out) {
  constexpr int kBlock = 64;
  for (int from = 0; from < bytes; from += kBlock) {
    const int count = bytes - from < kBlock ? bytes - from : kBlock;
    int32_t sum[kBlock];
    for (int x = 0; x < count; x++) sum[x] = kHalf;
    for (int k = 0; k < pairs * 2; k++) {
      if (weights[k] == 0) continue;
      const uint8_t* row = rows + static_cast<ptrdiff_t>(k) * stride + from;
      for (int x = 0; x < count; x++) sum[x] += row[x] * weights[k];
    }
    for (int x = 0; x < count; x++) out[from + x] = static_cast<uint8_t>(sum[x] >> kWeightBits);
  }
}

#if defined(__x86_64__)

inline int32_t pair_at(const int16_t* weights, int k) {
  int32_t pair;
  std::memcpy(&pair, weights + k * 2, sizeof pair);
  return pair;
}

// Two pixels of both rows a step: their channels side by side, multiplied by the two weights and added in one
// instruction.
__attribute__((target("avx2"))) void reduce_rows_avx2(const uint8_t* const source[2], const RowTaps& taps, int length,
                                                      uint8_t* const out[2]) {
  const __m256i side_by_side =
      _mm256_broadcastsi128_si256(_mm_setr_epi8(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1));
  const int pairs = taps.pairs;
  for (int i = 0; i < length; i++) {
    const ptrdiff_t at = static_cast<ptrdiff_t>(taps.first[i]) * 3;
    const uint8_t* upper = source[0] + at;
    const uint8_t* lower = source[1] + at;
    const int16_t* weights = taps.weights + static_cast<ptrdiff_t>(i) * pairs * 2;
    __m256i sum = _mm256_set1_epi32(kHalf);
    for (int k = 0; k < pairs; k++) {
      const __m128i two_above = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(upper + k * 6));
      const __m128i two_below = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(lower + k * 6));
      const __m256i both = _mm256_inserti128_si256(_mm256_castsi128_si256(two_above), two_below, 1);
      const __m256i channels = _mm256_shuffle_epi8(both, side_by_side);
      sum = _mm256_add_epi32(sum, _mm256_madd_epi16(channels, _mm256_set1_epi32(pair_at(weights, k))));
    }
    sum = _mm256_srai_epi32(sum, kWeightBits);
    const __m256i words = _mm256_packs_epi32(sum, sum);
    const __m256i bytes = _mm256_packus_epi16(words, words);
    const int32_t above = _mm_cvtsi128_si32(_mm256_castsi256_si128(bytes));
    const int32_t below = _mm_cvtsi128_si32(_mm256_extracti128_si256(bytes, 1));
    std::memcpy(out[0] + i * 3, &above, sizeof above);
    std::memcpy(out[1] + i * 3, &below, sizeof below);
  }
}

__attribute__((target("avx2"))) void reduce_column_avx2(const uint8_t* rows, int stride, const int16_t* weights,
                                                        int pairs, int bytes, uint8_t* out) {
  for (int x = 0; x < bytes; x += 16) {
    __m256i low = _mm256_set1_epi32(kHalf);
    __m256i high = low;
    const uint8_t* at = rows + x;
    for (int k = 0; k < pairs; k++, at += static_cast<ptrdiff_t>(stride) * 2) {
      const __m128i one = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
      const __m128i other = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at + stride));
      const __m256i weight = _mm256_set1_epi32(pair_at(weights, k));
      low = _mm256_add_epi32(low, _mm256_madd_epi16(_mm256_cvtepu8_epi16(_mm_unpacklo_epi8(one, other)), weight));
      high = _mm256_add_epi32(high, _mm256_madd_epi16(_mm256_cvtepu8_epi16(_mm_unpackhi_epi8(one, other)), weight));
    }
    const __m256i words = _mm256_packs_epi32(_mm256_srai_epi32(low, kWeightBits), _mm256_srai_epi32(high, kWeightBits));
    const __m256i ordered = _mm256_permute4x64_epi64(words, _MM_SHUFFLE(3, 1, 2, 0));
    const __m128i result = _mm_packus_epi16(_mm256_castsi256_si128(ordered), _mm256_extracti128_si256(ordered, 1));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + x), result);
  }
}

const bool kAvx2 = __builtin_cpu_supports("avx2");

#endif

}  // namespace

void reduce_rows(const uint8_t* const source[2], const RowTaps& taps, int length, uint8_t* const out[2]) {
#if defined(__x86_64__)
  if (kAvx2) return reduce_rows_avx2(source, taps, length, out);
#endif
  reduce_rows_portable(source, taps, length, out);
}

void reduce_column(const uint8_t* rows, int stride, const int16_t* weights, int pairs, int bytes, uint8_t* out) {
#if defined(__x86_64__)
  if (kAvx2) return reduce_column_avx2(rows, stride, weights, pairs, bytes, out);
#endif
  reduce_column_portable(rows, stride, weights, pairs, bytes, out);
}

}  // namespace simsiam
