/* norm.h — the passes of batch, group and layer normalisation. */
#ifndef URSA_SIMD_NORM_H
#define URSA_SIMD_NORM_H

#include <stdint.h>

struct ursa_simd_norm {
    /* Columns: x is [rows, width], every column has its own numbers. */

    /* mean of each column and squares = Σ(x - mean)². */
    void (*moments)(const float *x, int64_t rows, int64_t width, float *mean, float *squares);
    /* y = (x - mean) a + b; y may be x. */
    void (*apply)(const float *x, int64_t rows, int64_t width, const float *mean, const float *a, const float *b,
                  float *y);
    /* sum = Σ dy, product = Σ dy (x - mean). */
    void (*grad_sums)(const float *x, const float *dy, int64_t rows, int64_t width, const float *mean, float *sum,
                      float *product);
    /* dx = a dy + b (x - mean) + c. */
    void (*grad_apply)(const float *x, const float *dy, int64_t rows, int64_t width, const float *mean, const float *a,
                       const float *b, const float *c, float *dx);

    /* Rows: x is [rows, groups, n], every group of a row is normalised by
     * itself; scale and shift are [groups, n], mean and inv_std [rows, groups]. */

    void (*layer)(const float *x, int64_t rows, int64_t groups, int64_t n, const float *scale, const float *shift,
                  float eps, float *y, float *mean, float *inv_std);
    /* Adds this block of rows to dscale and dshift. */
    void (*layer_grad)(const float *x, const float *dy, int64_t rows, int64_t groups, int64_t n, const float *scale,
                       const float *mean, const float *inv_std, float *dx, float *dscale, float *dshift);
};

#endif
