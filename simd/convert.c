/* convert.c — element types into one another. See convert.h. */
#include "convert.h"
#include "vec.h"

/* ---- half types to and from f32 --------------------------------------------
 *
 * A tail goes through a padded vector, so that it meets the same instructions. */

#define HALF_TYPE(type)                                                                                                \
    static void type##_to_f32(int64_t n, const void *x, void *y)                                                       \
    {                                                                                                                  \
        const uint16_t *from = x;                                                                                      \
        float *to = y;                                                                                                 \
        int64_t i = 0;                                                                                                 \
        for (; i + V_LANES <= n; i += V_LANES)                                                                         \
            vf_store(to + i, vf_load_##type(from + i));                                                                \
        if (i < n) {                                                                                                   \
            uint16_t lanes[V_LANES] = {0};                                                                             \
            memcpy(lanes, from + i, (size_t)(n - i) * sizeof *lanes);                                                  \
            vf_store_n(to + i, vf_load_##type(lanes), n - i);                                                          \
        }                                                                                                              \
    }                                                                                                                  \
    static void f32_to_##type(int64_t n, const void *x, void *y)                                                       \
    {                                                                                                                  \
        const float *from = x;                                                                                         \
        uint16_t *to = y;                                                                                              \
        int64_t i = 0;                                                                                                 \
        for (; i + V_LANES <= n; i += V_LANES)                                                                         \
            vf_store_##type(to + i, vf_load(from + i));                                                                \
        if (i < n) {                                                                                                   \
            uint16_t lanes[V_LANES];                                                                                   \
            vf_store_##type(lanes, vf_load_n(from + i, n - i));                                                        \
            memcpy(to + i, lanes, (size_t)(n - i) * sizeof *lanes);                                                    \
        }                                                                                                              \
    }

HALF_TYPE(f16)
HALF_TYPE(bf16)

/* ---- one element ------------------------------------------------------------ */

typedef float f32;
typedef int32_t i32;
typedef int64_t i64;
typedef uint8_t u8;

/* Limits are the floats next to those of the integer, which need not be floats themselves. */
#define SATURATE(type, low, high, below, above)                                                                        \
    V_INLINE type type##_from_float(float x)                                                                           \
    {                                                                                                                  \
        return x >= (above) ? (high) : x > (below) ? (type)x : x <= (below) ? (low) : 0;                               \
    }
SATURATE(i32, INT32_MIN, INT32_MAX, -0x1p31f, 0x1p31f)
SATURATE(i64, INT64_MIN, INT64_MAX, -0x1p63f, 0x1p63f)
SATURATE(u8, 0, UINT8_MAX, -1.0f, 256.0f)

#define CONVERT(from, to, from_type, to_type, expression)                                                              \
    static void from##_to_##to(int64_t n, const void *source, void *target)                                            \
    {                                                                                                                  \
        const from_type *xs = source;                                                                                  \
        to_type *ys = target;                                                                                          \
        for (int64_t i = 0; i < n; i++) {                                                                              \
            from_type x = xs[i];                                                                                       \
            ys[i] = (expression);                                                                                      \
        }                                                                                                              \
    }

CONVERT(f32, i32, f32, i32, i32_from_float(x))
CONVERT(f32, i64, f32, i64, i64_from_float(x))
CONVERT(f32, u8, f32, u8, u8_from_float(x))
CONVERT(f32, bool, f32, u8, x != 0)
CONVERT(i32, f32, i32, f32, (f32)x)
CONVERT(i32, i64, i32, i64, x)
CONVERT(i32, u8, i32, u8, (u8)x)
CONVERT(i32, bool, i32, u8, x != 0)
CONVERT(i64, f32, i64, f32, (f32)x)
CONVERT(i64, i32, i64, i32, (i32)x)
CONVERT(i64, u8, i64, u8, (u8)x)
CONVERT(i64, bool, i64, u8, x != 0)
CONVERT(u8, f32, u8, f32, (f32)x)
CONVERT(u8, i32, u8, i32, x)
CONVERT(u8, i64, u8, i64, x)
CONVERT(u8, bool, u8, u8, x != 0)

/* ---- half types to and from the others: by way of floats in the first-level cache --- */

#define BY_FLOAT(from, to, from_size, to_size)                                                                         \
    static void from##_to_##to(int64_t n, const void *x, void *y)                                                      \
    {                                                                                                                  \
        float block[512];                                                                                              \
        for (int64_t i = 0; i < n; i += 512) {                                                                         \
            int64_t m = n - i < 512 ? n - i : 512;                                                                     \
            from##_to_f32(m, (const char *)x + i * (from_size), block);                                                \
            f32_to_##to(m, block, (char *)y + i * (to_size));                                                          \
        }                                                                                                              \
    }

BY_FLOAT(f16, bf16, 2, 2)
BY_FLOAT(f16, i32, 2, 4)
BY_FLOAT(f16, i64, 2, 8)
BY_FLOAT(f16, u8, 2, 1)
BY_FLOAT(f16, bool, 2, 1)
BY_FLOAT(bf16, f16, 2, 2)
BY_FLOAT(bf16, i32, 2, 4)
BY_FLOAT(bf16, i64, 2, 8)
BY_FLOAT(bf16, u8, 2, 1)
BY_FLOAT(bf16, bool, 2, 1)
BY_FLOAT(i32, f16, 4, 2)
BY_FLOAT(i32, bf16, 4, 2)
BY_FLOAT(i64, f16, 8, 2)
BY_FLOAT(i64, bf16, 8, 2)
BY_FLOAT(u8, f16, 1, 2)
BY_FLOAT(u8, bf16, 1, 2)

const struct ursa_simd_convert
    SIMD(ursa_simd_convert) =
        {
            .kernel =
                {
                    [URSA_F32] = {[URSA_F16] = f32_to_f16,
                                  [URSA_BF16] = f32_to_bf16,
                                  [URSA_I32] = f32_to_i32,
                                  [URSA_I64] = f32_to_i64,
                                  [URSA_U8] = f32_to_u8,
                                  [URSA_BOOL] = f32_to_bool},
                    [URSA_F16] = {[URSA_F32] = f16_to_f32,
                                  [URSA_BF16] = f16_to_bf16,
                                  [URSA_I32] = f16_to_i32,
                                  [URSA_I64] = f16_to_i64,
                                  [URSA_U8] = f16_to_u8,
                                  [URSA_BOOL] = f16_to_bool},
                    [URSA_BF16] = {[URSA_F32] = bf16_to_f32,
                                   [URSA_F16] = bf16_to_f16,
                                   [URSA_I32] = bf16_to_i32,
                                   [URSA_I64] = bf16_to_i64,
                                   [URSA_U8] = bf16_to_u8,
                                   [URSA_BOOL] = bf16_to_bool},
                    [URSA_I32] = {[URSA_F32] = i32_to_f32,
                                  [URSA_F16] = i32_to_f16,
                                  [URSA_BF16] = i32_to_bf16,
                                  [URSA_I64] = i32_to_i64,
                                  [URSA_U8] = i32_to_u8,
                                  [URSA_BOOL] = i32_to_bool},
                    [URSA_I64] = {[URSA_F32] = i64_to_f32,
                                  [URSA_F16] = i64_to_f16,
                                  [URSA_BF16] = i64_to_bf16,
                                  [URSA_I32] = i64_to_i32,
                                  [URSA_U8] = i64_to_u8,
                                  [URSA_BOOL] = i64_to_bool},
                    [URSA_U8] = {[URSA_F32] = u8_to_f32,
                                 [URSA_F16] = u8_to_f16,
                                 [URSA_BF16] = u8_to_bf16,
                                 [URSA_I32] = u8_to_i32,
                                 [URSA_I64] = u8_to_i64,
                                 [URSA_BOOL] = u8_to_bool},
                    /* A bool is a u8 that is 0 or 1. */
                    [URSA_BOOL] = {[URSA_F32] = u8_to_f32,
                                   [URSA_F16] = u8_to_f16,
                                   [URSA_BF16] = u8_to_bf16,
                                   [URSA_I32] = u8_to_i32,
                                   [URSA_I64] = u8_to_i64,
                                   [URSA_U8] = u8_to_bool},
                },
};
