/* reduce.c — sums and their like. See reduce.h. */
#include "reduce.h"
#include "vec.h"

#include <math.h>

/* Terms that one lane adds up in float before the sum goes on in double. */
enum { STRETCH = 128 };

V_INLINE vf term_sum(vf x)
{
    return x;
}
V_INLINE vf term_l1(vf x)
{
    return vf_abs(x);
}
V_INLINE vf term_l2(vf x)
{
    return vf_mul(x, x);
}

/* ---- sums over a row ---------------------------------------------------------- */

#define ROW_SUM(name, TERM)                                                                                            \
    static double row_##name(int64_t n, const float *x)                                                                \
    {                                                                                                                  \
        double total = 0;                                                                                              \
        for (int64_t begin = 0; begin < n; begin += 4 * STRETCH * V_LANES) {                                           \
            int64_t left = n - begin < 4 * STRETCH * V_LANES ? n - begin : 4 * STRETCH * V_LANES, i = 0;               \
            const float *p = x + begin;                                                                                \
            vf s0 = vf_zero(), s1 = vf_zero(), s2 = vf_zero(), s3 = vf_zero();                                         \
            for (; i + 4 * V_LANES <= left; i += 4 * V_LANES) {                                                        \
                s0 = vf_add(s0, TERM(vf_load(p + i)));                                                                 \
                s1 = vf_add(s1, TERM(vf_load(p + i + V_LANES)));                                                       \
                s2 = vf_add(s2, TERM(vf_load(p + i + 2 * V_LANES)));                                                   \
                s3 = vf_add(s3, TERM(vf_load(p + i + 3 * V_LANES)));                                                   \
            }                                                                                                          \
            for (; i + V_LANES <= left; i += V_LANES)                                                                  \
                s0 = vf_add(s0, TERM(vf_load(p + i)));                                                                 \
            if (i < left)                                                                                              \
                s1 = vf_add(s1, TERM(vf_load_n(p + i, left - i))); /* the term of 0 is 0 */                            \
            total += (double)vf_sum(vf_add(vf_add(s0, s1), vf_add(s2, s3)));                                           \
        }                                                                                                              \
        return total;                                                                                                  \
    }

ROW_SUM(sum, term_sum)
ROW_SUM(l1, term_l1)
ROW_SUM(l2, term_l2)

static double row_deviation(int64_t n, const float *x, float centre)
{
    vf c = vf_set(centre);
    double total = 0;
    for (int64_t begin = 0; begin < n; begin += 2 * STRETCH * V_LANES) {
        int64_t left = n - begin < 2 * STRETCH * V_LANES ? n - begin : 2 * STRETCH * V_LANES, i = 0;
        const float *p = x + begin;
        vf s0 = vf_zero(), s1 = vf_zero();
        for (; i + 2 * V_LANES <= left; i += 2 * V_LANES) {
            vf d0 = vf_sub(vf_load(p + i), c), d1 = vf_sub(vf_load(p + i + V_LANES), c);
            s0 = vf_fma(d0, d0, s0);
            s1 = vf_fma(d1, d1, s1);
        }
        float rest = 0;
        for (; i < left; i++)
            rest += (p[i] - centre) * (p[i] - centre);
        total += (double)vf_sum(vf_add(s0, s1)) + (double)rest;
    }
    return total;
}

static double row_prod(int64_t n, const float *x)
{
    double product = 1;
    for (int64_t i = 0; i < n; i++)
        product *= (double)x[i];
    return product;
}

/* ---- extremes over a row -------------------------------------------------------- */

#define ROW_EXTREME(name, PICK, PICK_LANE, neutral)                                                                    \
    static double row_##name(int64_t n, const float *x)                                                                \
    {                                                                                                                  \
        int64_t i = 0;                                                                                                 \
        float best = neutral;                                                                                          \
        if (n >= V_LANES) {                                                                                            \
            vf b0 = vf_load(x), b1 = b0;                                                                               \
            vm nan = vf_ne(b0, b0);                                                                                    \
            for (; i + 2 * V_LANES <= n; i += 2 * V_LANES) {                                                           \
                vf x0 = vf_load(x + i), x1 = vf_load(x + i + V_LANES);                                                 \
                nan = vm_or(nan, vm_or(vf_ne(x0, x0), vf_ne(x1, x1)));                                                 \
                b0 = PICK(b0, x0);                                                                                     \
                b1 = PICK(b1, x1);                                                                                     \
            }                                                                                                          \
            for (; i + V_LANES <= n; i += V_LANES) {                                                                   \
                vf x0 = vf_load(x + i);                                                                                \
                nan = vm_or(nan, vf_ne(x0, x0));                                                                       \
                b0 = PICK(b0, x0);                                                                                     \
            }                                                                                                          \
            if (vm_any(nan))                                                                                           \
                return (double)NAN;                                                                                    \
            best = PICK_LANE(PICK(b0, b1));                                                                            \
        }                                                                                                              \
        for (; i < n; i++) {                                                                                           \
            if (x[i] != x[i])                                                                                          \
                return (double)NAN;                                                                                    \
            best = PICK##_one(best, x[i]);                                                                             \
        }                                                                                                              \
        return (double)best;                                                                                           \
    }
V_INLINE float vf_min_one(float a, float b)
{
    return a < b ? a : b;
}
V_INLINE float vf_max_one(float a, float b)
{
    return a > b ? a : b;
}
ROW_EXTREME(min, vf_min, vf_hmin, INFINITY)
ROW_EXTREME(max, vf_max, vf_hmax, -INFINITY)

/* ---- columns ----------------------------------------------------------------------
 *
 * In strips of four vectors, whose sums stay in registers down the rows. */

