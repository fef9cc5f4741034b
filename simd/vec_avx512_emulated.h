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
#ifdef URSA_SIMD_BF16
#include "half.h"

#include <math.h>
#endif

/* SIMDe 0.7.4 lacks these. */
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

V_INLINE __m512i v_cvtepu16_epi32(__m256i words)
{
    __m256i half[2] = {_mm256_cvtepu16_epi32(_mm256_castsi256_si128(words)),
                       _mm256_cvtepu16_epi32(_mm256_extracti128_si256(words, 1))};
    return _mm512_loadu_si512(half);
}
#define _mm512_cvtepu16_epi32 v_cvtepu16_epi32

V_INLINE __m512i v_cvtepu8_epi32(__m128i bytes)
{
    __m256i half[2] = {_mm256_cvtepu8_epi32(bytes), _mm256_cvtepu8_epi32(_mm_srli_si128(bytes, 8))};
    return _mm512_loadu_si512(half);
}
#define _mm512_cvtepu8_epi32 v_cvtepu8_epi32

V_INLINE __m128i v_cvtepi32_epi8(__m512i v)
{
    int32_t wide[16];
    uint8_t bytes[16];
    _mm512_storeu_si512(wide, v);
    for (int i = 0; i < 16; i++)
        bytes[i] = (uint8_t)wide[i];
    return _mm_loadu_si128((const __m128i *)bytes);
}
#define _mm512_cvtepi32_epi8 v_cvtepi32_epi8

V_INLINE __m256i v_cvtepi32_epi16(__m512i v)
{
    int32_t wide[16];
    uint16_t words[16];
    _mm512_storeu_si512(wide, v);
    for (int i = 0; i < 16; i++)
        words[i] = (uint16_t)wide[i];
    return _mm256_loadu_si256((const __m256i *)words);
}
#define _mm512_cvtepi32_epi16 v_cvtepi32_epi16

V_INLINE __m512 v_cvtepi32_ps(__m512i v)
{
    __m256i half[2];
    memcpy(half, &v, sizeof half);
    __m256 floats[2] = {_mm256_cvtepi32_ps(half[0]), _mm256_cvtepi32_ps(half[1])};
    return _mm512_loadu_ps((const float *)floats);
}
#define _mm512_cvtepi32_ps v_cvtepi32_ps

V_INLINE __m512i v_cvttps_epi32(__m512 v)
{
    __m256 half[2];
    memcpy(half, &v, sizeof half);
    __m256i words[2] = {_mm256_cvttps_epi32(half[0]), _mm256_cvttps_epi32(half[1])};
    return _mm512_loadu_si512(words);
}
#define _mm512_cvttps_epi32 v_cvttps_epi32

V_INLINE __m512 v_cvtph_ps(__m256i halfs)
{
    __m256 half[2] = {_mm256_cvtph_ps(_mm256_castsi256_si128(halfs)),
                      _mm256_cvtph_ps(_mm256_extracti128_si256(halfs, 1))};
    return _mm512_loadu_ps((const float *)half);
}
#define _mm512_cvtph_ps v_cvtph_ps

V_INLINE __m256i v_cvtps_ph(__m512 v)
{
    __m256 half[2];
    memcpy(half, &v, sizeof half);
    return _mm256_set_m128i(_mm256_cvtps_ph(half[1], _MM_FROUND_TO_NEAREST_INT),
                            _mm256_cvtps_ph(half[0], _MM_FROUND_TO_NEAREST_INT));
}
#undef _mm512_cvtps_ph
#define _mm512_cvtps_ph(v, rounding) v_cvtps_ph(v)

V_INLINE __m256 v_half(__m512 v, int which)
{
    __m256 half[2];
    memcpy(half, &v, sizeof half);
    return half[which];
}

V_INLINE __m512 v_join(__m256 low, __m256 high)
{
    __m256 half[2] = {low, high};
    return _mm512_loadu_ps((const float *)half);
}

/* SIMDe's rounds the wrong way: it gives 0.5 for floor(0.5). */
#undef _mm512_roundscale_ps
#define _mm512_roundscale_ps(v, how) v_join(_mm256_round_ps(v_half(v, 0), how), _mm256_round_ps(v_half(v, 1), how))

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

#ifdef URSA_SIMD_BF16
#undef _mm512_cvtneps_pbh
#undef _mm512_dpbf16_ps
#undef _mm256_maskz_loadu_epi16
#undef _mm512_maskz_loadu_epi16
#undef __m512bh
#define __m512bh __m512

V_INLINE __m512i v_inserti64x4(__m512i v, __m256i half, int which)
{
    memcpy((__m256i *)&v + which, &half, sizeof half);
    return v;
}
#undef _mm512_inserti64x4
#define _mm512_inserti64x4 v_inserti64x4

V_INLINE __m256i v_cvtneps_pbh(__m512 v)
{
    float lanes[16];
    uint16_t halves[16];
    _mm512_storeu_ps(lanes, v);
    for (int i = 0; i < 16; i++)
        halves[i] = half_to_bf16(half_bits(lanes[i]) & 0x7f800000 ? lanes[i] : copysignf(0, lanes[i]));
    return _mm256_loadu_si256((const __m256i *)halves);
}
#define _mm512_cvtneps_pbh v_cvtneps_pbh

V_INLINE __m512 v_dpbf16_ps(__m512 sum, __m512 a, __m512 b)
{
    uint32_t words[2][16];
    float lanes[16];
    _mm512_storeu_ps(lanes, sum);
    memcpy(words[0], &a, sizeof words[0]);
    memcpy(words[1], &b, sizeof words[1]);
    for (int i = 0; i < 16; i++)
        lanes[i] = half_dot(words[0][i], words[1][i], lanes[i]);
    return _mm512_loadu_ps(lanes);
}
#define _mm512_dpbf16_ps v_dpbf16_ps

V_INLINE void v_maskz_loadu_epi16(uint16_t *lanes, int count, uint32_t mask, const uint16_t *p)
{
    for (int i = 0; i < count; i++)
        lanes[i] = mask >> i & 1 ? p[i] : 0;
}

V_INLINE __m256i v_maskz_loadu_epi16_256(__mmask16 mask, const void *p)
{
    uint16_t lanes[16];
    v_maskz_loadu_epi16(lanes, 16, mask, p);
    return _mm256_loadu_si256((const __m256i *)lanes);
}
#define _mm256_maskz_loadu_epi16 v_maskz_loadu_epi16_256

V_INLINE __m512i v_maskz_loadu_epi16_512(__mmask32 mask, const void *p)
{
    uint16_t lanes[32];
    v_maskz_loadu_epi16(lanes, 32, mask, p);
    return _mm512_loadu_si512(lanes);
}
#define _mm512_maskz_loadu_epi16 v_maskz_loadu_epi16_512
#endif

#endif
