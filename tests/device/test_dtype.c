/* Element types: names, sizes, and every conversion of the half types. */
#include "../unit.h"
#include <ursa/device.h>
#include <math.h>
#include <string.h>

static float float_of(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void names_and_sizes(void **state)
{
    (void)state;
    const char *names[] = {"f32", "f16", "bf16", "i32", "i64", "u8", "bool"};
    const size_t sizes[] = {4, 2, 2, 4, 8, 1, 1};
    for (int i = 0; i < URSA_DTYPE_COUNT; i++) {
        assert_string_equal(ursa_dtype_name(i), names[i]);
        assert_int_equal(ursa_dtype_size(i), sizes[i]);
        assert_int_equal(ursa_dtype_is_float(i), i < 3);
    }
    assert_string_equal(ursa_dtype_name(URSA_DTYPE_COUNT), "?");
    assert_int_equal(ursa_dtype_size(URSA_DTYPE_COUNT), 0);
}

/* The value of a half from its fields, in double. */
static double half_value(uint16_t bits)
{
    int exponent = bits >> 10 & 31, mantissa = bits & 1023;
    double value = exponent ? ldexp(1024 + mantissa, exponent - 25) : ldexp(mantissa, -24);
    if (exponent == 31)
        value = mantissa ? NAN : INFINITY;
    return bits >> 15 ? -value : value;
}

static void every_half(void **state)
{
    (void)state;
    for (uint32_t bits = 0; bits < 65536; bits++) {
        float value = ursa_f32_from_f16((uint16_t)bits);
        double expected = half_value((uint16_t)bits);
        assert_true((double)value == expected || (isnan(value) && isnan(expected)));
        assert_int_equal(!!signbit(value), bits >> 15);
        uint16_t back = ursa_f16_from_f32(value);
        if (isnan(value))
            assert_true((back & 0x7c00) == 0x7c00 && (back & 0x3ff));
        else
            assert_int_equal(back, bits);
    }
}

/* Between two neighbours, and exactly in the middle. */
static void halves_round_to_even(void **state)
{
    (void)state;
    for (uint32_t bits = 0; bits < 0x7bff; bits++) {
        double low = half_value((uint16_t)bits), high = half_value((uint16_t)(bits + 1)), middle = (low + high) / 2;
        uint16_t even = (uint16_t)(bits & 1 ? bits + 1 : bits);
        assert_int_equal(ursa_f16_from_f32((float)middle), even);
        assert_int_equal(ursa_f16_from_f32(-(float)middle), even | 0x8000);
        assert_int_equal(ursa_f16_from_f32(nextafterf((float)middle, 0)), bits);
        assert_int_equal(ursa_f16_from_f32(nextafterf((float)middle, INFINITY)), bits + 1);
    }
    assert_int_equal(ursa_f16_from_f32(65519.996f), 0x7bff);
    assert_int_equal(ursa_f16_from_f32(65520), 0x7c00);
    assert_int_equal(ursa_f16_from_f32(1e30f), 0x7c00);
    assert_int_equal(ursa_f16_from_f32(-INFINITY), 0xfc00);
    assert_int_equal(ursa_f16_from_f32(1e-30f), 0);
}

static void brain_halves(void **state)
{
    (void)state;
    for (uint32_t bits = 0; bits < 65536; bits++) {
        float value = ursa_f32_from_bf16((uint16_t)bits);
        uint16_t back = ursa_bf16_from_f32(value);
        if (isnan(value)) {
            assert_true((back & 0x7f80) == 0x7f80 && (back & 0x7f));
            continue;
        }
        assert_int_equal(back, bits);
        if ((bits & 0x7fff) >= 0x7f80)
            continue;
        uint32_t wide = bits << 16;
        assert_int_equal(ursa_bf16_from_f32(float_of(wide | 0x7fff)), bits);
        assert_int_equal(ursa_bf16_from_f32(float_of(wide | 0x8000)), bits & 1 ? bits + 1 : bits);
        assert_int_equal(ursa_bf16_from_f32(float_of(wide | 0x8001)), bits + 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_sizes),
        cmocka_unit_test(every_half),
        cmocka_unit_test(halves_round_to_even),
        cmocka_unit_test(brain_halves),
    };
    return run_unit_tests("dtype", tests);
}
