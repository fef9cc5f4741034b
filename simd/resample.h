/* resample.h — images at other positions: separable weighted sums (average
 * pooling, resizing and the gradients of both) and grid sampling. */
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

struct ursa_simd_resample {
    /* Row o of the output, [out_w, c], from image x [.., w, c]. `line` is
     * scratch for w c + URSA_LINE_MARGIN elements. */
    void (*row)(const float *x, int64_t w, int64_t c, const struct ursa_taps *rows, int64_t o,
                const struct ursa_taps *columns, int64_t out_w, float *line, float *out);
    /* `count` pixels at the positions grid [count, 2]. */
    void (*grid)(const struct ursa_grid_rules *rules, const float *x, const float *grid, int64_t count, float *out);
    /* Adds to dx and writes dgrid; either may be NULL. */
    void (*grid_grad)(const struct ursa_grid_rules *rules, const float *x, const float *grid, const float *dy,
                      int64_t count, float *dx, float *dgrid);
};

#endif
