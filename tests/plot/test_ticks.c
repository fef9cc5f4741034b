/* test_ticks.c — the marks of axes are round numbers that lie on them, and colours are the published ones. */
#include "../unit.h"
#include "plot/palette.h"
#include "plot/ticks.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void assert_labels(const ursa_ticks *ticks, const char *expected)
{
    char found[URSA_TICKS * 24] = "";
    for (int i = 0; i < ticks->count; i++) {
        strcat(found, i > 0 ? " " : "");
        strcat(found, ticks->label[i]);
    }
    assert_string_equal(found, expected);
}

static void test_linear(void **state)
{
    (void)state;
    ursa_ticks ticks;
    ursa_ticks_make(&ticks, 0, 1, false, 6, 0);
    assert_labels(&ticks, "0.0 0.2 0.4 0.6 0.8 1.0");
    ursa_ticks_make(&ticks, 0, 938, false, 8, 0);
    assert_labels(&ticks, "0 200 400 600 800");
    ursa_ticks_make(&ticks, -0.003, 0.0041, false, 8, 0);
    assert_labels(&ticks, "-0.003 -0.002 -0.001 0.000 0.001 0.002 0.003 0.004");
    ursa_ticks_make(&ticks, 1e-9, 4e-9, false, 6, 0);
    assert_labels(&ticks, "1e-09 1.5e-09 2e-09 2.5e-09 3e-09 3.5e-09 4e-09");
    ursa_ticks_make(&ticks, 0, 10, false, 5, 0);
    assert_labels(&ticks, "0 2 4 6 8 10");
    ursa_ticks_make(&ticks, 0, 10, false, 4, 0);
    assert_labels(&ticks, "0.0 2.5 5.0 7.5 10.0");
}

static void test_log(void **state)
{
    (void)state;
    ursa_ticks ticks;
    ursa_ticks_make(&ticks, 1e-5, 1, true, 8, 0);
    assert_labels(&ticks, "10⁻⁵ 10⁻⁴ 10⁻³ 10⁻² 10⁻¹ 10⁰");
    ursa_ticks_make(&ticks, 0.2, 1, true, 8, 0);
    assert_labels(&ticks, "0.2 0.5 1");
    ursa_ticks_make(&ticks, 1e-7, 10, true, 4, 0);
    assert_labels(&ticks, "10⁻⁶ 10⁻⁴ 10⁻² 10⁰");
}

/* Whatever the range, there are marks, on the axis, in their order, not too many, all told apart. */
static void test_any_range(void **state)
{
    (void)state;
    ursa_rng rng = ursa_rng_new(5, URSA_PURPOSE_USER, 0);
    for (int i = 0; i < 20000; i++) {
        ursa_ticks ticks;
        bool log = i % 2;
        double size = pow(10, 24 * ursa_rng_uniform(&rng) - 12),
               low = size * (ursa_rng_uniform(&rng) - (log ? 0 : 0.5));
        low = log ? fmax(low, size * 1e-6) : low;
        double high = low + size * ursa_rng_uniform(&rng) * (i % 7 == 0 ? 0 : 1);
        int wanted = 4 + i % 6;
        ursa_ticks_make(&ticks, low, high, log, wanted, 0.05);
        assert_true(ticks.low <= low && ticks.high >= high && ticks.low < ticks.high);
        if (ticks.count < 1 || ticks.count > 2 * wanted)
            fail_msg("%d marks from %g to %g%s", ticks.count, low, high, log ? ", logarithmic" : "");
        for (int j = 0; j < ticks.count; j++) {
            double place = ursa_ticks_place(&ticks, ticks.at[j]);
            assert_true(place > -1e-6 && place < 1 + 1e-6);
            assert_true(j == 0 || ticks.at[j] > ticks.at[j - 1]);
            if (j > 0 && strcmp(ticks.label[j], ticks.label[j - 1]) == 0)
                fail_msg("%s twice from %g to %g", ticks.label[j], low, high);
        }
    }
}

static void test_places(void **state)
{
    (void)state;
    ursa_ticks ticks;
    ursa_ticks_make(&ticks, 1, 100, true, 6, 0);
    assert_true(fabs(ursa_ticks_place(&ticks, 10) - 0.5) < 1e-12);
    assert_true(isnan(ursa_ticks_place(&ticks, 0)) && isnan(ursa_ticks_place(&ticks, -1)));
    assert_true(isnan(ursa_ticks_place(&ticks, NAN)) && isnan(ursa_ticks_place(&ticks, INFINITY)));
    ursa_ticks_make(&ticks, -1, 1, false, 6, 0);
    assert_true(fabs(ursa_ticks_place(&ticks, 0) - 0.5) < 1e-12);
}

static void assert_colour(ursa_ink ink, int red, int green, int blue)
{
    assert_int_equal(lround(ink.red * 255), red);
    assert_int_equal(lround(ink.green * 255), green);
    assert_int_equal(lround(ink.blue * 255), blue);
}

static void test_colours(void **state)
{
    (void)state;
    assert_colour(ursa_map_colour(URSA_VIRIDIS, 0), 0x44, 0x01, 0x54);
    assert_colour(ursa_map_colour(URSA_VIRIDIS, 1), 0xFD, 0xE7, 0x25);
    assert_colour(ursa_map_colour(URSA_VIRIDIS, 7), 0xFD, 0xE7, 0x25);
    assert_colour(ursa_map_colour(URSA_BLUES, 0.5), 0x6B, 0xAE, 0xD6);
    assert_colour(ursa_palette(0), 0x00, 0x72, 0xB2);
    /* Text can be read on every colour of a map. */
    for (int i = 0; i <= 100; i++) {
        ursa_ink ground = ursa_map_colour(URSA_BLUES, i / 100.0), ink = ursa_ink_on(ground);
        double apart = fabs(0.299 * (ground.red - ink.red) + 0.587 * (ground.green - ink.green) +
                            0.114 * (ground.blue - ink.blue));
        assert_true(apart > 0.4);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_linear), cmocka_unit_test(test_log),     cmocka_unit_test(test_any_range),
        cmocka_unit_test(test_places), cmocka_unit_test(test_colours),
    };
    return run_unit_tests("ticks", tests);
}
