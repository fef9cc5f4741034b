/* vec_avx512.h — AVX-512 F, BW, DQ and VL: sixteen floats. See vec.h.
 *
 * With URSA_SIMD_EMULATED (meson -Davx512_emulated=true, for tests only) SIMDe
 * stands in for the instructions, so that a machine without them can run the
 * kernels of this set.
 */
#ifndef URSA_SIMD_VEC_AVX512_H
#define URSA_SIMD_VEC_AVX512_H

#ifdef URSA_SIMD_EMULATED
#include "vec_avx512_emulated.h"
#else
#include <immintrin.h>
#include <sleef.h>
#endif

typedef __m512 vf;
typedef __mmask16 vm;
typedef __m512i vi;
#define V_LANES 16

V_INLINE __mmask16 v_tail(int64_t n)
{
    return (__mmask16)((1u << n) - 1);
}
V_INLINE vf vf_set(float x)
{
    return _mm512_set1_ps(x);
}
V_INLINE vf vf_zero(void)
{
    return _mm512_setzero_ps();
}
V_INLINE vf vf_load(const float *p)
{
    return _mm512_loadu_ps(p);
}
V_INLINE void vf_store(float *p, vf v)
{
    _mm512_storeu_ps(p, v);
}
V_INLINE vf vf_load_n(const float *p, int64_t n)
{
    return _mm512_maskz_loadu_ps(v_tail(n), p);
}
V_INLINE void vf_store_n(float *p, vf v, int64_t n)
{
    _mm512_mask_storeu_ps(p, v_tail(n), v);
}
V_INLINE vf vf_load_f16(const uint16_t *p)
{
    return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)p));
}
V_INLINE void vf_store_f16(uint16_t *p, vf v)
{
    _mm256_storeu_si256((__m256i *)p, _mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
}
V_INLINE vf vf_load_bf16(const uint16_t *p)
{
    __m512i wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)p));
    return _mm512_castsi512_ps(_mm512_slli_epi32(wide, 16));
}
#ifdef URSA_SIMD_BF16
typedef __m256i vh;

