/* elementwise.h — functions of one and two floats over contiguous arrays. */
#ifndef URSA_SIMD_ELEMENTWISE_H
#define URSA_SIMD_ELEMENTWISE_H

#include "device/ops.h"

/* y[i] = f(x[i]); y may be x. */
typedef void ursa_unary_kernel(int64_t n, const float *x, float *y, float a, float b);

/* dx[i] = f' dy[i], with v the input or output of f, as its kind needs it; dx
 * may be dy. */
typedef void ursa_unary_grad_kernel(int64_t n, const float *v, const float *dy, float *dx, float a, float b);

/* z[i] = f(x[i xs], y[i ys]); xs and ys are 1, or 0 for one number; z may be x
 * or y. */
typedef void ursa_binary_kernel(int64_t n, const float *x, int xs, const float *y, int ys, float *z, float a, float b);
typedef void ursa_compare_kernel(int64_t n, const float *x, int xs, const float *y, int ys, uint8_t *z);

struct ursa_simd_elementwise {
    ursa_unary_kernel *unary[URSA_UNARY_COUNT];
    ursa_unary_grad_kernel *unary_grad[URSA_UNARY_COUNT];
    ursa_binary_kernel *binary[URSA_BINARY_COUNT];   /* NULL for comparisons and logic */
    ursa_compare_kernel *compare[URSA_BINARY_COUNT]; /* NULL for the others */
};

#endif
