/* integer.c — functions of two integers. See integer.h.
 *
 * Plain loops: the compiler vectorises them for the set this is compiled for.
 */
#include "integer.h"
#include "vec.h"

#define KERNEL(name, type, result, expression)                                                                         \
    static void name(int64_t n, const void *xp, int xs, const void *yp, int ys, void *zp)                              \
    {                                                                                                                  \
        const type *xv = xp, *yv = yp;                                                                                 \
        result *zv = zp;                                                                                               \
        if (n <= 0)                                                                                                    \
            return;                                                                                                    \
        type x0 = *xv, y0 = *yv;                                                                                       \
        if (xs && ys)                                                                                                  \
            for (int64_t i = 0; i < n; i++) {                                                                          \
                type x = xv[i], y = yv[i];                                                                             \
                zv[i] = (result)(expression);                                                                          \
            }                                                                                                          \
        else if (xs)                                                                                                   \
            for (int64_t i = 0; i < n; i++) {                                                                          \
                type x = xv[i], y = y0;                                                                                \
                zv[i] = (result)(expression);                                                                          \
            }                                                                                                          \
        else                                                                                                           \
            for (int64_t i = 0; i < n; i++) {                                                                          \
                type x = x0, y = yv[i * ys];                                                                           \
                zv[i] = (result)(expression);                                                                          \
            }                                                                                                          \
    }

/* Arithmetic is done in the unsigned type, so that it wraps. */
#define ARITHMETIC(type, wide)                                                                                         \
    KERNEL(add_##type, type, type, (wide)x + (wide)y)                                                                  \
    KERNEL(sub_##type, type, type, (wide)x - (wide)y)                                                                  \
    KERNEL(mul_##type, type, type, (wide)x *(wide)y)                                                                   \
    KERNEL(div_##type, type, type, divide_##type(x, y))                                                                \
    KERNEL(max_##type, type, type, x > y ? x : y)                                                                      \
    KERNEL(min_##type, type, type, x < y ? x : y)

#define COMPARISONS(type)                                                                                              \
    KERNEL(eq_##type, type, uint8_t, x == y)                                                                           \
    KERNEL(ne_##type, type, uint8_t, x != y)                                                                           \
    KERNEL(lt_##type, type, uint8_t, x < y)                                                                            \
    KERNEL(le_##type, type, uint8_t, x <= y)                                                                           \
    KERNEL(gt_##type, type, uint8_t, x > y)                                                                            \
    KERNEL(ge_##type, type, uint8_t, x >= y)

typedef int32_t i32;
typedef int64_t i64;
typedef uint8_t u8;

/* By -1 the smallest number wraps, where the processor would trap. */
V_INLINE i32 divide_i32(i32 x, i32 y)
{
    return y == 0 ? 0 : y == -1 ? (i32)(0u - (uint32_t)x) : x / y;
}
V_INLINE i64 divide_i64(i64 x, i64 y)
{
    return y == 0 ? 0 : y == -1 ? (i64)(0u - (uint64_t)x) : x / y;
}
V_INLINE u8 divide_u8(u8 x, u8 y)
{
    return (u8)(y == 0 ? 0 : x / y);
}

ARITHMETIC(i32, uint32_t)
ARITHMETIC(i64, uint64_t)
ARITHMETIC(u8, uint32_t)
COMPARISONS(i32)
COMPARISONS(i64)
COMPARISONS(u8)
KERNEL(and_u8, u8, u8, x &y)
KERNEL(or_u8, u8, u8, x | y)
KERNEL(xor_u8, u8, u8, x ^ y)

#define WHERE(name, type)                                                                                              \
    static void name(int64_t n, const uint8_t *condition, const void *xp, const void *yp, void *zp)                    \
    {                                                                                                                  \
        const type *x = xp, *y = yp;                                                                                   \
        type *z = zp;                                                                                                  \
        for (int64_t i = 0; i < n; i++) {                                                                              \
            type vx = x[i], vy = y[i];                                                                                 \
            z[i] = condition[i] ? vx : vy;                                                                             \
        }                                                                                                              \
    }

WHERE(where_1, uint8_t)
WHERE(where_2, uint16_t)
WHERE(where_4, uint32_t)
WHERE(where_8, uint64_t)

#define COMPARISON_ENTRIES(type)                                                                                       \
    [URSA_BINARY_eq] = eq_##type, [URSA_BINARY_ne] = ne_##type, [URSA_BINARY_lt] = lt_##type,                          \
    [URSA_BINARY_le] = le_##type, [URSA_BINARY_gt] = gt_##type, [URSA_BINARY_ge] = ge_##type
#define ARITHMETIC_ENTRIES(type)                                                                                       \
    [URSA_BINARY_add] = add_##type, [URSA_BINARY_sub] = sub_##type, [URSA_BINARY_mul] = mul_##type,                    \
    [URSA_BINARY_div] = div_##type, [URSA_BINARY_max] = max_##type, [URSA_BINARY_min] = min_##type

const struct ursa_simd_integer SIMD(ursa_simd_integer) = {
    .binary =
        {
            [URSA_I32] = {ARITHMETIC_ENTRIES(i32), COMPARISON_ENTRIES(i32)},
            [URSA_I64] = {ARITHMETIC_ENTRIES(i64), COMPARISON_ENTRIES(i64)},
            [URSA_U8] = {ARITHMETIC_ENTRIES(u8), COMPARISON_ENTRIES(u8)},
            [URSA_BOOL] = {COMPARISON_ENTRIES(u8), [URSA_BINARY_and] = and_u8, [URSA_BINARY_or] = or_u8,
                           [URSA_BINARY_xor] = xor_u8},
        },
    .where = {[1] = where_1, [2] = where_2, [4] = where_4, [8] = where_8},
};
