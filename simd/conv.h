/* conv.h — kernels of depthwise convolutions, vectorised over the channels. */
#ifndef URSA_SIMD_CONV_H
#define URSA_SIMD_CONV_H

#include <stdbool.h>
#include <stdint.h>

struct ursa_simd_conv {
    /* For each of `pixels` pixels: out[p][c] (+)= Σ_t tap[p taps + t][c] w[t channels + c] (+ bias[c]) */
    void (*depthwise)(const float *const *tap, int64_t taps, const float *w, const float *bias, int64_t channels,
                      bool add, float *const *out, int64_t pixels);

    /* dw[t channels + c] += Σ_p tap[p taps + t][c] dy[p channels + c] */
    void (*depthwise_weight)(const float *const *tap, int64_t taps, const float *dy, int64_t channels, int64_t pixels,
                             float *dw);
};

#endif
