/* pool.h — maximum pooling of one row of pixels. */
#ifndef URSA_SIMD_POOL_H
#define URSA_SIMD_POOL_H

#include <stdint.h>
#include <ursa/device.h>

/* Positions begin … end-1 of an axis. */
struct ursa_span {
    int32_t begin, end;
};

/* For one type of elements. */
struct ursa_pool_kernels {
    /* One row of output pixels from image x [.., w, c]: its windows cover the
     * rows `rows` and the columns `columns[0 … out_w-1]`. `indices` may be
     * NULL; a window without pixels gives -inf and index -1. */
    void (*max)(const void *x, int64_t w, int64_t c, struct ursa_span rows, const struct ursa_span *columns,
                int64_t out_w, void *out, int32_t *indices);
    /* Row h of dx: pixel (h, i) lies in the windows of the output rows `rows`
     * and the output columns `columns[i]` of dy and indices [.., out_w, c]. */
    void (*max_grad)(const void *dy, const int32_t *indices, int64_t out_w, int64_t c, struct ursa_span rows,
                     const struct ursa_span *columns, int64_t h, int64_t w, void *dx);
};

struct ursa_simd_pool {
    struct ursa_pool_kernels of[3]; /* by URSA_F32, URSA_F16, URSA_BF16 */
};

#endif