V_INLINE vh vh_load(const void *p)
{
    return _mm256_loadu_si256(p);
}
V_INLINE vh vh_load_n(const void *p, int64_t n)
{
    return _mm256_maskz_loadu_epi16(v_tail(n), p);
}
V_INLINE void vh_store(void *p, vh v)
{
    _mm256_storeu_si256(p, v);
}
V_INLINE vh vh_round(vf v) /* numbers below 2⁻¹²⁶ become zero */
{
    return (__m256i)_mm512_cvtneps_pbh(v);
}
V_INLINE vf vf_pairs(vh first, vh second)
{
    __m512i low = _mm512_cvtepu16_epi32(first), high = _mm512_slli_epi32(_mm512_cvtepu16_epi32(second), 16);
    return _mm512_castsi512_ps(_mm512_or_si512(low, high));
}
V_INLINE vf vf_fma_pairs(vf a, vf b, vf c)
{
    return _mm512_dpbf16_ps(c, (__m512bh)a, (__m512bh)b);
}
V_INLINE void vf_store_bf16(uint16_t *p, vf v)
{
    vh_store(p, vh_round(v));
}
#else
V_INLINE void vf_store_bf16(uint16_t *p, vf v)
{
    __m512i bits = _mm512_castps_si512(v);
    __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    __m512i rounded = _mm512_srli_epi32(_mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff))), 16);
    /* A NaN must not round up to infinity: keep its upper half, made quiet. */
    __m512i quiet = _mm512_or_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(0x40));
    __m512i words = _mm512_mask_mov_epi32(rounded, _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q), quiet);
    _mm256_storeu_si256((__m256i *)p, _mm512_cvtepi32_epi16(words));
}
#endif
V_INLINE vf vf_from_i32(const int32_t *p)
{
    return _mm512_cvtepi32_ps(_mm512_loadu_si512(p));
}
V_INLINE void vf_to_i32(int32_t *p, vf v)
{
    _mm512_storeu_si512(p, _mm512_cvttps_epi32(v));
}
V_INLINE vf vf_from_u8(const uint8_t *p)
{
    return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)p)));
}
V_INLINE void vf_to_u8(uint8_t *p, vf v)
{
    _mm_storeu_si128((__m128i *)p, _mm512_cvtepi32_epi8(_mm512_cvttps_epi32(v)));
}
V_INLINE vf vf_add(vf a, vf b)
{
    return _mm512_add_ps(a, b);
}
V_INLINE vf vf_sub(vf a, vf b)
{
    return _mm512_sub_ps(a, b);
}
V_INLINE vf vf_mul(vf a, vf b)
{
    return _mm512_mul_ps(a, b);
}
V_INLINE vf vf_div(vf a, vf b)
{
    return _mm512_div_ps(a, b);
}
V_INLINE vf vf_fma(vf a, vf b, vf c)
{
    return _mm512_fmadd_ps(a, b, c);
}
V_INLINE vf vf_fnma(vf a, vf b, vf c)
{
    return _mm512_fnmadd_ps(a, b, c);
}
V_INLINE vf vf_min(vf a, vf b)
{
    return _mm512_min_ps(a, b);
}
V_INLINE vf vf_max(vf a, vf b)
{
    return _mm512_max_ps(a, b);
}
V_INLINE vf vf_neg(vf a)
{
    return _mm512_xor_ps(a, _mm512_set1_ps(-0.0f));
}
V_INLINE vf vf_abs(vf a)
{
    return _mm512_andnot_ps(_mm512_set1_ps(-0.0f), a);
}
V_INLINE vf vf_copysign(vf magnitude, vf sign)
{
    vf bit = _mm512_set1_ps(-0.0f);
    return _mm512_or_ps(_mm512_andnot_ps(bit, magnitude), _mm512_and_ps(bit, sign));
}
V_INLINE vf vf_sqrt(vf a)
{
    return _mm512_sqrt_ps(a);
}
V_INLINE vf vf_floor(vf a)
{
    return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
}
V_INLINE vf vf_ceil(vf a)
{
    return _mm512_roundscale_ps(a, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC);
}
V_INLINE vf vf_round(vf a)
{
    return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
V_INLINE vm vf_lt(vf a, vf b)
{
    return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ);
}
V_INLINE vm vf_le(vf a, vf b)
{
    return _mm512_cmp_ps_mask(a, b, _CMP_LE_OQ);
}
V_INLINE vm vf_gt(vf a, vf b)
{
    return _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ);
}
V_INLINE vm vf_ge(vf a, vf b)
{
    return _mm512_cmp_ps_mask(a, b, _CMP_GE_OQ);
}
V_INLINE vm vf_eq(vf a, vf b)
{
    return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ);
}
V_INLINE vm vf_ne(vf a, vf b)
{
    return _mm512_cmp_ps_mask(a, b, _CMP_NEQ_UQ);
}
V_INLINE vm vm_and(vm a, vm b)
{
    return (vm)(a & b);
}
V_INLINE vm vm_or(vm a, vm b)
{
    return (vm)(a | b);
}
V_INLINE vm vm_not(vm a)
{
    return (vm)~a;
}
V_INLINE bool vm_any(vm a)
{
    return a != 0;
}
V_INLINE vf vf_select(vm m, vf a, vf b)
{
    return _mm512_mask_blend_ps(m, b, a);
}
V_INLINE vi vi_load(const int32_t *p)
{
    return _mm512_loadu_si512(p);
}
V_INLINE vf vf_permute(vf v, vi i)
{
    return _mm512_permutexvar_ps(i, v);
}
V_INLINE __m256 v_upper(vf v)
{
    return _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(v), 1));
}
V_INLINE float vf_sum(vf v)
{
    __m256 half = _mm256_add_ps(_mm512_castps512_ps256(v), v_upper(v));
    __m128 quarter = _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
    quarter = _mm_add_ps(quarter, _mm_movehl_ps(quarter, quarter));
    return _mm_cvtss_f32(_mm_add_ss(quarter, _mm_movehdup_ps(quarter)));
}
V_INLINE float vf_hmin(vf v)
{
    __m256 half = _mm256_min_ps(_mm512_castps512_ps256(v), v_upper(v));
    __m128 quarter = _mm_min_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
    quarter = _mm_min_ps(quarter, _mm_movehl_ps(quarter, quarter));
    return _mm_cvtss_f32(_mm_min_ss(quarter, _mm_movehdup_ps(quarter)));
}
V_INLINE float vf_hmax(vf v)
{
    __m256 half = _mm256_max_ps(_mm512_castps512_ps256(v), v_upper(v));
    __m128 quarter = _mm_max_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
    quarter = _mm_max_ps(quarter, _mm_movehl_ps(quarter, quarter));
    return _mm_cvtss_f32(_mm_max_ss(quarter, _mm_movehdup_ps(quarter)));
}

