/* conv.c — kernels of depthwise convolutions, and of those in groups of few channels. See conv.h. */
#include "conv.h"
#include "image.h"

/* Vectors of channels whose sums are held at once, enough to hide the latency of one. */
#define BLOCK 4

/* ---- a sum per pixel -------------------------------------------------------- */

/* Where a tap has several rows, pixels share the loads of the weights. A depthwise convolution waits for memory, and
 * reads it best pixel by pixel. */
#define PIXELS 3

V_INLINE void sum_vectors(const struct ursa_depthwise *s, int64_t p, const int pixels, const int64_t depth, int64_t c,
                          const int vectors, int64_t n, const ursa_dtype type, const ursa_dtype out_type)
{
    const void *const *tap = s->tap + p * s->taps;
    const float *w = s->w + c;
    vf sum[PIXELS][BLOCK];
    UNROLL
    for (int v = 0; v < vectors; v++)
        UNROLL
    for (int i = 0; i < pixels; i++)
        sum[i][v] = s->bias ? load_some(s->bias + c + v * V_LANES, n) : vf_zero();
    for (int64_t t = 0; t < s->taps; t++)
        for (int64_t d = 0; d < depth; d++, w += s->row)
            UNROLL
    for (int v = 0; v < vectors; v++) {
        vf weight = load_some(w + v * V_LANES, n);
        UNROLL
        for (int i = 0; i < pixels; i++) {
            vf x = load_image(tap[i * s->taps + t], d * s->row + c + v * V_LANES, n, type);
            sum[i][v] = vf_fma(x, weight, sum[i][v]);
        }
    }
    UNROLL
    for (int v = 0; v < vectors; v++)
        UNROLL
    for (int i = 0; i < pixels; i++)
        store_image(s->out[p + i], s->first + c + v * V_LANES, sum[i][v], n, out_type);
}

V_INLINE void sum_pixels(const struct ursa_depthwise *s, int64_t p, const int pixels, const int64_t depth,
                         const ursa_dtype type, const ursa_dtype out_type)
{
    int64_t c = 0;
    for (; c + BLOCK * V_LANES <= s->channels; c += BLOCK * V_LANES)
        sum_vectors(s, p, pixels, depth, c, BLOCK, V_LANES, type, out_type);
    for (; c + V_LANES <= s->channels; c += V_LANES)
        sum_vectors(s, p, pixels, depth, c, 1, V_LANES, type, out_type);
    if (c < s->channels)
        sum_vectors(s, p, pixels, depth, c, 1, s->channels - c, type, out_type);
}

V_INLINE void depthwise(const struct ursa_depthwise *s, const ursa_dtype type, const ursa_dtype out_type)
{
    int64_t p = 0;
    if (s->depth == 1) {
        for (; p < s->pixels; p++)
            sum_pixels(s, p, 1, 1, type, out_type);
        return;
    }
    for (; p + PIXELS <= s->pixels; p += PIXELS)
        sum_pixels(s, p, PIXELS, s->depth, type, out_type);
    for (; p < s->pixels; p++)
        sum_pixels(s, p, 1, s->depth, type, out_type);
}

/* ---- sums over the pixels ----------------------------------------------------- */

/* Rows whose sums are held at once: they share the loads of dy. */
#define ROWS 3

V_INLINE void weight_vectors(const struct ursa_depthwise_weight *s, int64_t first, const int rows, int64_t c,
                             const int vectors, int64_t n, const ursa_dtype type)
{
    int64_t tap_at[ROWS], at[ROWS];
    vf sum[ROWS][BLOCK];
    UNROLL
    for (int r = 0; r < rows; r++) {
        tap_at[r] = (first + r) / s->depth;
        at[r] = (first + r) % s->depth * s->row + c;
        UNROLL
        for (int v = 0; v < vectors; v++)
            sum[r][v] = load_some(s->dw + (first + r) * s->row + c + v * V_LANES, n);
    }
    const void *const *tap = s->tap;
    for (int64_t p = 0; p < s->pixels; p++, tap += s->taps)
        UNROLL
    for (int v = 0; v < vectors; v++) {
        vf y = load_image(s->dy, p * s->dy_pitch + c + v * V_LANES, n, type);
        UNROLL
        for (int r = 0; r < rows; r++)
            sum[r][v] = vf_fma(load_image(tap[tap_at[r]], at[r] + v * V_LANES, n, type), y, sum[r][v]);
    }
    UNROLL
    for (int r = 0; r < rows; r++)
        UNROLL
    for (int v = 0; v < vectors; v++)
        store_some(s->dw + (first + r) * s->row + c + v * V_LANES, sum[r][v], n);
}

V_INLINE void weight_rows(const struct ursa_depthwise_weight *s, int64_t first, const int rows, const ursa_dtype type)
{
    int64_t c = 0;
    for (; c + BLOCK * V_LANES <= s->channels; c += BLOCK * V_LANES)
        weight_vectors(s, first, rows, c, BLOCK, V_LANES, type);
    for (; c + V_LANES <= s->channels; c += V_LANES)
        weight_vectors(s, first, rows, c, 1, V_LANES, type);
    if (c < s->channels)
        weight_vectors(s, first, rows, c, 1, s->channels - c, type);
}

