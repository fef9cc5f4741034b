/* gemm_half.h — products with a factor of a half type.
 *
 * The factors become words of the micro-kernels while they are packed: pairs of
 * bf16 where the processor multiplies these, floats everywhere else. Either
 * way the products are exact and are added up as floats. What lies there as
 * f32 is rounded to the half type on the way.
 */
#ifndef URSA_SIMD_GEMM_HALF_H
#define URSA_SIMD_GEMM_HALF_H

#include "device/ops.h"
#include "gemm.h"

struct ursa_half_products {
    /* By whether A and B are of the half type; a factor that is not, is f32. */
    struct ursa_simd_gemm product[2][2];

    /* As `dots` of struct ursa_simd_gemm for x that are floats of the half type, by whether y is of it; and elements as
     * such floats, of which whole vectors are written. */
    void (*dots[2])(const float *x, const void *y, int64_t y_stride, int64_t count, int64_t length, float alpha,
                    float beta, float *out);
    void (*floats[2])(const void *from, int64_t count, float *to);

    /* out[i][column + j] = sum[i pitch + j] for i < rows, j < width; and the reverse. */
    void (*store)(const float *sum, int64_t pitch, int64_t rows, int64_t width, void *const *out, int64_t column);
    void (*load)(void *const *out, int64_t column, int64_t rows, int64_t width, float *sum, int64_t pitch);
};

struct ursa_simd_gemm_half {
    const struct ursa_half_products *type[URSA_BF16 + 1]; /* of f16 and bf16 */
};

#endif
