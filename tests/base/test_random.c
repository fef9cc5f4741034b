/* Philox against the known answers of its authors, and the statistics of the
 * streams made from it. */
#include "base/philox.h"
#include "base/smooth.h"

#include "../unit.h"
#include <math.h>

/* kat_vectors of Random123, philox4x32 with 10 rounds. */
static void philox_known_answers(void **state)
{
    (void)state;
    static const struct {
        uint32_t counter[4], key[2], out[4];
    } answers[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (int i = 0; i < 3; i++) {
        uint32_t out[4];
        ursa_philox_rounds(answers[i].key, answers[i].counter, out);
        assert_memory_equal(out, answers[i].out, sizeof out);
    }
}

static void philox_words(void **state)
{
    (void)state;
    uint32_t out[4], general[4];
    ursa_philox(0, 0, out);
    assert_int_equal(out[0], 0x6627e8d5);
    ursa_philox(0x299f31d0a4093822u, 0x85a308d3243f6a88u, out);
    ursa_philox_rounds((uint32_t[]){0xa4093822, 0x299f31d0}, (uint32_t[]){0x243f6a88, 0x85a308d3, 0, 0}, general);
    assert_memory_equal(out, general, sizeof out);
    assert_true(ursa_philox_uniform(0xffffffffu) < 1.0f);
    assert_true(ursa_philox_uniform(0) == 0.0f);
}

static void streams_are_named_by_seed_purpose_index(void **state)
{
    (void)state;
    enum { SEEDS = 4, PURPOSES = 7, INDICES = 4, ALL = SEEDS * PURPOSES * INDICES };
    uint64_t keys[ALL];
    int count = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++)
        for (int purpose = 0; purpose < PURPOSES; purpose++)
            for (uint64_t index = 0; index < INDICES; index++)
                keys[count++] = ursa_rng_new(seed, (ursa_purpose)purpose, index).key;
    for (int i = 0; i < ALL; i++)
        for (int j = 0; j < i; j++)
            assert_true(keys[i] != keys[j]);
    ursa_rng a = ursa_rng_new(7, URSA_PURPOSE_SHUFFLE, 3), b = ursa_rng_new(7, URSA_PURPOSE_SHUFFLE, 3);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(ursa_rng_u32(&a), ursa_rng_u32(&b));
}

/* Files that were written depend on these numbers: they may never change. */
static void streams_stay_the_same(void **state)
{
    (void)state;
    ursa_rng rng = ursa_rng_new(42, URSA_PURPOSE_USER, 0);
    static const uint32_t words[5] = {0x3301d02d, 0x8364e7c9, 0x1ba45774, 0x6716458b, 0xcf917247};
    for (int i = 0; i < 5; i++)
        assert_int_equal(ursa_rng_u32(&rng), words[i]);
}

static void uniform_moments(void **state)
{
    (void)state;
    enum { N = 200000 };
    ursa_rng rng = ursa_rng_new(1, URSA_PURPOSE_USER, 0);
    double sum = 0, squares = 0, lag = 0, before = 0.5;
    for (int i = 0; i < N; i++) {
        double u = ursa_rng_uniform(&rng);
        assert_true(u >= 0 && u < 1);
        sum += u;
        squares += u * u;
        lag += (u - 0.5) * (before - 0.5);
        before = u;
    }
    /* five standard deviations of each estimate */
    assert_true(fabs(sum / N - 0.5) < 5 * sqrt(1.0 / 12 / N));
    assert_true(fabs(squares / N - 1.0 / 3) < 5 * sqrt(4.0 / 45 / N));
    assert_true(fabs(lag / N) < 5 * (1.0 / 12) / sqrt(N));
}

static void normal_moments(void **state)
{
    (void)state;
    enum { N = 200000 };
    ursa_rng rng = ursa_rng_new(1, URSA_PURPOSE_USER, 1);
    double m1 = 0, m2 = 0, m3 = 0, m4 = 0;
    int beyond = 0;
    for (int i = 0; i < N; i++) {
        double x = ursa_rng_normal(&rng);
        assert_true(isfinite(x));
        m1 += x;
        m2 += x * x;
        m3 += x * x * x;
        m4 += x * x * x * x;
        beyond += fabs(x) > 1.959963984540054;
    }
    assert_true(fabs(m1 / N) < 5 * sqrt(1.0 / N));
    assert_true(fabs(m2 / N - 1) < 5 * sqrt(2.0 / N));
    assert_true(fabs(m3 / N) < 5 * sqrt(15.0 / N));
    assert_true(fabs(m4 / N - 3) < 5 * sqrt(96.0 / N));
    assert_true(fabs((double)beyond / N - 0.05) < 5 * sqrt(0.05 * 0.95 / N));
}

