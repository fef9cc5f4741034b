/* vec_reference.h — plain C, one float at a time: what the other sets are
 * measured against. See vec.h. */
#ifndef URSA_SIMD_VEC_REFERENCE_H
#define URSA_SIMD_VEC_REFERENCE_H

#include "half.h"
#include <math.h>

typedef float vf;
typedef bool vm;
typedef int32_t vi;
#define V_LANES 1

V_INLINE vf vf_set(float x)
{
    return x;
}
V_INLINE vf vf_zero(void)
{
    return 0;
}
V_INLINE vf vf_load(const float *p)
{
    return *p;
}
V_INLINE void vf_store(float *p, vf v)
{
    *p = v;
}
V_INLINE vf vf_load_n(const float *p, int64_t n)
{
    return n > 0 ? *p : 0;
}
V_INLINE void vf_store_n(float *p, vf v, int64_t n)
{
    if (n > 0)
        *p = v;
}
V_INLINE vf vf_load_f16(const uint16_t *p)
{
    return half_from_f16(*p);
}
V_INLINE void vf_store_f16(uint16_t *p, vf v)
{
    *p = half_to_f16(v);
}
V_INLINE vf vf_load_bf16(const uint16_t *p)
{
    return half_from_bf16(*p);
}
V_INLINE void vf_store_bf16(uint16_t *p, vf v)
{
    *p = half_to_bf16(v);
}
V_INLINE vf vf_from_i32(const int32_t *p)
{
    return (float)*p;
}
V_INLINE void vf_to_i32(int32_t *p, vf v)
{
    *p = (int32_t)v;
}
V_INLINE vf vf_from_u8(const uint8_t *p)
{
    return (float)*p;
}
V_INLINE void vf_to_u8(uint8_t *p, vf v)
{
    *p = (uint8_t)v;
}
V_INLINE vf vf_add(vf a, vf b)
{
    return a + b;
}
V_INLINE vf vf_sub(vf a, vf b)
{
    return a - b;
}
V_INLINE vf vf_mul(vf a, vf b)
{
    return a * b;
}
V_INLINE vf vf_div(vf a, vf b)
{
    return a / b;
}
V_INLINE vf vf_fma(vf a, vf b, vf c)
{
    return fmaf(a, b, c);
}
V_INLINE vf vf_fnma(vf a, vf b, vf c)
{
    return fmaf(-a, b, c);
}
V_INLINE vf vf_min(vf a, vf b)
{
    return a < b ? a : b;
}
V_INLINE vf vf_max(vf a, vf b)
{
    return a > b ? a : b;
}
V_INLINE vf vf_neg(vf a)
{
    return -a;
}
V_INLINE vf vf_abs(vf a)
{
    return fabsf(a);
}
V_INLINE vf vf_copysign(vf magnitude, vf sign)
{
    return copysignf(magnitude, sign);
}
V_INLINE vf vf_sqrt(vf a)
{
    return sqrtf(a);
}
V_INLINE vf vf_floor(vf a)
{
    return floorf(a);
}
V_INLINE vf vf_ceil(vf a)
{
    return ceilf(a);
}
V_INLINE vf vf_round(vf a)
{
    return rintf(a);
}
V_INLINE vm vf_lt(vf a, vf b)
{
    return a < b;
}
V_INLINE vm vf_le(vf a, vf b)
{
    return a <= b;
}
V_INLINE vm vf_gt(vf a, vf b)
{
    return a > b;
}
V_INLINE vm vf_ge(vf a, vf b)
{
    return a >= b;
}
V_INLINE vm vf_eq(vf a, vf b)
{
    return a == b;
}
V_INLINE vm vf_ne(vf a, vf b)
{
    return a != b;
}
V_INLINE vm vm_and(vm a, vm b)
{
    return a && b;
}
V_INLINE vm vm_or(vm a, vm b)
{
    return a || b;
}
V_INLINE vm vm_not(vm a)
{
    return !a;
}
V_INLINE bool vm_any(vm a)
{
    return a;
}
V_INLINE vf vf_select(vm m, vf a, vf b)
{
    return m ? a : b;
}
V_INLINE vi vi_load(const int32_t *p)
{
    return *p;
}
V_INLINE vf vf_permute(vf v, vi i)
{
    (void)i;
    return v;
}
V_INLINE float vf_sum(vf v)
{
    return v;
}
V_INLINE float vf_hmin(vf v)
{
    return v;
}
V_INLINE float vf_hmax(vf v)
{
    return v;
}

#define vf_exp(x)      expf(x)
#define vf_expm1(x)    expm1f(x)
#define vf_log(x)      logf(x)
#define vf_log1p(x)    log1pf(x)
#define vf_log2(x)     log2f(x)
#define vf_sin(x)      sinf(x)
#define vf_cos(x)      cosf(x)
#define vf_tan(x)      tanf(x)
#define vf_asin(x)     asinf(x)
#define vf_acos(x)     acosf(x)
#define vf_atan(x)     atanf(x)
#define vf_sinh(x)     sinhf(x)
#define vf_cosh(x)     coshf(x)
#define vf_tanh(x)     tanhf(x)
#define vf_erf(x)      erff(x)
#define vf_pow(x, y)   powf(x, y)
#define vf_atan2(y, x) atan2f(y, x)

#endif
