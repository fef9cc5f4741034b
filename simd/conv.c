/* conv.c — kernels of depthwise convolutions. See conv.h. */
#include "conv.h"
#include "image.h"

/* Vectors of channels held at once: enough sums to hide the latency of one. */
#define BLOCK 4

V_INLINE void depthwise_vectors(const void *const *tap, int64_t taps, const float *w, const float *bias,
                                int64_t channels, int64_t c, int vectors, int64_t n, bool add, void *out,
                                const ursa_dtype type, const ursa_dtype out_type)
{
    vf sum[BLOCK];
    for (int v = 0; v < vectors; v++)
        sum[v] = bias ? load_some(bias + c + v * V_LANES, n) : vf_zero();
    for (int64_t t = 0; t < taps; t++)
        for (int v = 0; v < vectors; v++) {
            int64_t at = c + v * V_LANES;
            sum[v] = vf_fma(load_image(tap[t], at, n, type), load_some(w + t * channels + at, n), sum[v]);
        }
    for (int v = 0; v < vectors; v++) {
        int64_t at = c + v * V_LANES;
        store_image(out, at, add ? vf_add(load_image(out, at, n, out_type), sum[v]) : sum[v], n, out_type);
    }
}

V_INLINE void depthwise(const void *const *tap, int64_t taps, const float *w, const float *bias, int64_t channels,
                        bool add, void *const *out, int64_t pixels, const ursa_dtype type, const ursa_dtype out_type)
{
    for (int64_t p = 0; p < pixels; p++, tap += taps) {
        int64_t c = 0;
        for (; c + BLOCK * V_LANES <= channels; c += BLOCK * V_LANES)
            depthwise_vectors(tap, taps, w, bias, channels, c, BLOCK, V_LANES, add, out[p], type, out_type);
        for (; c + V_LANES <= channels; c += V_LANES)
            depthwise_vectors(tap, taps, w, bias, channels, c, 1, V_LANES, add, out[p], type, out_type);
        if (c < channels)
            depthwise_vectors(tap, taps, w, bias, channels, c, 1, channels - c, add, out[p], type, out_type);
    }
}

/* Taps whose sums are held at once: they share the loads of dy. */
#define TAPS 3

V_INLINE void weight_vectors(const void *const *tap, int64_t taps, const void *dy, int64_t channels, int64_t c,
                             const int together, const int vectors, int64_t n, int64_t pixels, float *dw,
                             const ursa_dtype type)
{
    vf sum[TAPS][BLOCK];
    for (int t = 0; t < together; t++)
        for (int v = 0; v < vectors; v++)
            sum[t][v] = load_some(dw + t * channels + c + v * V_LANES, n);
    for (int64_t p = 0; p < pixels; p++, tap += taps)
        for (int v = 0; v < vectors; v++) {
            int64_t at = c + v * V_LANES;
            vf y = load_image(dy, p * channels + at, n, type);
            for (int t = 0; t < together; t++)
                sum[t][v] = vf_fma(load_image(tap[t], at, n, type), y, sum[t][v]);
        }
    for (int t = 0; t < together; t++)
        for (int v = 0; v < vectors; v++)
            store_some(dw + t * channels + c + v * V_LANES, sum[t][v], n);
}

V_INLINE void weight_taps(const void *const *tap, int64_t taps, const void *dy, int64_t channels, const int together,
                          int64_t pixels, float *dw, const ursa_dtype type)
{
    int64_t c = 0;
    for (; c + BLOCK * V_LANES <= channels; c += BLOCK * V_LANES)
        weight_vectors(tap, taps, dy, channels, c, together, BLOCK, V_LANES, pixels, dw, type);
    for (; c + V_LANES <= channels; c += V_LANES)
        weight_vectors(tap, taps, dy, channels, c, together, 1, V_LANES, pixels, dw, type);
    if (c < channels)
        weight_vectors(tap, taps, dy, channels, c, together, 1, channels - c, pixels, dw, type);
}

V_INLINE void depthwise_weight(const void *const *tap, int64_t taps, const void *dy, int64_t channels, int64_t pixels,
                               float *dw, const ursa_dtype type)
{
    int64_t t = 0;
    for (; t + TAPS <= taps; t += TAPS)
        weight_taps(tap + t, taps, dy, channels, TAPS, pixels, dw + t * channels, type);
    for (; t < taps; t++)
        weight_taps(tap + t, taps, dy, channels, 1, pixels, dw + t * channels, type);
}

#define FROM_TO(type, out_type)                                                                                        \
    static void depthwise_##type##_##out_type(const void *const *tap, int64_t taps, const float *w, const float *bias, \
                                              int64_t channels, bool add, void *const *out, int64_t pixels)            \
    {                                                                                                                  \
        depthwise(tap, taps, w, bias, channels, add, out, pixels, URSA_##type, URSA_##out_type);                       \
    }
FROM_TO(F32, F32)
FROM_TO(F16, F32)
FROM_TO(F16, F16)
FROM_TO(BF16, F32)
FROM_TO(BF16, BF16)

#define OF_TYPE(type)                                                                                                  \
    static void depthwise_weight_##type(const void *const *tap, int64_t taps, const void *dy, int64_t channels,        \
                                        int64_t pixels, float *dw)                                                     \
    {                                                                                                                  \
        depthwise_weight(tap, taps, dy, channels, pixels, dw, URSA_##type);                                            \
    }
OF_TYPE(F32)
OF_TYPE(F16)
OF_TYPE(BF16)

const struct ursa_simd_conv SIMD(ursa_simd_conv) = {
    .depthwise = {[URSA_F32] = {depthwise_F32_F32, depthwise_F32_F32},
                  [URSA_F16] = {depthwise_F16_F32, depthwise_F16_F16},
                  [URSA_BF16] = {depthwise_BF16_F32, depthwise_BF16_BF16}},
    .depthwise_weight =
        {[URSA_F32] = depthwise_weight_F32, [URSA_F16] = depthwise_weight_F16, [URSA_BF16] = depthwise_weight_BF16},
};