V_INLINE void depthwise_weight(const struct ursa_depthwise_weight *s, const ursa_dtype type)
{
    int64_t row = 0, rows = s->taps * s->depth;
    for (; row + ROWS <= rows; row += ROWS)
        weight_rows(s, row, ROWS, type);
    for (; row < rows; row++)
        weight_rows(s, row, 1, type);
}

/* ---- channels in the places of others ------------------------------------------- */

V_INLINE vf rounded(vf v, const ursa_dtype type)
{
    uint16_t lanes[V_LANES];
    if (type == URSA_F32)
        return v;
    if (type == URSA_F16) {
        vf_store_f16(lanes, v);
        return vf_load_f16(lanes);
    }
    vf_store_bf16(lanes, v);
    return vf_load_bf16(lanes);
}

/* The elements at `index` from number `at` on, as far apart as they may be. */
V_INLINE vf load_apart(const void *image, int64_t at, const int32_t *index, const ursa_dtype type)
{
    float lanes[V_LANES];
    uint16_t halves[V_LANES];
    if (type == URSA_F32) {
        for (int i = 0; i < V_LANES; i++)
            lanes[i] = ((const float *)image)[at + index[i]];
        return vf_load(lanes);
    }
    for (int i = 0; i < V_LANES; i++)
        halves[i] = ((const uint16_t *)image)[at + index[i]];
    return load_image(halves, 0, V_LANES, type);
}

/* A vector of the lanes of a row: where they begin, and the channel of each from there on. */
struct lanes {
    int64_t first;
    int32_t index[V_LANES];
    bool near; /* all within one vector of x */
};

static struct lanes lanes_at(const struct ursa_spread *s, int64_t c)
{
    struct lanes lanes = {.first = s->source[c]};
    int64_t count = s->channels - c < V_LANES ? s->channels - c : V_LANES;
    for (int64_t i = 0; i < count; i++)
        lanes.index[i] = s->source[c + i] - s->source[c];
    lanes.near = lanes.index[count - 1] < V_LANES;
    return lanes;
}

/* Row d of one pixel, whose channels begin at number `at` of x. */
V_INLINE vf load_lanes(const struct ursa_spread *s, const struct lanes *lanes, int64_t at, int64_t d,
                       const ursa_dtype type)
{
    int64_t first = lanes->first + d;
    if (!lanes->near)
        return load_apart(s->x, at + first, lanes->index, type);
    return vf_permute(load_image(s->x, at + first, s->pitch - first, type), vi_load(lanes->index));
}

V_INLINE void spread(const struct ursa_spread *s, const ursa_dtype type, const ursa_dtype as)
{
    struct lanes lanes[BLOCK];
    for (int64_t begin = 0; begin < s->channels; begin += BLOCK * V_LANES) {
        int vectors = 0;
        for (int64_t c = begin; c < s->channels && vectors < BLOCK; c += V_LANES)
            lanes[vectors++] = lanes_at(s, c);
        float *to = s->to + begin;
        for (int64_t p = 0; p < s->pixels; p++)
            for (int64_t d = 0; d < s->depth; d++, to += s->row)
                for (int v = 0; v < vectors; v++) {
                    vf x = load_lanes(s, &lanes[v], p * s->pitch, d, type);
                    vf_store(to + v * V_LANES, rounded(x, type == URSA_F32 ? as : URSA_F32));
                }
    }
}

/* ---- the table -------------------------------------------------------------------- */

#define FROM_TO(type, out_type)                                                                                        \
    static void depthwise_##type##_##out_type(const struct ursa_depthwise *s)                                          \
    {                                                                                                                  \
        depthwise(s, URSA_##type, URSA_##out_type);                                                                    \
    }
FROM_TO(F32, F32)
FROM_TO(F16, F32)
FROM_TO(F16, F16)
FROM_TO(BF16, F32)
FROM_TO(BF16, BF16)

#define OF_TYPE(type)                                                                                                  \
    static void depthwise_weight_##type(const struct ursa_depthwise_weight *s)                                         \
    {                                                                                                                  \
        depthwise_weight(s, URSA_##type);                                                                              \
    }
OF_TYPE(F32)
OF_TYPE(F16)
OF_TYPE(BF16)

#define SPREAD(type, as)                                                                                               \
    static void spread_##type##_##as(const struct ursa_spread *s)                                                      \
    {                                                                                                                  \
        spread(s, URSA_##type, URSA_##as);                                                                             \
    }
SPREAD(F32, F32)
SPREAD(F32, F16)
SPREAD(F32, BF16)
SPREAD(F16, F16)
SPREAD(BF16, BF16)

const struct ursa_simd_conv SIMD(ursa_simd_conv) = {
    .depthwise = {[URSA_F32] = {depthwise_F32_F32, depthwise_F32_F32},
                  [URSA_F16] = {depthwise_F16_F32, depthwise_F16_F16},
                  [URSA_BF16] = {depthwise_BF16_F32, depthwise_BF16_BF16}},
    .depthwise_weight =
        {[URSA_F32] = depthwise_weight_F32, [URSA_F16] = depthwise_weight_F16, [URSA_BF16] = depthwise_weight_BF16},
    .spread = {[URSA_F32] = {[URSA_F32] = spread_F32_F32, [URSA_F16] = spread_F32_F16, [URSA_BF16] = spread_F32_BF16},
               [URSA_F16] = {[URSA_F16] = spread_F16_F16},
               [URSA_BF16] = {[URSA_BF16] = spread_BF16_BF16}},
};
