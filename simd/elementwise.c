/* elementwise.c — functions of one and two floats. See elementwise.h. */
#include "elementwise.h"
#include "unary_math.h"

/* ---- one operand ---------------------------------------------------------- */

#define URSA_UNARY(name, needs, text)                                                                                  \
    static void unary_##name(int64_t n, const float *x, float *y, float a, float b)                                    \
    {                                                                                                                  \
        vf va = vf_set(a), vb = vf_set(b);                                                                             \
        int64_t i = 0;                                                                                                 \
        for (; i + V_LANES <= n; i += V_LANES)                                                                         \
            vf_store(y + i, f_##name(vf_load(x + i), va, vb));                                                         \
        if (i < n)                                                                                                     \
            vf_store_n(y + i, f_##name(vf_load_n(x + i, n - i), va, vb), n - i);                                       \
    }                                                                                                                  \
    static void unary_grad_##name(int64_t n, V_UNUSED const float *v, V_UNUSED const float *dy, float *dx, float a,    \
                                  float b)                                                                             \
    {                                                                                                                  \
        vf va = vf_set(a), vb = vf_set(b);                                                                             \
        int64_t i = 0;                                                                                                 \
        for (; i + V_LANES <= n; i += V_LANES)                                                                         \
            vf_store(dx + i, V_SLOPE_##needs(name, vf_load(dy + i), vf_load(v + i)));                                  \
        if (i < n)                                                                                                     \
            vf_store_n(dx + i, V_SLOPE_##needs(name, vf_load_n(dy + i, n - i), vf_load_n(v + i, n - i)), n - i);       \
    }
/* Where neither input nor output is needed, v is not read: it may be absent. A
 * gradient of zero is zero whatever dy is. */
#define V_SLOPE_X(name, dy, v)    vf_mul(dy, g_##name(v, va, vb))
#define V_SLOPE_Y(name, dy, v)    vf_mul(dy, g_##name(v, va, vb))
#define V_SLOPE_NONE(name, dy, v) vf_mul(dy, g_##name(vf_zero(), va, vb))
#define V_SLOPE_ZERO(name, dy, v) g_##name(vf_zero(), va, vb)
#include "device/unary.def"
#undef URSA_UNARY

/* ---- two operands --------------------------------------------------------- */

/* The smaller and the larger, but NaN where either is. */
V_INLINE vf f_min_nan(vf x, vf y)
{
    return vf_select(vf_ne(x, x), x, vf_min(x, y));
}
V_INLINE vf f_max_nan(vf x, vf y)
{
    return vf_select(vf_ne(x, x), x, vf_max(x, y));
}

/* One loop, with a constant for each operand's stride. */
#define LOOP(expression, LOAD_X, LOAD_Y)                                                                               \
    do {                                                                                                               \
        int64_t i = 0;                                                                                                 \
        for (; i + V_LANES <= n; i += V_LANES) {                                                                       \
            vf vx = LOAD_X(x, xs, vf_load(x + i)), vy = LOAD_Y(y, ys, vf_load(y + i));                                 \
            vf_store(z + i, expression);                                                                               \
        }                                                                                                              \
        if (i < n) {                                                                                                   \
            vf vx = LOAD_X(x, xs, vf_load_n(x + i, n - i)), vy = LOAD_Y(y, ys, vf_load_n(y + i, n - i));               \
            vf_store_n(z + i, expression, n - i);                                                                      \
        }                                                                                                              \
    } while (0)
#define EACH(p, s, load) (load)
#define SAME(p, s, load) (s)

#define BINARY(name, expression)                                                                                       \
    static void binary_##name(int64_t n, const float *x, int x_step, const float *y, int y_step, float *z,             \
                              V_UNUSED float a, V_UNUSED float b)                                                      \
    {                                                                                                                  \
        if (n <= 0)                                                                                                    \
            return;                                                                                                    \
        V_UNUSED vf va = vf_set(a), vb = vf_set(b);                                                                    \
        vf xs = vf_set(*x), ys = vf_set(*y);                                                                           \
        if (x_step && y_step)                                                                                          \
            LOOP(expression, EACH, EACH);                                                                              \
        else if (x_step)                                                                                               \
            LOOP(expression, EACH, SAME);                                                                              \
        else if (y_step)                                                                                               \
            LOOP(expression, SAME, EACH);                                                                              \
        else                                                                                                           \
            LOOP(expression, SAME, SAME);                                                                              \
    }

BINARY(add, vf_add(vx, vy))
BINARY(sub, vf_sub(vx, vy))
BINARY(mul, vf_mul(vx, vy))
BINARY(div, vf_div(vx, vy))
BINARY(max, f_max_nan(vx, vy))
BINARY(min, f_min_nan(vx, vy))
BINARY(pow, vf_pow(vx, vy))
BINARY(atan2, vf_atan2(vx, vy))
BINARY(lincomb, vf_fma(va, vx, vf_mul(vb, vy)))

/* Plain C: the compiler packs the results better than masks would be. */
#define COMPARE(name, op)                                                                                              \
    static void compare_##name(int64_t n, const float *x, int xs, const float *y, int ys, uint8_t *z)                  \
    {                                                                                                                  \
        if (xs && ys)                                                                                                  \
            for (int64_t i = 0; i < n; i++)                                                                            \
                z[i] = x[i] op y[i];                                                                                   \
        else if (xs)                                                                                                   \
            for (int64_t i = 0; i < n; i++)                                                                            \
                z[i] = x[i] op * y;                                                                                    \
        else                                                                                                           \
            for (int64_t i = 0; i < n; i++)                                                                            \
                z[i] = *x op y[i * ys];                                                                                \
    }

COMPARE(eq, ==)
COMPARE(ne, !=)
COMPARE(lt, <)
COMPARE(le, <=)
COMPARE(gt, >)
COMPARE(ge, >=)

const struct ursa_simd_elementwise SIMD(ursa_simd_elementwise) = {
#define URSA_UNARY(name, needs, text)                                                                                  \
    .unary[URSA_UNARY_##name] = unary_##name, .unary_grad[URSA_UNARY_##name] = unary_grad_##name,
#include "device/unary.def"
#undef URSA_UNARY
    .binary[URSA_BINARY_add] = binary_add,
    .binary[URSA_BINARY_sub] = binary_sub,
    .binary[URSA_BINARY_mul] = binary_mul,
    .binary[URSA_BINARY_div] = binary_div,
    .binary[URSA_BINARY_max] = binary_max,
    .binary[URSA_BINARY_min] = binary_min,
    .binary[URSA_BINARY_pow] = binary_pow,
    .binary[URSA_BINARY_atan2] = binary_atan2,
    .binary[URSA_BINARY_lincomb] = binary_lincomb,
    .compare[URSA_BINARY_eq] = compare_eq,
    .compare[URSA_BINARY_ne] = compare_ne,
    .compare[URSA_BINARY_lt] = compare_lt,
    .compare[URSA_BINARY_le] = compare_le,
    .compare[URSA_BINARY_gt] = compare_gt,
    .compare[URSA_BINARY_ge] = compare_ge,
};
