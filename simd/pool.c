/* pool.c — maximum pooling of one row of pixels, vectorised over channels. */
#include "pool.h"
#include "lanes.h"
#include <math.h>

/* Vectors of channels that go through a window together. */
#define MOST 4

/* An index in the bits of a float: such vectors are only selected and stored,
 * never computed with, so any 32 bits pass. */
V_INLINE vf index_set(int64_t index)
{
    int32_t bits = (int32_t)index;
    float carrier;
    memcpy(&carrier, &bits, sizeof carrier);
    return vf_set(carrier);
}

/* One window of an image [.., w, c], and where its results go: `room` elements
 * may be written. */
struct window {
    const float *x;
    int64_t w, c;
    struct ursa_span rows, columns;
    float *out;
    int32_t *indices; /* or NULL */
    int64_t room;
};

/* The first that is not a number, or else the first of the largest; for
 * windows in which something is not a number. */
static void max_with_nan(const struct window *s, int64_t channel)
{
    int64_t winner = s->rows.begin * s->w + s->columns.begin;
    float best = s->x[winner * s->c + channel];
    for (int64_t h = s->rows.begin; h < s->rows.end; h++)
        for (int64_t i = s->columns.begin; i < s->columns.end; i++) {
            float v = s->x[(h * s->w + i) * s->c + channel];
            if (!(v <= best) && best == best) {
                best = v;
                winner = h * s->w + i;
            }
        }
    s->out[channel] = best;
    if (s->indices)
        s->indices[channel] = (int32_t)winner;
}

/* `vectors` (a constant) vectors of channels from channel k on, the last of
 * `lanes` lanes. A sum over the window tells whether something in it may not be
 * a number, so that the common case needs a single comparison. */
V_INLINE void max_window(const struct window *s, int64_t k, int vectors, int64_t lanes, bool want_indices)
{
    vf best[MOST], where[MOST], probe[MOST];
    int64_t first = s->rows.begin * s->w + s->columns.begin;
    for (int v = 0; v < vectors; v++) {
        best[v] = v_load_part(s->x + first * s->c + k + v * V_LANES, lanes);
        where[v] = index_set(first);
        probe[v] = vf_zero();
    }
    for (int64_t h = s->rows.begin; h < s->rows.end; h++) {
        const float *pixel = s->x + (h * s->w + s->columns.begin) * s->c + k;
        for (int64_t i = s->columns.begin; i < s->columns.end; i++, pixel += s->c) {
            vf index = index_set(h * s->w + i);
            for (int v = 0; v < vectors; v++) {
                vf x = v_load_part(pixel + v * V_LANES, lanes);
                probe[v] = vf_add(probe[v], x);
                if (want_indices)
                    where[v] = vf_select(vf_gt(x, best[v]), index, where[v]);
                best[v] = vf_max(x, best[v]);
            }
        }
    }
    vf doubt = probe[0];
    for (int v = 1; v < vectors; v++)
        doubt = vf_add(doubt, probe[v]);
    for (int v = 0; v < vectors; v++) {
        int64_t at = k + v * V_LANES;
        v_store_ahead(s->out + at, best[v], lanes, s->room - at);
        if (want_indices)
            v_store_ahead((float *)s->indices + at, where[v], lanes, s->room - at);
    }
    if (vm_any(vf_ne(doubt, doubt)))
        for (int64_t channel = k; channel < k + (vectors - 1) * V_LANES + lanes; channel++)
            max_with_nan(s, channel);
}

static void no_window(const struct window *s)
{
    for (int64_t i = 0; i < s->c; i++)
        s->out[i] = -INFINITY;
    for (int64_t i = 0; s->indices && i < s->c; i++)
        s->indices[i] = -1;
}

/* Whether a whole vector may stand for the last channels: what it reads beyond
 * the last pixel of the span is still in its rows of `width` pixels, and what
 * it writes is overwritten later. */
V_INLINE bool is_padded(struct ursa_span rows, struct ursa_span columns, int64_t width, int64_t c, int64_t k,
                        int64_t room)
{
    int64_t last = ((rows.end - 1) * width + columns.end - 1) * c + k;
    return last + V_LANES <= rows.end * width * c && k + V_LANES <= room;
}

