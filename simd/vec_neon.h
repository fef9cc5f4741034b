/* vec_neon.h — NEON of 64-bit Arm: four floats. See vec.h. */
#ifndef URSA_SIMD_VEC_NEON_H
#define URSA_SIMD_VEC_NEON_H

#include <arm_neon.h>
#include <sleef.h>

typedef float32x4_t vf;
typedef uint32x4_t vm;
typedef uint8x16_t vi;
#define V_LANES 4

V_INLINE vf vf_set(float x)
{
    return vdupq_n_f32(x);
}
V_INLINE vf vf_zero(void)
{
    return vdupq_n_f32(0);
}
V_INLINE vf vf_load(const float *p)
{
    return vld1q_f32(p);
}
V_INLINE void vf_store(float *p, vf v)
{
    vst1q_f32(p, v);
}
V_INLINE vf vf_load_n(const float *p, int64_t n)
{
    float lanes[4] = {0};
    memcpy(lanes, p, (size_t)n * sizeof *p);
    return vld1q_f32(lanes);
}
V_INLINE void vf_store_n(float *p, vf v, int64_t n)
{
    float lanes[4];
    vst1q_f32(lanes, v);
    memcpy(p, lanes, (size_t)n * sizeof *p);
}
V_INLINE vf vf_load_f16(const uint16_t *p)
{
    return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p)));
}
V_INLINE void vf_store_f16(uint16_t *p, vf v)
{
    vst1_u16(p, vreinterpret_u16_f16(vcvt_f16_f32(v)));
}
V_INLINE vf vf_load_bf16(const uint16_t *p)
{
    return vreinterpretq_f32_u32(vshll_n_u16(vld1_u16(p), 16));
}
#ifdef URSA_SIMD_BF16
typedef uint16x4_t vh;

