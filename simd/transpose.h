/* transpose.h — small square blocks of floats, turned over in registers. */
#ifndef URSA_SIMD_TRANSPOSE_H
#define URSA_SIMD_TRANSPOSE_H

#include "vec.h"

/* V_BLOCK, and v_transpose: to[k to_stride + j] = from[j from_stride + k] for j, k < V_BLOCK. */

#if defined(URSA_SIMD_AVX2) || defined(URSA_SIMD_AVX512)
#include <immintrin.h>
#define V_BLOCK 8

/* Neighbouring rows are interleaved by one, by two, then by four elements. */
V_INLINE void v_transpose(const float *from, int64_t from_stride, float *to, int64_t to_stride)
{
    __m256 row[8], pair[8], four[8];
    for (int i = 0; i < 8; i++)
        row[i] = _mm256_loadu_ps(from + i * from_stride);
    for (int i = 0; i < 8; i += 2) {
        pair[i] = _mm256_unpacklo_ps(row[i], row[i + 1]);
        pair[i + 1] = _mm256_unpackhi_ps(row[i], row[i + 1]);
    }
    for (int i = 0; i < 8; i += 4) {
        four[i] = _mm256_shuffle_ps(pair[i], pair[i + 2], 0x44);
        four[i + 1] = _mm256_shuffle_ps(pair[i], pair[i + 2], 0xee);
        four[i + 2] = _mm256_shuffle_ps(pair[i + 1], pair[i + 3], 0x44);
        four[i + 3] = _mm256_shuffle_ps(pair[i + 1], pair[i + 3], 0xee);
    }
    for (int i = 0; i < 4; i++) {
        _mm256_storeu_ps(to + i * to_stride, _mm256_permute2f128_ps(four[i], four[i + 4], 0x20));
        _mm256_storeu_ps(to + (i + 4) * to_stride, _mm256_permute2f128_ps(four[i], four[i + 4], 0x31));
    }
}

#elif defined(URSA_SIMD_NEON)
#define V_BLOCK 4

V_INLINE void v_transpose(const float *from, int64_t from_stride, float *to, int64_t to_stride)
{
    float32x4x2_t a = vtrnq_f32(vld1q_f32(from), vld1q_f32(from + from_stride));
    float32x4x2_t b = vtrnq_f32(vld1q_f32(from + 2 * from_stride), vld1q_f32(from + 3 * from_stride));
    vst1q_f32(to, vcombine_f32(vget_low_f32(a.val[0]), vget_low_f32(b.val[0])));
    vst1q_f32(to + to_stride, vcombine_f32(vget_low_f32(a.val[1]), vget_low_f32(b.val[1])));
    vst1q_f32(to + 2 * to_stride, vcombine_f32(vget_high_f32(a.val[0]), vget_high_f32(b.val[0])));
    vst1q_f32(to + 3 * to_stride, vcombine_f32(vget_high_f32(a.val[1]), vget_high_f32(b.val[1])));
}

#else
#define V_BLOCK 1

V_INLINE void v_transpose(const float *from, int64_t from_stride, float *to, int64_t to_stride)
{
    (void)from_stride;
    (void)to_stride;
    *to = *from;
}
#endif

#endif
