/* conv.c — kernels of depthwise convolutions. See conv.h. */
#include "conv.h"
#include "vec.h"

/* Vectors of channels held at once: enough sums to hide the latency of one. */
#define BLOCK 4

V_INLINE vf load_some(const float *p, int64_t n)
{
    return n >= V_LANES ? vf_load(p) : vf_load_n(p, n);
}

V_INLINE void store_some(float *p, vf v, int64_t n)
{
    if (n >= V_LANES)
        vf_store(p, v);
    else
        vf_store_n(p, v, n);
}

V_INLINE void depthwise_vectors(const float *const *tap, int64_t taps, const float *w, const float *bias,
                                int64_t channels, int64_t c, int vectors, int64_t n, bool add, float *out)
{
    vf sum[BLOCK];
    for (int v = 0; v < vectors; v++)
        sum[v] = bias ? load_some(bias + c + v * V_LANES, n) : vf_zero();
    for (int64_t t = 0; t < taps; t++)
        for (int v = 0; v < vectors; v++) {
            int64_t at = c + v * V_LANES;
            sum[v] = vf_fma(load_some(tap[t] + at, n), load_some(w + t * channels + at, n), sum[v]);
        }
    for (int v = 0; v < vectors; v++) {
        float *to = out + c + v * V_LANES;
        store_some(to, add ? vf_add(load_some(to, n), sum[v]) : sum[v], n);
    }
}

static void depthwise(const float *const *tap, int64_t taps, const float *w, const float *bias, int64_t channels,
                      bool add, float *const *out, int64_t pixels)
{
    for (int64_t p = 0; p < pixels; p++, tap += taps) {
        int64_t c = 0;
        for (; c + BLOCK * V_LANES <= channels; c += BLOCK * V_LANES)
            depthwise_vectors(tap, taps, w, bias, channels, c, BLOCK, V_LANES, add, out[p]);
        for (; c + V_LANES <= channels; c += V_LANES)
            depthwise_vectors(tap, taps, w, bias, channels, c, 1, V_LANES, add, out[p]);
        if (c < channels)
            depthwise_vectors(tap, taps, w, bias, channels, c, 1, channels - c, add, out[p]);
    }
}

/* Taps whose sums are held at once: they share the loads of dy. */
#define TAPS 3

V_INLINE void weight_vectors(const float *const *tap, int64_t taps, const float *dy, int64_t channels, int64_t c,
                             const int together, const int vectors, int64_t n, int64_t pixels, float *dw)
{
    vf sum[TAPS][BLOCK];
    for (int t = 0; t < together; t++)
        for (int v = 0; v < vectors; v++)
            sum[t][v] = load_some(dw + t * channels + c + v * V_LANES, n);
    for (int64_t p = 0; p < pixels; p++, tap += taps, dy += channels)
        for (int v = 0; v < vectors; v++) {
            int64_t at = c + v * V_LANES;
            vf y = load_some(dy + at, n);
            for (int t = 0; t < together; t++)
                sum[t][v] = vf_fma(load_some(tap[t] + at, n), y, sum[t][v]);
        }
    for (int t = 0; t < together; t++)
        for (int v = 0; v < vectors; v++)
            store_some(dw + t * channels + c + v * V_LANES, sum[t][v], n);
}

V_INLINE void weight_taps(const float *const *tap, int64_t taps, const float *dy, int64_t channels, const int together,
                          int64_t pixels, float *dw)
{
    int64_t c = 0;
    for (; c + BLOCK * V_LANES <= channels; c += BLOCK * V_LANES)
        weight_vectors(tap, taps, dy, channels, c, together, BLOCK, V_LANES, pixels, dw);
    for (; c + V_LANES <= channels; c += V_LANES)
        weight_vectors(tap, taps, dy, channels, c, together, 1, V_LANES, pixels, dw);
    if (c < channels)
        weight_vectors(tap, taps, dy, channels, c, together, 1, channels - c, pixels, dw);
}

static void depthwise_weight(const float *const *tap, int64_t taps, const float *dy, int64_t channels, int64_t pixels,
                             float *dw)
{
    int64_t t = 0;
    for (; t + TAPS <= taps; t += TAPS)
        weight_taps(tap + t, taps, dy, channels, TAPS, pixels, dw + t * channels);
    for (; t < taps; t++)
        weight_taps(tap + t, taps, dy, channels, 1, pixels, dw + t * channels);
}

const struct ursa_simd_conv SIMD(ursa_simd_conv) = {
    .depthwise = depthwise,
    .depthwise_weight = depthwise_weight,
};