static void below_is_in_range_and_even(void **state)
{
    (void)state;
    enum { N = 140000, BINS = 7 };
    ursa_rng rng = ursa_rng_new(1, URSA_PURPOSE_SAMPLE, 0);
    int counts[BINS] = {0};
    for (int i = 0; i < N; i++) {
        uint64_t value = ursa_rng_below(&rng, BINS);
        assert_true(value < BINS);
        counts[value]++;
    }
    double chi2 = 0, expected = (double)N / BINS;
    for (int i = 0; i < BINS; i++)
        chi2 += (counts[i] - expected) * (counts[i] - expected) / expected;
    assert_true(chi2 < 30); /* six degrees of freedom: p < 4e-5 */
    assert_int_equal(ursa_rng_below(&rng, 0), 0);
    assert_int_equal(ursa_rng_below(&rng, 1), 0);
}

/* With a bound of 3/4 of 2⁶⁴ a biased method would give the lower half of the
 * results twice as often. */
static void below_is_unbiased_for_large_bounds(void **state)
{
    (void)state;
    enum { N = 30000 };
    ursa_rng rng = ursa_rng_new(1, URSA_PURPOSE_SAMPLE, 1);
    uint64_t bound = 3ull << 62;
    int thirds[3] = {0};
    for (int i = 0; i < N; i++) {
        uint64_t value = ursa_rng_below(&rng, bound);
        assert_true(value < bound);
        thirds[value / (1ull << 62)]++;
    }
    for (int i = 0; i < 3; i++)
        assert_true(fabs(thirds[i] - N / 3.0) < 5 * sqrt(N * 2.0 / 9));
}

static void shuffle_permutes_evenly(void **state)
{
    (void)state;
    enum { N = 60000 };
    int counts[6] = {0};
    ursa_rng rng = ursa_rng_new(5, URSA_PURPOSE_SHUFFLE, 0);
    for (int i = 0; i < N; i++) {
        int64_t items[3] = {0, 1, 2};
        ursa_rng_shuffle(&rng, items, 3);
        assert_int_equal(items[0] + items[1] + items[2], 3);
        assert_true(items[0] != items[1] && items[1] != items[2] && items[0] != items[2]);
        counts[items[0] * 2 + (items[1] > items[2])]++;
    }
    for (int i = 0; i < 6; i++)
        assert_true(fabs(counts[i] - N / 6.0) < 5 * sqrt(N * 5.0 / 36));
    ursa_rng_shuffle(&rng, NULL, 0);
}

static void the_process_seed(void **state)
{
    (void)state;
    assert_int_equal(ursa_seed(), 42);
    ursa_set_seed(7);
    assert_int_equal(ursa_seed(), 7);
    ursa_set_seed(42);
}

static void smoothing_forgets(void **state)
{
    (void)state;
    ursa_smooth smooth = {0};
    assert_true(fabs(ursa_smooth_add(&smooth, 3, 0.98) - 3) < 1e-12); /* not drawn towards zero */
    assert_true(fabs(ursa_smooth_add(&smooth, 5, 0.5) - (0.5 * 0.02 * 3 + 0.5 * 5) / (0.5 * 0.02 + 0.5)) < 1e-12);
    for (int i = 0; i < 1000; i++)
        ursa_smooth_add(&smooth, 1, 0.9);
    assert_true(fabs(ursa_smooth_add(&smooth, 1, 0.9) - 1) < 1e-9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(philox_known_answers),
        cmocka_unit_test(philox_words),
        cmocka_unit_test(streams_are_named_by_seed_purpose_index),
        cmocka_unit_test(streams_stay_the_same),
        cmocka_unit_test(uniform_moments),
        cmocka_unit_test(normal_moments),
        cmocka_unit_test(below_is_in_range_and_even),
        cmocka_unit_test(below_is_unbiased_for_large_bounds),
        cmocka_unit_test(shuffle_permutes_evenly),
        cmocka_unit_test(the_process_seed),
        cmocka_unit_test(smoothing_forgets),
    };
    return run_unit_tests("random", tests);
}