#ifndef URSA_SIMD_EMULATED
#define vf_exp(x)      Sleef_expf16_u10avx512f(x)
#define vf_expm1(x)    Sleef_expm1f16_u10avx512f(x)
#define vf_log(x)      Sleef_logf16_u10avx512f(x)
#define vf_log1p(x)    Sleef_log1pf16_u10avx512f(x)
#define vf_log2(x)     Sleef_log2f16_u10avx512f(x)
#define vf_sin(x)      Sleef_sinf16_u10avx512f(x)
#define vf_cos(x)      Sleef_cosf16_u10avx512f(x)
#define vf_tan(x)      Sleef_tanf16_u10avx512f(x)
#define vf_asin(x)     Sleef_asinf16_u10avx512f(x)
#define vf_acos(x)     Sleef_acosf16_u10avx512f(x)
#define vf_atan(x)     Sleef_atanf16_u10avx512f(x)
#define vf_sinh(x)     Sleef_sinhf16_u10avx512f(x)
#define vf_cosh(x)     Sleef_coshf16_u10avx512f(x)
#define vf_tanh(x)     Sleef_tanhf16_u10avx512f(x)
#define vf_erf(x)      Sleef_erff16_u10avx512f(x)
#define vf_pow(x, y)   Sleef_powf16_u10avx512f(x, y)
#define vf_atan2(y, x) Sleef_atan2f16_u10avx512f(y, x)
#else
#define vf_exp(x)      v_halves(Sleef_expf8_u10avx2, x)
#define vf_expm1(x)    v_halves(Sleef_expm1f8_u10avx2, x)
#define vf_log(x)      v_halves(Sleef_logf8_u10avx2, x)
#define vf_log1p(x)    v_halves(Sleef_log1pf8_u10avx2, x)
#define vf_log2(x)     v_halves(Sleef_log2f8_u10avx2, x)
#define vf_sin(x)      v_halves(Sleef_sinf8_u10avx2, x)
#define vf_cos(x)      v_halves(Sleef_cosf8_u10avx2, x)
#define vf_tan(x)      v_halves(Sleef_tanf8_u10avx2, x)
#define vf_asin(x)     v_halves(Sleef_asinf8_u10avx2, x)
#define vf_acos(x)     v_halves(Sleef_acosf8_u10avx2, x)
#define vf_atan(x)     v_halves(Sleef_atanf8_u10avx2, x)
#define vf_sinh(x)     v_halves(Sleef_sinhf8_u10avx2, x)
#define vf_cosh(x)     v_halves(Sleef_coshf8_u10avx2, x)
#define vf_tanh(x)     v_halves(Sleef_tanhf8_u10avx2, x)
#define vf_erf(x)      v_halves(Sleef_erff8_u10avx2, x)
#define vf_pow(x, y)   v_halves2(Sleef_powf8_u10avx2, x, y)
#define vf_atan2(y, x) v_halves2(Sleef_atan2f8_u10avx2, y, x)
#endif

#endif
