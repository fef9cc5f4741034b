/* transpose.h — small square blocks of floats, turned over in registers. */
#ifndef URSA_SIMD_TRANSPOSE_H
#define URSA_SIMD_TRANSPOSE_H

#include "vec.h"

/* V_BLOCK; v_row, V_BLOCK floats; v_turn: row j of a block becomes its column j; and
 * v_transpose: to[k to_stride + j] = from[j from_stride + k] for j, k < V_BLOCK. */

#if defined(URSA_SIMD_AVX2) || defined(URSA_SIMD_AVX512)
#include <immintrin.h>
#define V_BLOCK 8

typedef __m256 v_row;
V_INLINE v_row v_row_load(const float *p)
{
    return _mm256_loadu_ps(p);
}
V_INLINE void v_row_store(float *p, v_row v)
{
    _mm256_storeu_ps(p, v);
}

/* Neighbouring rows are interleaved by one, by two, then by four elements. */
V_INLINE void v_turn(v_row row[V_BLOCK])
{
    __m256 pair[8], four[8];
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
        row[i] = _mm256_permute2f128_ps(four[i], four[i + 4], 0x20);
        row[i + 4] = _mm256_permute2f128_ps(four[i], four[i + 4], 0x31);
    }
}

#elif defined(URSA_SIMD_NEON)
#define V_BLOCK 4

typedef float32x4_t v_row;
V_INLINE v_row v_row_load(const float *p)
{
    return vld1q_f32(p);
}
V_INLINE void v_row_store(float *p, v_row v)
{
    vst1q_f32(p, v);
}
V_INLINE void v_turn(v_row row[V_BLOCK])
{
    float32x4x2_t a = vtrnq_f32(row[0], row[1]), b = vtrnq_f32(row[2], row[3]);
    row[0] = vcombine_f32(vget_low_f32(a.val[0]), vget_low_f32(b.val[0]));
    row[1] = vcombine_f32(vget_low_f32(a.val[1]), vget_low_f32(b.val[1]));
    row[2] = vcombine_f32(vget_high_f32(a.val[0]), vget_high_f32(b.val[0]));
    row[3] = vcombine_f32(vget_high_f32(a.val[1]), vget_high_f32(b.val[1]));
}

#else
#define V_BLOCK 1

typedef float v_row;
V_INLINE v_row v_row_load(const float *p)
{
    return *p;
}
V_INLINE void v_row_store(float *p, v_row v)
{
    *p = v;
}
V_INLINE void v_turn(v_row row[V_BLOCK])
{
    (void)row;
}
#endif

V_INLINE void v_transpose(const float *from, int64_t from_stride, float *to, int64_t to_stride)
{
    v_row row[V_BLOCK];
    for (int i = 0; i < V_BLOCK; i++)
        row[i] = v_row_load(from + i * from_stride);
    v_turn(row);
    for (int i = 0; i < V_BLOCK; i++)
        v_row_store(to + i * to_stride, row[i]);
}

#endif
