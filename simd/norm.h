/* norm.h — the passes of batch, group and layer normalisation. */
#ifndef URSA_SIMD_NORM_H
#define URSA_SIMD_NORM_H

#include <stdint.h>

/* What is done to what has been normalised. */
enum ursa_norm_end { URSA_END_NONE, URSA_END_RELU, URSA_END_RELU6 };

/* The gradient g that comes through the end: dy where the output y, or, where y
 * is NULL, (x - mean) a + b as apply() computed it, lets it pass, else 0. */
struct ursa_norm_slope {
    enum ursa_norm_end end;
    const float *x, *dy, *y;   /* [rows, width] */
    const float *mean, *a, *b; /* [width]; a and b only without y */
};

struct ursa_simd_norm {
    /* Columns: x is [rows, width], every column has its own numbers. */

    /* mean of each column and squares = Σ(x - mean)². */
    void (*moments)(const float *x, int64_t rows, int64_t width, float *mean, float *squares);
    /* y = end((x - mean) a + b + residual); residual may be NULL, y may be x or residual. */
    void (*apply)(const float *x, int64_t rows, int64_t width, const float *mean, const float *a, const float *b,
                  const float *residual, enum ursa_norm_end end, float *y);
    /* sum = Σ g, product = Σ g (x - mean), and passed = g unless it is NULL; it may be dy. */
    void (*grad_sums)(const struct ursa_norm_slope *slope, int64_t rows, int64_t width, float *passed, float *sum,
                      float *product);
    /* dx = a g + b (x - mean) + c. */
    void (*grad_apply)(const struct ursa_norm_slope *slope, int64_t rows, int64_t width, const float *a, const float *b,
                       const float *c, float *dx);

    /* Rows: x is [rows, groups, n], every group of a row is normalised by
     * itself; scale and shift are [groups, n], mean and inv_std [rows, groups]. */

    void (*layer)(const float *x, int64_t rows, int64_t groups, int64_t n, const float *scale, const float *shift,
                  float eps, float *y, float *mean, float *inv_std);
    /* Adds this block of rows to dscale and dshift. */
    void (*layer_grad)(const float *x, const float *dy, int64_t rows, int64_t groups, int64_t n, const float *scale,
                       const float *mean, const float *inv_std, float *dx, float *dscale, float *dshift);
};

#endif
