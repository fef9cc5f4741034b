/* test_vec.c — the vectors of one instruction set against plain C and the
 * double-precision functions of libm. Compiled once per set.
 */
#include "simd/vec.h"
#include "device/cpu/cpu.h"
#include "tests/unit.h"
#include "vectors.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define URSA_STRING_(x) #x
#define URSA_STRING(x)  URSA_STRING_(x)

/* The functions of the reference are libm's, whose bounds are wider than SLEEF's. */
#if V_LANES == 1
#define ULPS 2.5
#else
#define ULPS 1.01
#endif

static const float special[] = {0.0f,     -0.0f,     1.0f,       -1.0f,   0.5f,     -0.5f,    2.0f,     -2.0f,
                                INFINITY, -INFINITY, NAN,        FLT_MAX, -FLT_MAX, FLT_MIN,  -FLT_MIN, 1e-40f,
                                -1e-40f,  1e-7f,     -1e-7f,     87.0f,   -87.0f,   88.8f,    -103.0f,  10.5f,
                                -11.5f,   8388609,   3.1415926f, 1e10f,   -1e10f,   0.99999f, 1.5f,     2.5f};
enum { SPECIAL = sizeof special / sizeof *special, RANDOM = 20000, VALUES = SPECIAL + RANDOM };

static float values[VALUES + 16], others[VALUES + 16];

/* Special values first, then numbers of all sizes within `limit`, of both signs. */
static void make_values(float *to, double limit, uint64_t seed)
{
    ursa_rng rng = ursa_rng_new(seed, URSA_PURPOSE_USER, 0);
    memcpy(to, special, sizeof special);
    for (int i = 0; i < RANDOM; i++) {
        double size = limit * pow(10, -8 * ursa_rng_uniform(&rng) * (i % 2));
        to[SPECIAL + i] = (float)(size * (2 * ursa_rng_uniform(&rng) - 1));
    }
}

/* How far `got` is from `wanted`, in units of the last place of a float. */
static double ulps(float got, double wanted)
{
    if (isnan(wanted) || isnan(got))
        return isnan(wanted) && isnan(got) ? 0 : HUGE_VAL;
    if ((double)got == wanted || got == (float)wanted)
        return 0;
    if (isinf(got) || isinf(wanted)) /* overflow may come one unit early or late */
        return fabs(wanted) > (double)FLT_MAX * (1 - 0x1p-23) && fabsf(got) >= FLT_MAX ? 0 : HUGE_VAL;
    int exponent;
    frexp(fmax(fabs(wanted), (double)FLT_MIN), &exponent);
    return fabs((double)got - wanted) / ldexp(1, exponent - FLT_MANT_DIG);
}

static void check_near(const char *name, float x, float y, float got, double wanted, double bound)
{
    double error = ulps(got, wanted);
    if (error <= bound)
        return;
    print_error("%s(%a, %a) is %a, not %a: %g units off\n", name, (double)x, (double)y, (double)got, wanted, error);
    fail();
}

/* ---- functions ------------------------------------------------------------------ */

/* Beyond these SLEEF's functions give infinity early; see vec.h. */
static bool within_domain(const char *name, float x)
{
    if (strcmp(name, "log1p") == 0)
        return !(x > 1e38f) || isinf(x);
    if (strcmp(name, "sinh") == 0 || strcmp(name, "cosh") == 0)
        return !(fabsf(x) > 88) || isinf(x);
    return true;
}

