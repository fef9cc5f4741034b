/* resample.h — images at other positions: separable weighted sums (average
 * pooling, resizing and the gradients of both; of floats, or of the bytes of a picture) and grid sampling. */
#ifndef URSA_SIMD_RESAMPLE_H
#define URSA_SIMD_RESAMPLE_H

#include <stdbool.h>
#include <stdint.h>
#include "device/ops.h"

/* For one axis: output position o is the sum of weight[k] times input
 * position index[k] over begin[o] ≤ k < begin[o + 1]. */
struct ursa_taps {
    const int32_t *begin, *index;
    const float *weight;
};

/* Elements beyond a line that may be read. */
#define URSA_LINE_MARGIN 16

/* How grid positions become pixels. */
struct ursa_grid_rules {
    ursa_resize_kind kind;
    ursa_border_kind border;
    bool align_corners;
    int64_t h, w, c; /* of the image */
};

/* For one type of elements. */
struct ursa_resample_kernels {
    /* Row o of the output, [out_w, c], from image x [.., w, c]. `line` is
     * scratch for w c + URSA_LINE_MARGIN elements. */
    void (*row)(const void *x, int64_t w, int64_t c, const struct ursa_taps *rows, int64_t o,
                const struct ursa_taps *columns, int64_t out_w, float *line, void *out);
    /* `count` pixels at the positions grid [count, 2]. */
    void (*grid)(const struct ursa_grid_rules *rules, const void *x, const float *grid, int64_t count, void *out);
    /* Adds to dx and writes dgrid; either may be NULL. Both are floats. */
    void (*grid_grad)(const struct ursa_grid_rules *rules, const void *x, const float *grid, const void *dy,
                      int64_t count, float *dx, float *dgrid);
};

struct ursa_simd_resample {
    struct ursa_resample_kernels of[3]; /* by URSA_F32, URSA_F16, URSA_BF16 */
    /* As row, from bytes to bytes, rounded; rows of x are `pitch` bytes apart.
     * `line` is scratch for (w + out_w) c + 2 URSA_LINE_MARGIN elements. */
    void (*byte_row)(const uint8_t *x, int64_t pitch, int64_t w, int64_t c, const struct ursa_taps *rows, int64_t o,
                     const struct ursa_taps *columns, int64_t out_w, float *line, uint8_t *out);
};

#endif
