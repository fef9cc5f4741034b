/* norm.h — the passes of batch, group and layer normalisation. */
#ifndef URSA_SIMD_NORM_H
#define URSA_SIMD_NORM_H

#include <stdint.h>
#include <ursa/device.h>

/* What is done to what has been normalised. */
enum ursa_norm_end { URSA_END_NONE, URSA_END_RELU, URSA_END_RELU6 };

/* The gradient g that comes through the end: dy where the output y, or, where y
 * is NULL, (x - mean) a + b as apply() computed it, lets it pass, else 0. */
struct ursa_norm_slope {
    enum ursa_norm_end end;
    const void *x, *dy, *y;    /* [rows, width] */
    const float *mean, *a, *b; /* [width]; a and b only without y */
};

/* For one type of elements: of x, residual, y, dy, passed and dx. Everything
 * else is f32, and so is all arithmetic. */
struct ursa_norm_kernels {
    /* Columns: x is [rows, width], every column has its own numbers. */

    /* mean of each column and squares = Σ(x - mean)²; rows lie `stride` elements apart. */
    void (*moments)(const void *x, int64_t stride, int64_t rows, int64_t width, float *mean, float *squares);
    /* In pieces: rows add Σ(x - shift) and Σ(x - shift)² to what sum and squares hold, and when all have, shift becomes
     * the mean and the squares those of moments(). Shift must be near to some of the numbers. */
    void (*moments_add)(const void *x, int64_t stride, int64_t rows, int64_t width, const float *shift, float *sum,
                        float *squares);
    void (*moments_settle)(int64_t rows, int64_t width, float *shift, const float *sum, float *squares);
    /* y = end((x - mean) a + b + residual); residual may be NULL, y may be x or residual. */
    void (*apply)(const void *x, int64_t rows, int64_t width, const float *mean, const float *a, const float *b,
                  const void *residual, enum ursa_norm_end end, void *y);
    /* sum = Σ g, product = Σ g (x - mean), and passed = g unless it is NULL; it may be dy. */
    void (*grad_sums)(const struct ursa_norm_slope *slope, int64_t rows, int64_t width, void *passed, float *sum,
                      float *product);
    /* dx = a g + b (x - mean) + c. */
    void (*grad_apply)(const struct ursa_norm_slope *slope, int64_t rows, int64_t width, const float *a, const float *b,
                       const float *c, void *dx);

    /* Rows: x is [rows, groups, n], every group of a row is normalised by
     * itself; scale and shift are [groups, n], mean and inv_std [rows, groups]. */

    void (*layer)(const void *x, int64_t rows, int64_t groups, int64_t n, const float *scale, const float *shift,
                  float eps, void *y, float *mean, float *inv_std);
    /* Adds this block of rows to dscale and dshift. */
    void (*layer_grad)(const void *x, const void *dy, int64_t rows, int64_t groups, int64_t n, const float *scale,
                       const float *mean, const float *inv_std, void *dx, float *dscale, float *dshift);
};

struct ursa_simd_norm {
    struct ursa_norm_kernels of[3]; /* by URSA_F32, URSA_F16, URSA_BF16 */
};

#endif