V_INLINE void max_pixel(const struct window *s, bool want_indices)
{
    int64_t k = 0;
    if (s->rows.begin >= s->rows.end || s->columns.begin >= s->columns.end) {
        no_window(s);
        return;
    }
    for (; k + MOST * V_LANES <= s->c; k += MOST * V_LANES)
        max_window(s, k, MOST, V_LANES, want_indices);
    for (; k + V_LANES <= s->c; k += V_LANES)
        max_window(s, k, 1, V_LANES, want_indices);
    if (k < s->c && is_padded(s->rows, s->columns, s->w, s->c, k, s->room))
        max_window(s, k, 1, V_LANES, want_indices);
    else if (k < s->c)
        max_window(s, k, 1, s->c - k, want_indices);
}

static void max(const float *x, int64_t w, int64_t c, struct ursa_span rows, const struct ursa_span *columns,
                int64_t out_w, float *out, int32_t *indices)
{
    for (int64_t o = 0; o < out_w; o++) {
        struct window window = {.x = x,
                                .w = w,
                                .c = c,
                                .rows = rows,
                                .columns = columns[o],
                                .out = out + o * c,
                                .indices = indices ? indices + o * c : NULL,
                                .room = (out_w - o) * c};
        if (indices)
            max_pixel(&window, true);
        else
            max_pixel(&window, false);
    }
}

/* The windows that one pixel lies in. */
struct around {
    const float *dy;
    const int32_t *indices;
    int64_t out_w, c;
    struct ursa_span rows, columns;
    int64_t pixel; /* h w + column */
    float *dx;
    int64_t room;
};

/* Indices up to here are exact as floats, and larger ones do not come out
 * smaller. */
#define EXACT (1 << 24)

V_INLINE void max_grad_part(const struct around *s, int64_t k, int vectors)
{
    vf sum[MOST] = {vf_zero(), vf_zero(), vf_zero(), vf_zero()}, me = vf_set((float)s->pixel);
    for (int64_t oh = s->rows.begin; oh < s->rows.end; oh++) {
        for (int64_t ow = s->columns.begin; ow < s->columns.end; ow++) {
            int64_t at = (oh * s->out_w + ow) * s->c + k;
            for (int v = 0; v < vectors; v++, at += V_LANES) {
                vm won = vf_eq(vf_from_i32(s->indices + at), me);
                sum[v] = vf_add(sum[v], vf_select(won, vf_load(s->dy + at), vf_zero()));
            }
        }
    }
    for (int v = 0; v < vectors; v++)
        vf_store(s->dx + k + v * V_LANES, sum[v]);
}

static void max_grad_channel(const struct around *s, int64_t channel)
{
    float sum = 0.0f;
    for (int64_t oh = s->rows.begin; oh < s->rows.end; oh++)
        for (int64_t ow = s->columns.begin; ow < s->columns.end; ow++) {
            int64_t at = (oh * s->out_w + ow) * s->c + channel;
            sum += s->indices[at] == s->pixel ? s->dy[at] : 0.0f;
        }
    s->dx[channel] = sum;
}

/* Gathers rather than scatters: every pixel looks at the windows it lies in
 * and takes the gradient of those it won. */
static void max_grad(const float *dy, const int32_t *indices, int64_t out_w, int64_t c, struct ursa_span rows,
                     const struct ursa_span *columns, int64_t h, int64_t w, float *dx)
{
    for (int64_t i = 0; i < w; i++) {
        struct around around = {dy, indices, out_w, c, rows, columns[i], h * w + i, dx + i * c, (w - i) * c};
        int64_t k = 0;
        if (around.pixel < EXACT) {
            for (; k + MOST * V_LANES <= c; k += MOST * V_LANES)
                max_grad_part(&around, k, MOST);
            for (; k + V_LANES <= c; k += V_LANES)
                max_grad_part(&around, k, 1);
            if (k < c && is_padded(rows, columns[i], out_w, c, k, around.room)) {
                max_grad_part(&around, k, 1);
                k = c;
            }
        }
        for (; k < c; k++)
            max_grad_channel(&around, k);
    }
}

const struct ursa_simd_pool SIMD(ursa_simd_pool) = {.max = max, .max_grad = max_grad};
