/* conv.h — kernels of depthwise convolutions, vectorised over the channels. */
#ifndef URSA_SIMD_CONV_H
#define URSA_SIMD_CONV_H

#include "device/ops.h"

#include <stdbool.h>
#include <stdint.h>

/* By the type of the images: f32, f16 and bf16. Weights and sums are floats. `depthwise` writes images of that type or,
 * [type][0], of floats. */
struct ursa_simd_conv {
    /* For each of `pixels` pixels: out[p][c] (+)= Σ_t tap[p taps + t][c] w[t channels + c] (+ bias[c]) */
    void (*depthwise[URSA_BF16 + 1][2])(const void *const *tap, int64_t taps, const float *w, const float *bias,
                                        int64_t channels, bool add, void *const *out, int64_t pixels);

    /* dw[t channels + c] += Σ_p tap[p taps + t][c] dy[p channels + c] */
    void (*depthwise_weight[URSA_BF16 + 1])(const void *const *tap, int64_t taps, const void *dy, int64_t channels,
                                            int64_t pixels, float *dw);
};

#endif
