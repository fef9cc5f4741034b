/* dtype.c — element types: names, sizes, and the conversions of the half types. */
#include <ursa/device.h>
#include <string.h>

static const struct {
    const char *name;
    size_t size;
    bool is_float;
} types[URSA_DTYPE_COUNT] = {
    [URSA_F32] = {"f32", 4, true},    [URSA_F16] = {"f16", 2, true},  [URSA_BF16] = {"bf16", 2, true},
    [URSA_I32] = {"i32", 4, false},   [URSA_I64] = {"i64", 8, false}, [URSA_U8] = {"u8", 1, false},
    [URSA_BOOL] = {"bool", 1, false},
};

static bool is_known(ursa_dtype dtype)
{
    return (unsigned)dtype < URSA_DTYPE_COUNT;
}

const char *ursa_dtype_name(ursa_dtype dtype)
{
    return is_known(dtype) ? types[dtype].name : "?";
}

size_t ursa_dtype_size(ursa_dtype dtype)
{
    return is_known(dtype) ? types[dtype].size : 0;
}

bool ursa_dtype_is_float(ursa_dtype dtype)
{
    return is_known(dtype) && types[dtype].is_float;
}

static uint32_t bits_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static float float_of(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* `bits` without its lowest `shift`, to nearest, ties to even. */
static uint32_t round_shift(uint32_t bits, int shift)
{
    uint32_t half = 1u << (shift - 1);
    uint32_t odd = (bits >> shift) & 1;
    return (bits + half - 1 + odd) >> shift;
}

uint16_t ursa_f16_from_f32(float value)
{
    uint32_t bits = bits_of(value);
    uint32_t sign = (bits >> 16) & 0x8000;
    uint32_t magnitude = bits & 0x7fffffff;
    if (magnitude > 0x7f800000) /* not a number: quiet, keeping what fits of the payload */
        return (uint16_t)(sign | 0x7e00 | ((magnitude >> 13) & 0x3ff));
    if (magnitude >= 0x477ff000) /* rounds to 65536 or more */
        return (uint16_t)(sign | 0x7c00);
    if (magnitude >= 0x38800000) /* a normal half; a carry out of the mantissa steps the exponent, as it should */
        return (uint16_t)(sign | round_shift(magnitude - 0x38000000, 13));
    if (magnitude < 0x33000000) /* below half of the smallest subnormal */
        return (uint16_t)sign;
    uint32_t mantissa = (magnitude & 0x7fffff) | 0x800000;
    int shift = 126 - (int)(magnitude >> 23);
    return (uint16_t)(sign | round_shift(mantissa, shift));
}

float ursa_f32_from_f16(uint16_t bits)
{
    uint32_t sign = (uint32_t)(bits & 0x8000) << 16;
    uint32_t exponent = (bits >> 10) & 0x1f;
    uint32_t mantissa = bits & 0x3ff;
    if (exponent == 0x1f)
        return float_of(sign | 0x7f800000 | (mantissa << 13));
    if (exponent)
        return float_of(sign | ((exponent + 112) << 23) | (mantissa << 13));
    float subnormal = (float)mantissa * 0x1p-24f;
    return sign ? -subnormal : subnormal;
}

uint16_t ursa_bf16_from_f32(float value)
{
    uint32_t bits = bits_of(value);
    if ((bits & 0x7fffffff) > 0x7f800000)
        return (uint16_t)((bits >> 16) | 0x40);
    uint32_t odd = (bits >> 16) & 1;
    return (uint16_t)((bits + 0x7fff + odd) >> 16);
}

float ursa_f32_from_bf16(uint16_t bits)
{
    return float_of((uint32_t)bits << 16);
}