#define COLUMN_SUM(name, TERM)                                                                                         \
    V_INLINE void strip_##name(int64_t rows, int64_t stride, const float *x, double *total)                            \
    {                                                                                                                  \
        float sums[4 * V_LANES];                                                                                       \
        vf s0 = vf_zero(), s1 = vf_zero(), s2 = vf_zero(), s3 = vf_zero();                                             \
        for (int64_t r = 0; r < rows; r++, x += stride) {                                                              \
            s0 = vf_add(s0, TERM(vf_load(x)));                                                                         \
            s1 = vf_add(s1, TERM(vf_load(x + V_LANES)));                                                               \
            s2 = vf_add(s2, TERM(vf_load(x + 2 * V_LANES)));                                                           \
            s3 = vf_add(s3, TERM(vf_load(x + 3 * V_LANES)));                                                           \
        }                                                                                                              \
        vf_store(sums, s0);                                                                                            \
        vf_store(sums + V_LANES, s1);                                                                                  \
        vf_store(sums + 2 * V_LANES, s2);                                                                              \
        vf_store(sums + 3 * V_LANES, s3);                                                                              \
        for (int j = 0; j < 4 * V_LANES; j++)                                                                          \
            total[j] += (double)sums[j];                                                                               \
    }                                                                                                                  \
    V_INLINE void vector_##name(int64_t rows, int64_t stride, int64_t n, const float *x, double *total)                \
    {                                                                                                                  \
        float sums[V_LANES];                                                                                           \
        vf s = vf_zero();                                                                                              \
        for (int64_t r = 0; r < rows; r++, x += stride)                                                                \
            s = vf_add(s, TERM(vf_load_n(x, n)));                                                                      \
        vf_store(sums, s);                                                                                             \
        for (int j = 0; j < n; j++)                                                                                    \
            total[j] += (double)sums[j];                                                                               \
    }                                                                                                                  \
    static void columns_##name(int64_t all_rows, int64_t stride, int64_t n, const float *x, double *total)             \
    {                                                                                                                  \
        for (int64_t r = 0; r < all_rows; r += STRETCH, x += STRETCH * stride) {                                       \
            int64_t rows = all_rows - r < STRETCH ? all_rows - r : STRETCH, j = 0;                                     \
            for (; j + 4 * V_LANES <= n; j += 4 * V_LANES)                                                             \
                strip_##name(rows, stride, x + j, total + j);                                                          \
            for (; j < n; j += V_LANES)                                                                                \
                vector_##name(rows, stride, n - j < V_LANES ? n - j : V_LANES, x + j, total + j);                      \
        }                                                                                                              \
    }

COLUMN_SUM(sum, term_sum)
COLUMN_SUM(l1, term_l1)
COLUMN_SUM(l2, term_l2)

#define COLUMN_OTHER(name, expression)                                                                                 \
    static void columns_##name(int64_t rows, int64_t stride, int64_t n, const float *x, double *total)                 \
    {                                                                                                                  \
        for (int64_t r = 0; r < rows; r++, x += stride)                                                                \
            for (int64_t j = 0; j < n; j++) {                                                                          \
                double t = total[j], v = (double)x[j];                                                                 \
                total[j] = (expression);                                                                               \
            }                                                                                                          \
    }

COLUMN_OTHER(prod, t *v)
/* A comparison with NaN is false: NaN in either place is what remains. */
COLUMN_OTHER(min, t <= v || t != t ? t : v)
COLUMN_OTHER(max, t >= v || t != t ? t : v)

V_INLINE void vector_deviation(int64_t rows, int64_t stride, int64_t n, const float *x, float *sum, float *squares)
{
    vf s = vf_zero(), q = vf_zero();
    for (int64_t r = 0; r < rows; r++)
        s = vf_add(s, vf_load_n(x + r * stride, n));
    vf mean = vf_div(s, vf_set((float)rows));
    for (int64_t r = 0; r < rows; r++) {
        vf d = vf_sub(vf_load_n(x + r * stride, n), mean);
        q = vf_fma(d, d, q);
    }
    vf_store_n(sum, s, n);
    vf_store_n(squares, q, n);
}

static void columns_deviation(int64_t rows, int64_t stride, int64_t n, const float *x, float *sum, float *squares)
{
    int64_t j = 0;
    for (; j + V_LANES <= n; j += V_LANES)
        vector_deviation(rows, stride, V_LANES, x + j, sum + j, squares + j);
    if (j < n)
        vector_deviation(rows, stride, n - j, x + j, sum + j, squares + j);
}

const struct ursa_simd_reduce SIMD(ursa_simd_reduce) = {
    .row =
        {
            [URSA_REDUCE_SUM] = row_sum,
            [URSA_REDUCE_MEAN] = row_sum,
            [URSA_REDUCE_PROD] = row_prod,
            [URSA_REDUCE_MIN] = row_min,
            [URSA_REDUCE_MAX] = row_max,
            [URSA_REDUCE_L1] = row_l1,
            [URSA_REDUCE_L2] = row_l2,
        },
    .columns =
        {
            [URSA_REDUCE_SUM] = columns_sum,
            [URSA_REDUCE_MEAN] = columns_sum,
            [URSA_REDUCE_PROD] = columns_prod,
            [URSA_REDUCE_MIN] = columns_min,
            [URSA_REDUCE_MAX] = columns_max,
            [URSA_REDUCE_L1] = columns_l1,
            [URSA_REDUCE_L2] = columns_l2,
        },
    .row_deviation = row_deviation,
    .columns_deviation = columns_deviation,
};