#define CHECK_UNARY(name, limit, bound)                                                                                \
    do {                                                                                                               \
        make_values(values, limit, 1);                                                                                 \
        for (int i = 0; i + V_LANES <= VALUES; i += V_LANES) {                                                         \
            float got[V_LANES];                                                                                        \
            vf_store(got, vf_##name(vf_load(values + i)));                                                             \
            for (int l = 0; l < V_LANES; l++)                                                                          \
                if (within_domain(#name, values[i + l]))                                                               \
                    check_near(#name, values[i + l], 0, got[l], (name)((double)values[i + l]), bound);                 \
        }                                                                                                              \
    } while (0)

static void test_functions(void **state)
{
    (void)state;
    CHECK_UNARY(exp, 90, ULPS);
    CHECK_UNARY(expm1, 88, ULPS);
    CHECK_UNARY(log, 1e30, ULPS);
    CHECK_UNARY(log1p, 1e30, ULPS);
    CHECK_UNARY(log2, 1e30, ULPS);
    CHECK_UNARY(sin, 1e4, ULPS);
    CHECK_UNARY(cos, 1e4, ULPS);
    CHECK_UNARY(tan, 1e4, ULPS);
    CHECK_UNARY(asin, 1, ULPS);
    CHECK_UNARY(acos, 1, ULPS);
    CHECK_UNARY(atan, 1e6, ULPS);
    CHECK_UNARY(sinh, 88, ULPS);
    CHECK_UNARY(cosh, 88, ULPS);
    CHECK_UNARY(tanh, 12, ULPS);
    CHECK_UNARY(erf, 5, ULPS);
}

static double binary_of(int which, double x, double y)
{
    return which ? atan2(x, y) : pow(x, y);
}

static void test_functions_of_two(void **state)
{
    (void)state;
    make_values(values, 10, 2);
    make_values(others, 10, 3);
    for (int i = SPECIAL; i + V_LANES <= VALUES; i += V_LANES) {
        float power[V_LANES], angle[V_LANES];
        vf x = vf_load(values + i), y = vf_load(others + i);
        vf_store(power, vf_pow(vf_abs(x), y));
        vf_store(angle, vf_atan2(x, y));
        for (int l = 0; l < V_LANES; l++) {
            float a = values[i + l], b = others[i + l];
            check_near("pow", fabsf(a), b, power[l], binary_of(0, fabs((double)a), (double)b), ULPS);
            check_near("atan2", a, b, angle[l], binary_of(1, (double)a, (double)b), ULPS);
        }
    }
}

/* ---- arithmetic: the very bits of plain C --------------------------------------- */

static bool same(float a, float b)
{
    return (isnan(a) && isnan(b)) || memcmp(&a, &b, sizeof a) == 0;
}

#define CHECK_EXACT(vector, scalar)                                                                                    \
    do {                                                                                                               \
        float got[V_LANES];                                                                                            \
        vf_store(got, vector);                                                                                         \
        for (int l = 0; l < V_LANES; l++) {                                                                            \
            float a = values[i + l], b = others[j + l];                                                                \
            (void)a, (void)b;                                                                                          \
            if (!same(got[l], (float)(scalar))) {                                                                      \
                print_error("%s of %a and %a is %a, not %a\n", #vector, (double)a, (double)b, (double)got[l],          \
                            (double)(scalar));                                                                         \
                fail();                                                                                                \
            }                                                                                                          \
        }                                                                                                              \
    } while (0)

static void check_arithmetic(int i, int j)
{
    vf x = vf_load(values + i), y = vf_load(others + j), one = vf_set(1), none = vf_zero();
    CHECK_EXACT(vf_add(x, y), a + b);
    CHECK_EXACT(vf_sub(x, y), a - b);
    CHECK_EXACT(vf_mul(x, y), a * b);
    CHECK_EXACT(vf_div(x, y), a / b);
    CHECK_EXACT(vf_fma(x, y, one), fmaf(a, b, 1));
    CHECK_EXACT(vf_fnma(x, y, one), fmaf(-a, b, 1));
    CHECK_EXACT(vf_min(x, y), a < b ? a : b); /* the second where either is NaN */
    CHECK_EXACT(vf_max(x, y), a > b ? a : b);
    CHECK_EXACT(vf_neg(x), -a);
    CHECK_EXACT(vf_abs(x), fabsf(a));
    CHECK_EXACT(vf_copysign(x, y), copysignf(a, b));
    CHECK_EXACT(vf_sqrt(x), sqrtf(a));
    CHECK_EXACT(vf_floor(x), floorf(a));
    CHECK_EXACT(vf_ceil(x), ceilf(a));
    CHECK_EXACT(vf_round(x), nearbyintf(a));
    CHECK_EXACT(vf_select(vf_lt(x, y), one, none), a < b);
    CHECK_EXACT(vf_select(vf_le(x, y), one, none), a <= b);
    CHECK_EXACT(vf_select(vf_gt(x, y), one, none), a > b);
    CHECK_EXACT(vf_select(vf_ge(x, y), one, none), a >= b);
    CHECK_EXACT(vf_select(vf_eq(x, y), one, none), a == b);
    CHECK_EXACT(vf_select(vf_ne(x, y), one, none), a != b);
    CHECK_EXACT(vf_select(vm_and(vf_gt(x, none), vf_gt(y, none)), x, y), a > 0 && b > 0 ? a : b);
    CHECK_EXACT(vf_select(vm_or(vf_gt(x, none), vf_gt(y, none)), x, y), a > 0 || b > 0 ? a : b);
    CHECK_EXACT(vf_select(vm_not(vf_gt(x, none)), x, y), a > 0 ? b : a);
}

static void test_arithmetic(void **state)
{
    (void)state;
    make_values(values, 100, 4);
    make_values(others, 100, 5);
    for (int i = 0; i + V_LANES <= SPECIAL; i++)
        for (int j = 0; j + V_LANES <= SPECIAL; j++)
            check_arithmetic(i, j);
    for (int i = SPECIAL; i + V_LANES <= VALUES; i += V_LANES)
        check_arithmetic(i, i);
}

static void test_lanes(void **state)
{
    (void)state;
    float x[V_LANES];
    for (int l = 0; l < V_LANES; l++)
        x[l] = (float)(l * 7 % 5 - 2);
    float sum = 0, low = x[0], high = x[0];
    for (int l = 0; l < V_LANES; l++) {
        sum += x[l];
        low = fminf(low, x[l]);
        high = fmaxf(high, x[l]);
    }
    vf v = vf_load(x);
    assert_true(vf_sum(v) == sum);
    assert_true(vf_hmin(v) == low);
    assert_true(vf_hmax(v) == high);
    for (int l = 0; l < V_LANES; l++) { /* one lane at a time */
        float y[V_LANES] = {0};
        y[l] = 1;
        assert_true(vm_any(vf_gt(vf_load(y), vf_zero())));
        assert_true(vf_sum(vf_load(y)) == 1);
        assert_true(vf_hmax(vf_load(y)) == 1);
        y[l] = -1;
        assert_true(vf_hmin(vf_load(y)) == -1);
    }
    assert_false(vm_any(vf_gt(vf_zero(), vf_zero())));
    int32_t from[V_LANES];
    float moved[V_LANES];
    for (int32_t l = 0; l < V_LANES; l++)
        from[l] = (l * 5 + 3) % V_LANES;
    vf_store(moved, vf_permute(vf_load(special), vi_load(from)));
    for (int l = 0; l < V_LANES; l++)
        assert_memory_equal(&moved[l], &special[from[l]], sizeof(float));
}

static void test_tails(void **state)
{
    (void)state;
    for (int n = 0; n <= V_LANES; n++) {
        float from[V_LANES], lanes[V_LANES], to[V_LANES + 2];
        for (int l = 0; l < V_LANES; l++)
            from[l] = (float)(l + 1);
        for (int l = 0; l < V_LANES + 2; l++)
            to[l] = -1;
        vf_store(lanes, vf_load_n(from, n));
        vf_store_n(to + 1, vf_load(from), n);
        for (int l = 0; l < V_LANES; l++)
            assert_true(lanes[l] == (l < n ? from[l] : 0));
        for (int l = 0; l < V_LANES + 2; l++)
            assert_true(to[l] == (l >= 1 && l <= n ? from[l - 1] : -1));
    }
}

static void test_memory(void **state)
{
    (void)state;
    float lanes[V_LANES];
    int32_t words[V_LANES], back[V_LANES];
    for (int l = 0; l < V_LANES; l++)
        words[l] = (l - 3) * 1000001;
    vf v = vf_from_i32(words);
    vf_store(lanes, v);
    vf_to_i32(back, vf_add(v, vf_copysign(vf_set(0.25f), v))); /* towards zero */
    for (int l = 0; l < V_LANES; l++) {
        assert_true(lanes[l] == (float)words[l]);
        assert_int_equal(back[l], words[l]);
    }
    for (int first = 0; first < 256; first += V_LANES) {
        uint8_t bytes[V_LANES], stored[V_LANES + 2];
        for (int l = 0; l < V_LANES; l++)
            bytes[l] = (uint8_t)(first + l);
        memset(stored, 0xa5, sizeof stored);
        v = vf_from_u8(bytes);
        vf_store(lanes, v);
        vf_to_u8(stored + 1, vf_add(v, vf_set(0.75f)));
        for (int l = 0; l < V_LANES; l++) {
            assert_true(lanes[l] == (float)(first + l));
            assert_int_equal(stored[1 + l], first + l);
        }
        assert_true(stored[0] == 0xa5 && stored[V_LANES + 1] == 0xa5); /* and nothing beside */
    }
}

/* ---- half types ------------------------------------------------------------------- */

static void check_same(uint32_t from, float got, float wanted)
{
    if (!same(got, wanted)) {
        print_error("%#x becomes %a, not %a\n", from, (double)got, (double)wanted);
        fail();
    }
}

static void test_from_half(void **state)
{
    (void)state;
    for (uint32_t first = 0; first < 65536; first += V_LANES) {
        uint16_t bits[V_LANES];
        float f16[V_LANES], bf16[V_LANES];
        for (uint32_t l = 0; l < V_LANES; l++)
            bits[l] = (uint16_t)(first + l);
        vf_store(f16, vf_load_f16(bits));
        vf_store(bf16, vf_load_bf16(bits));
        for (int l = 0; l < V_LANES; l++) {
            check_same(bits[l], f16[l], ursa_f32_from_f16(bits[l]));
            check_same(bits[l], bf16[l], ursa_f32_from_bf16(bits[l]));
        }
    }
}

static void check_to_half(const uint32_t *bits)
{
    float x[V_LANES];
    uint16_t f16[V_LANES], bf16[V_LANES];
    memcpy(x, bits, sizeof x);
    vf_store_f16(f16, vf_load(x));
    vf_store_bf16(bf16, vf_load(x));
    for (int l = 0; l < V_LANES; l++) {
        check_same(bits[l], ursa_f32_from_f16(f16[l]), ursa_f32_from_f16(ursa_f16_from_f32(x[l])));
        check_same(bits[l], ursa_f32_from_bf16(bf16[l]), ursa_f32_from_bf16(ursa_bf16_from_f32(x[l])));
    }
}

/* Every halfway case of f16 and bf16 and its two neighbours, and random bits. */
static void test_to_half(void **state)
{
    (void)state;
    uint32_t bits[V_LANES];
    ursa_rng rng = ursa_rng_new(6, URSA_PURPOSE_USER, 0);
    for (uint32_t upper = 0; upper < 65536; upper++) {
        for (uint32_t l = 0; l < V_LANES; l++) {
            static const uint32_t lower[] = {0x7fff, 0x8000, 0x8001, 0, 0x0fff, 0x1000, 0x1001, 0x3000};
            bits[l] = upper << 16 | (V_LANES == 1 ? lower[upper % 8] : lower[l % 8]);
        }
        check_to_half(bits);
        for (int l = 0; l < V_LANES; l++)
            bits[l] = ursa_rng_u32(&rng);
        check_to_half(bits);
    }
}

/* Called by main.c once it knows that the processor has the set. */
int test_vectors(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arithmetic), cmocka_unit_test(test_lanes),
        cmocka_unit_test(test_tails),      cmocka_unit_test(test_memory),
        cmocka_unit_test(test_from_half),  cmocka_unit_test(test_to_half),
        cmocka_unit_test(test_functions),  cmocka_unit_test(test_functions_of_two),
    };
    return run_unit_tests("vec_" URSA_STRING(URSA_SIMD), tests);
}
