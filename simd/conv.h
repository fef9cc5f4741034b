/* conv.h — kernels of convolutions without a sum over many channels, vectorised over the channels that are written. */
#ifndef URSA_SIMD_CONV_H
#define URSA_SIMD_CONV_H

#include "device/ops.h"

#include <stdint.h>

/* For each of `pixels` pixels, c < channels:
 *
 *     out[p][first + c] = Σ_t Σ_d tap[p taps + t][d row + c] w[(t depth + d) row + c] (+ bias[c])
 *
 * With depth 1 and rows of all channels this is a depthwise convolution. */
struct ursa_depthwise {
    const void *const *tap;
    int64_t pixels, taps, depth;
    int64_t channels, row;
    const float *w, *bias; /* bias may be NULL */
    void *const *out;
    int64_t first;
};

/* dw[(t depth + d) row + c] += Σ_p tap[p taps + t][d row + c] dy[p dy_pitch + c] */
struct ursa_depthwise_weight {
    const void *const *tap;
    int64_t pixels, taps, depth;
    int64_t channels, row;
    const void *dy;
    int64_t dy_pitch;
    float *dw;
};

/* to[(p depth + d) row + c] = x[p pitch + source[c] + d], so that every lane finds what it multiplies in its own place.
 * `source` never decreases. Of a row, whole vectors are written. */
struct ursa_spread {
    const void *x;
    int64_t pixels, pitch, depth;
    const int32_t *source;
    int64_t channels, row;
    float *to;
};

/* By type: f32, f16 and bf16. Weights and sums are floats. */
struct ursa_simd_conv {
    /* Of the image that is read, and whether the one that is written is of that type, too, or of floats. */
    void (*depthwise[URSA_BF16 + 1][2])(const struct ursa_depthwise *depthwise);
    /* Of both images. */
    void (*depthwise_weight[URSA_BF16 + 1])(const struct ursa_depthwise_weight *weight);
    /* Of x, and the half type to which floats are rounded first or that x is of; NULL where there are none. */
    void (*spread[URSA_BF16 + 1][URSA_BF16 + 1])(const struct ursa_spread *spread);
};

#endif
