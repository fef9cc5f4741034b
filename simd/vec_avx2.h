/* vec_avx2.h — AVX2, FMA and F16C: eight floats. See vec.h. */
#ifndef URSA_SIMD_VEC_AVX2_H
#define URSA_SIMD_VEC_AVX2_H

#include <immintrin.h>
#include <sleef.h>

typedef __m256 vf;
typedef __m256 vm;
typedef __m256i vi;
#define V_LANES 8

/* Eight words of ones, eight of zeros: a window into it is the mask of the first n lanes. */
static const int32_t v_tail_masks[16] = {-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0};

V_INLINE __m256i v_tail(int64_t n)
{
    return _mm256_loadu_si256((const __m256i *)(v_tail_masks + 8 - n));
}
V_INLINE vf vf_set(float x)
{
    return _mm256_set1_ps(x);
}
V_INLINE vf vf_zero(void)
{
    return _mm256_setzero_ps();
}
V_INLINE vf vf_load(const float *p)
{
    return _mm256_loadu_ps(p);
}
V_INLINE void vf_store(float *p, vf v)
{
    _mm256_storeu_ps(p, v);
}
V_INLINE vf vf_load_n(const float *p, int64_t n)
{
    return _mm256_maskload_ps(p, v_tail(n));
}
V_INLINE void vf_store_n(float *p, vf v, int64_t n)
{
    _mm256_maskstore_ps(p, v_tail(n), v);
}
V_INLINE vf vf_load_f16(const uint16_t *p)
{
    return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p));
}
V_INLINE void vf_store_f16(uint16_t *p, vf v)
{
    _mm_storeu_si128((__m128i *)p, _mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
}
V_INLINE vf vf_load_bf16(const uint16_t *p)
{
    __m256i wide = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)p));
    return _mm256_castsi256_ps(_mm256_slli_epi32(wide, 16));
}
V_INLINE void vf_store_bf16(uint16_t *p, vf v)
{
    __m256i bits = _mm256_castps_si256(v);
    __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
    __m256i rounded = _mm256_srli_epi32(_mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff))), 16);
    /* A NaN must not round up to infinity: keep its upper half, made quiet. */
    __m256i quiet = _mm256_or_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(0x40));
    __m256i is_nan = _mm256_castps_si256(_mm256_cmp_ps(v, v, _CMP_UNORD_Q));
    __m256i words = _mm256_blendv_epi8(rounded, quiet, is_nan);
    __m256i packed = _mm256_permute4x64_epi64(_mm256_packus_epi32(words, words), 0x08);
    _mm_storeu_si128((__m128i *)p, _mm256_castsi256_si128(packed));
}
V_INLINE vf vf_from_i32(const int32_t *p)
{
    return _mm256_cvtepi32_ps(_mm256_loadu_si256((const __m256i *)p));
}
V_INLINE void vf_to_i32(int32_t *p, vf v)
{
    _mm256_storeu_si256((__m256i *)p, _mm256_cvttps_epi32(v));
}
V_INLINE vf vf_from_u8(const uint8_t *p)
{
    return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)p)));
}
V_INLINE void vf_to_u8(uint8_t *p, vf v)
{
    __m256i words = _mm256_cvttps_epi32(v);
    __m128i shorts = _mm_packus_epi32(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
    _mm_storel_epi64((__m128i *)p, _mm_packus_epi16(shorts, shorts));
}
V_INLINE vf vf_add(vf a, vf b)
{
    return _mm256_add_ps(a, b);
}
V_INLINE vf vf_sub(vf a, vf b)
{
    return _mm256_sub_ps(a, b);
}
V_INLINE vf vf_mul(vf a, vf b)
{
    return _mm256_mul_ps(a, b);
}
V_INLINE vf vf_div(vf a, vf b)
{
    return _mm256_div_ps(a, b);
}
V_INLINE vf vf_fma(vf a, vf b, vf c)
{
    return _mm256_fmadd_ps(a, b, c);
}
V_INLINE vf vf_fnma(vf a, vf b, vf c)
{
    return _mm256_fnmadd_ps(a, b, c);
}
V_INLINE vf vf_min(vf a, vf b)
{
    return _mm256_min_ps(a, b);
}
V_INLINE vf vf_max(vf a, vf b)
{
    return _mm256_max_ps(a, b);
}
V_INLINE vf vf_neg(vf a)
{
    return _mm256_xor_ps(a, _mm256_set1_ps(-0.0f));
}
V_INLINE vf vf_abs(vf a)
{
    return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a);
}
V_INLINE vf vf_copysign(vf magnitude, vf sign)
{
    vf bit = _mm256_set1_ps(-0.0f);
    return _mm256_or_ps(_mm256_andnot_ps(bit, magnitude), _mm256_and_ps(bit, sign));
}
V_INLINE vf vf_sqrt(vf a)
{
    return _mm256_sqrt_ps(a);
}
V_INLINE vf vf_floor(vf a)
{
    return _mm256_floor_ps(a);
}
V_INLINE vf vf_ceil(vf a)
{
    return _mm256_ceil_ps(a);
}
V_INLINE vf vf_round(vf a)
{
    return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
V_INLINE vm vf_lt(vf a, vf b)
{
    return _mm256_cmp_ps(a, b, _CMP_LT_OQ);
}
V_INLINE vm vf_le(vf a, vf b)
{
    return _mm256_cmp_ps(a, b, _CMP_LE_OQ);
}
V_INLINE vm vf_gt(vf a, vf b)
{
    return _mm256_cmp_ps(a, b, _CMP_GT_OQ);
}
V_INLINE vm vf_ge(vf a, vf b)
{
    return _mm256_cmp_ps(a, b, _CMP_GE_OQ);
}
V_INLINE vm vf_eq(vf a, vf b)
{
    return _mm256_cmp_ps(a, b, _CMP_EQ_OQ);
}
V_INLINE vm vf_ne(vf a, vf b)
{
    return _mm256_cmp_ps(a, b, _CMP_NEQ_UQ);
}
V_INLINE vm vm_and(vm a, vm b)
{
    return _mm256_and_ps(a, b);
}
V_INLINE vm vm_or(vm a, vm b)
{
    return _mm256_or_ps(a, b);
}
V_INLINE vm vm_not(vm a)
{
    return _mm256_xor_ps(a, _mm256_castsi256_ps(_mm256_set1_epi32(-1)));
}
V_INLINE bool vm_any(vm a)
{
    return _mm256_movemask_ps(a) != 0;
}
V_INLINE vf vf_select(vm m, vf a, vf b)
{
    return _mm256_blendv_ps(b, a, m);
}
V_INLINE vi vi_load(const int32_t *p)
{
    return _mm256_loadu_si256((const __m256i *)p);
}
V_INLINE vf vf_permute(vf v, vi i)
{
    return _mm256_permutevar8x32_ps(v, i);
}
V_INLINE float vf_sum(vf v)
{
    __m128 half = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    half = _mm_add_ps(half, _mm_movehl_ps(half, half));
    return _mm_cvtss_f32(_mm_add_ss(half, _mm_movehdup_ps(half)));
}
V_INLINE float vf_hmin(vf v)
{
    __m128 half = _mm_min_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    half = _mm_min_ps(half, _mm_movehl_ps(half, half));
    return _mm_cvtss_f32(_mm_min_ss(half, _mm_movehdup_ps(half)));
}
V_INLINE float vf_hmax(vf v)
{
    __m128 half = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    half = _mm_max_ps(half, _mm_movehl_ps(half, half));
    return _mm_cvtss_f32(_mm_max_ss(half, _mm_movehdup_ps(half)));
}

#define vf_exp(x)      Sleef_expf8_u10avx2(x)
#define vf_expm1(x)    Sleef_expm1f8_u10avx2(x)
#define vf_log(x)      Sleef_logf8_u10avx2(x)
#define vf_log1p(x)    Sleef_log1pf8_u10avx2(x)
#define vf_log2(x)     Sleef_log2f8_u10avx2(x)
#define vf_sin(x)      Sleef_sinf8_u10avx2(x)
#define vf_cos(x)      Sleef_cosf8_u10avx2(x)
#define vf_tan(x)      Sleef_tanf8_u10avx2(x)
#define vf_asin(x)     Sleef_asinf8_u10avx2(x)
#define vf_acos(x)     Sleef_acosf8_u10avx2(x)
#define vf_atan(x)     Sleef_atanf8_u10avx2(x)
#define vf_sinh(x)     Sleef_sinhf8_u10avx2(x)
#define vf_cosh(x)     Sleef_coshf8_u10avx2(x)
#define vf_tanh(x)     Sleef_tanhf8_u10avx2(x)
#define vf_erf(x)      Sleef_erff8_u10avx2(x)
#define vf_pow(x, y)   Sleef_powf8_u10avx2(x, y)
#define vf_atan2(y, x) Sleef_atan2f8_u10avx2(y, x)

#endif
