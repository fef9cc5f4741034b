/* half.h — f16 and bf16 in plain C: to nearest, ties to even; NaN stays NaN,
 * made quiet, as the processors' own conversions do it. */
#ifndef URSA_SIMD_HALF_H
#define URSA_SIMD_HALF_H

#include <stdint.h>
#include <string.h>

static inline uint32_t half_bits(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline float half_float(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline float half_from_f16(uint16_t half)
{
    uint32_t sign = (uint32_t)(half & 0x8000) << 16, magnitude = half & 0x7fffu;
    if (magnitude >= 0x7c00) /* infinite, or not a number */
        return half_float(sign | 0x7f800000u | (magnitude & 0x3ffu) << 13 | (magnitude > 0x7c00 ? 0x400000u : 0));
    /* Moved to the float's exponent field the value is 2¹¹² times too small; subnormals come right by themselves. */
    return half_float(sign | half_bits(half_float(magnitude << 13) * 0x1p112f));
}

static inline uint16_t half_to_f16(float value)
{
    uint32_t bits = half_bits(value), sign = bits >> 16 & 0x8000, magnitude = bits & 0x7fffffff;
    if (magnitude > 0x7f800000)
        return (uint16_t)(sign | 0x7e00 | (magnitude >> 13 & 0x3ff));
    if (magnitude >= 0x477ff000) /* 65520 and above round to infinity */
        return (uint16_t)(sign | 0x7c00);
    if (magnitude < 0x38800000) /* subnormal: adding ½ leaves the rounded multiple of 2⁻²⁴ in the low bits */
        return (uint16_t)(sign | (half_bits(half_float(magnitude) + 0.5f) - 0x3f000000));
    return (uint16_t)(sign | (magnitude - 0x38000000 + 0xfff + (magnitude >> 13 & 1)) >> 13);
}

static inline float half_from_bf16(uint16_t half)
{
    return half_float((uint32_t)half << 16);
}

static inline uint16_t half_to_bf16(float value)
{
    uint32_t bits = half_bits(value);
    if ((bits & 0x7fffffff) > 0x7f800000)
        return (uint16_t)(bits >> 16 | 0x40);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

/* sum + the products of two pairs of bf16, numbers below 2⁻¹²⁶ as zero, as processors multiply pairs. */
static inline float half_dot(uint32_t a, uint32_t b, float sum)
{
    for (int i = 0; i < 2; i++, a >>= 16, b >>= 16) {
        float x = half_float(a << 16), y = half_float(b << 16);
        x = (a & 0x7f80) ? x : 0;
        y = (b & 0x7f80) ? y : 0;
        sum += x * y;
    }
    return sum;
}

#endif