V_INLINE vh vh_load(const void *p)
{
    return vld1_u16(p);
}
V_INLINE vh vh_load_n(const void *p, int64_t n)
{
    uint16_t lanes[4] = {0};
    memcpy(lanes, p, (size_t)n * sizeof *lanes);
    return vld1_u16(lanes);
}
V_INLINE void vh_store(void *p, vh v)
{
    vst1_u16(p, v);
}
V_INLINE vh vh_round(vf v)
{
    return vreinterpret_u16_bf16(vcvt_bf16_f32(v));
}
V_INLINE vf vf_pairs(vh first, vh second)
{
    return vreinterpretq_f32_u32(vorrq_u32(vmovl_u16(first), vshll_n_u16(second, 16)));
}
V_INLINE vf vf_fma_pairs(vf a, vf b, vf c)
{
    return vbfdotq_f32(c, vreinterpretq_bf16_f32(a), vreinterpretq_bf16_f32(b));
}
V_INLINE void vf_store_bf16(uint16_t *p, vf v)
{
    vh_store(p, vh_round(v));
}
#else
V_INLINE void vf_store_bf16(uint16_t *p, vf v)
{
    uint32x4_t bits = vreinterpretq_u32_f32(v);
    uint32x4_t odd = vandq_u32(vshrq_n_u32(bits, 16), vdupq_n_u32(1));
    uint32x4_t rounded = vshrq_n_u32(vaddq_u32(bits, vaddq_u32(odd, vdupq_n_u32(0x7fff))), 16);
    /* A NaN must not round up to infinity: keep its upper half, made quiet. */
    uint32x4_t quiet = vorrq_u32(vshrq_n_u32(bits, 16), vdupq_n_u32(0x40));
    vst1_u16(p, vmovn_u32(vbslq_u32(vceqq_f32(v, v), rounded, quiet)));
}
#endif
V_INLINE vf vf_from_i32(const int32_t *p)
{
    return vcvtq_f32_s32(vld1q_s32(p));
}
V_INLINE void vf_to_i32(int32_t *p, vf v)
{
    vst1q_s32(p, vcvtq_s32_f32(v));
}
V_INLINE vf vf_from_u8(const uint8_t *p)
{
    uint32_t bytes;
    memcpy(&bytes, p, sizeof bytes);
    return vcvtq_f32_u32(vmovl_u16(vget_low_u16(vmovl_u8(vcreate_u8(bytes)))));
}
V_INLINE void vf_to_u8(uint8_t *p, vf v)
{
    uint16x4_t shorts = vmovn_u32(vcvtq_u32_f32(v));
    uint32_t bytes = vget_lane_u32(vreinterpret_u32_u8(vmovn_u16(vcombine_u16(shorts, shorts))), 0);
    memcpy(p, &bytes, sizeof bytes);
}
V_INLINE vf vf_add(vf a, vf b)
{
    return vaddq_f32(a, b);
}
V_INLINE vf vf_sub(vf a, vf b)
{
    return vsubq_f32(a, b);
}
V_INLINE vf vf_mul(vf a, vf b)
{
    return vmulq_f32(a, b);
}
V_INLINE vf vf_div(vf a, vf b)
{
    return vdivq_f32(a, b);
}
V_INLINE vf vf_fma(vf a, vf b, vf c)
{
    return vfmaq_f32(c, a, b);
}
V_INLINE vf vf_fnma(vf a, vf b, vf c)
{
    return vfmsq_f32(c, a, b);
}
/* Not vminq and vmaxq: those return NaN where either operand is. */
V_INLINE vf vf_min(vf a, vf b)
{
    return vbslq_f32(vcltq_f32(a, b), a, b);
}
V_INLINE vf vf_max(vf a, vf b)
{
    return vbslq_f32(vcgtq_f32(a, b), a, b);
}
V_INLINE vf vf_neg(vf a)
{
    return vnegq_f32(a);
}
V_INLINE vf vf_abs(vf a)
{
    return vabsq_f32(a);
}
V_INLINE vf vf_copysign(vf magnitude, vf sign)
{
    return vbslq_f32(vdupq_n_u32(0x80000000u), sign, magnitude);
}
V_INLINE vf vf_sqrt(vf a)
{
    return vsqrtq_f32(a);
}
V_INLINE vf vf_floor(vf a)
{
    return vrndmq_f32(a);
}
V_INLINE vf vf_ceil(vf a)
{
    return vrndpq_f32(a);
}
V_INLINE vf vf_round(vf a)
{
    return vrndnq_f32(a);
}
V_INLINE vm vf_lt(vf a, vf b)
{
    return vcltq_f32(a, b);
}
V_INLINE vm vf_le(vf a, vf b)
{
    return vcleq_f32(a, b);
}
V_INLINE vm vf_gt(vf a, vf b)
{
    return vcgtq_f32(a, b);
}
V_INLINE vm vf_ge(vf a, vf b)
{
    return vcgeq_f32(a, b);
}
V_INLINE vm vf_eq(vf a, vf b)
{
    return vceqq_f32(a, b);
}
V_INLINE vm vf_ne(vf a, vf b)
{
    return vmvnq_u32(vceqq_f32(a, b));
}
V_INLINE vm vm_and(vm a, vm b)
{
    return vandq_u32(a, b);
}
V_INLINE vm vm_or(vm a, vm b)
{
    return vorrq_u32(a, b);
}
V_INLINE vm vm_not(vm a)
{
    return vmvnq_u32(a);
}
V_INLINE bool vm_any(vm a)
{
    return vmaxvq_u32(a) != 0;
}
V_INLINE vf vf_select(vm m, vf a, vf b)
{
    return vbslq_f32(m, a, b);
}
/* As the bytes that a table takes. */
V_INLINE vi vi_load(const int32_t *p)
{
    uint32x4_t bytes = vmulq_n_u32(vreinterpretq_u32_s32(vld1q_s32(p)), 0x04040404u);
    return vreinterpretq_u8_u32(vaddq_u32(bytes, vdupq_n_u32(0x03020100u)));
}
V_INLINE vf vf_permute(vf v, vi i)
{
    return vreinterpretq_f32_u8(vqtbl1q_u8(vreinterpretq_u8_f32(v), i));
}
V_INLINE float vf_sum(vf v)
{
    return vaddvq_f32(v);
}
V_INLINE float vf_hmin(vf v)
{
    vf half = vf_min(v, vextq_f32(v, v, 2));
    return vgetq_lane_f32(vf_min(half, vextq_f32(half, half, 1)), 0);
}
V_INLINE float vf_hmax(vf v)
{
    vf half = vf_max(v, vextq_f32(v, v, 2));
    return vgetq_lane_f32(vf_max(half, vextq_f32(half, half, 1)), 0);
}

#define vf_exp(x)      Sleef_expf4_u10advsimd(x)
#define vf_expm1(x)    Sleef_expm1f4_u10advsimd(x)
#define vf_log(x)      Sleef_logf4_u10advsimd(x)
#define vf_log1p(x)    Sleef_log1pf4_u10advsimd(x)
#define vf_log2(x)     Sleef_log2f4_u10advsimd(x)
#define vf_sin(x)      Sleef_sinf4_u10advsimd(x)
#define vf_cos(x)      Sleef_cosf4_u10advsimd(x)
#define vf_tan(x)      Sleef_tanf4_u10advsimd(x)
#define vf_asin(x)     Sleef_asinf4_u10advsimd(x)
#define vf_acos(x)     Sleef_acosf4_u10advsimd(x)
#define vf_atan(x)     Sleef_atanf4_u10advsimd(x)
#define vf_sinh(x)     Sleef_sinhf4_u10advsimd(x)
#define vf_cosh(x)     Sleef_coshf4_u10advsimd(x)
#define vf_tanh(x)     Sleef_tanhf4_u10advsimd(x)
#define vf_erf(x)      Sleef_erff4_u10advsimd(x)
#define vf_pow(x, y)   Sleef_powf4_u10advsimd(x, y)
#define vf_atan2(y, x) Sleef_atan2f4_u10advsimd(y, x)

#endif
