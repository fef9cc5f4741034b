/* vec_avx512_emulated.h — what vec_avx512.h needs on a machine without
 * AVX-512: its instructions by SIMDe, its functions by SLEEF's for AVX2. */
#ifndef URSA_SIMD_VEC_AVX512_EMULATED_H
#define URSA_SIMD_VEC_AVX512_EMULATED_H

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/x86/avx512.h>
#include <simde/x86/f16c.h>
#pragma GCC diagnostic pop
#include <sleef.h>

/* SIMDe 0.7.4 lacks these two. */
V_INLINE __m512 v_maskz_loadu_ps(__mmask16 mask, const float *p)
{
    float lanes[16];
    for (int i = 0; i < 16; i++)
        lanes[i] = mask >> i & 1 ? p[i] : 0;
    return _mm512_loadu_ps(lanes);
}
#define _mm512_maskz_loadu_ps v_maskz_loadu_ps

V_INLINE void v_mask_storeu_ps(float *p, __mmask16 mask, __m512 v)
{
    float lanes[16];
    _mm512_storeu_ps(lanes, v);
    for (int i = 0; i < 16; i++)
        if (mask >> i & 1)
            p[i] = lanes[i];
}
#define _mm512_mask_storeu_ps v_mask_storeu_ps

V_INLINE __m512 v_halves(__m256 (*function)(__m256), __m512 x)
{
    __m256 half[2];
    memcpy(half, &x, sizeof half);
    half[0] = function(half[0]);
    half[1] = function(half[1]);
    memcpy(&x, half, sizeof half);
    return x;
}

V_INLINE __m512 v_halves2(__m256 (*function)(__m256, __m256), __m512 x, __m512 y)
{
    __m256 xs[2], ys[2];
    memcpy(xs, &x, sizeof xs);
    memcpy(ys, &y, sizeof ys);
    xs[0] = function(xs[0], ys[0]);
    xs[1] = function(xs[1], ys[1]);
    memcpy(&x, xs, sizeof xs);
    return x;
}

#endif
