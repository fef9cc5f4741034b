/* softmax.h — softmax and log-softmax along rows or columns. */
#ifndef URSA_SIMD_SOFTMAX_H
#define URSA_SIMD_SOFTMAX_H

#include <stdbool.h>
#include <stdint.h>

struct ursa_simd_softmax {
    /* Along each of `rows` rows of n elements; y may be x, dx may be dy. */
    void (*rows)(const float *x, int64_t rows, int64_t n, bool log, float *y);
    void (*rows_grad)(const float *y, const float *dy, int64_t rows, int64_t n, bool log, float *dx);
    /* Along each of `width` columns of n elements, `stride` apart. */
    void (*columns)(const float *x, int64_t n, int64_t stride, int64_t width, bool log, float *y);
    void (*columns_grad)(const float *y, const float *dy, int64_t n, int64_t stride, int64_t width, bool log,
                         float *dx);
};

#endif
