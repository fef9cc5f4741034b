/* pool.h — maximum pooling of one row of pixels. */
#ifndef URSA_SIMD_POOL_H
#define URSA_SIMD_POOL_H

#include <stdint.h>
#include <ursa/device.h>

/* Positions begin … end-1 of an axis. */
struct ursa_span {
    int32_t begin, end;
};

/* Which pixel of its window won: how many come before it in the window's rows,
 * which are `across` long. */
struct ursa_winners {
    void *places; /* one per output */
    int size;     /* of a place: 1 uint8, 4 int32; 0 where nobody asks */
    int64_t across;
    const int32_t *first_rows, *first_columns; /* where each window begins, in the padding or not */
};

/* For one type of elements. */
struct ursa_pool_kernels {
    /* Row oh of output pixels from image x [.., w, c]: its windows cover the
     * rows `rows` and the columns `columns[0 … out_w-1]`, none of them empty.
     * The places are of this row. */
    void (*max)(const void *x, int64_t w, int64_t c, struct ursa_span rows, const struct ursa_span *columns, int64_t oh,
                int64_t out_w, void *out, const struct ursa_winners *winners);
    /* Row h of dx: pixel (h, i) lies in the windows of the output rows `rows`
     * and the output columns `columns[i]` of dy and the places [.., out_w, c]. */
    void (*max_grad)(const void *dy, const struct ursa_winners *winners, int64_t out_w, int64_t c,
                     struct ursa_span rows, const struct ursa_span *columns, int64_t h, int64_t w, void *dx);
};

struct ursa_simd_pool {
    struct ursa_pool_kernels of[3]; /* by URSA_F32, URSA_F16, URSA_BF16 */
};

#endif
