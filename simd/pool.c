/* pool.c — maximum pooling of one row of pixels, vectorised over channels. */
#include "pool.h"
#include "lanes.h"
#include <math.h>

/* An index in the bits of a float: such vectors are only selected and stored,
 * never computed with, so any 32 bits pass. */
V_INLINE vf index_set(int64_t index)
{
    int32_t bits = (int32_t)index;
    float carrier;
    memcpy(&carrier, &bits, sizeof carrier);
    return vf_set(carrier);
}

/* Whether v beats best: it is larger, or the first that is not a number. */
V_INLINE vm beats(vf v, vf best)
{
    return vm_and(vm_not(vf_le(v, best)), vf_eq(best, best));
}

/* One vector of channels of one window. */
V_INLINE void max_window(const float *x, int64_t w, int64_t c, struct ursa_span rows, struct ursa_span columns,
                         int64_t lanes, float *out, int32_t *indices)
{
    vf best = v_load_part(x + (rows.begin * w + columns.begin) * c, lanes);
    vf where = index_set(rows.begin * w + columns.begin);
    for (int64_t h = rows.begin; h < rows.end; h++) {
        for (int64_t i = columns.begin; i < columns.end; i++) {
            vf v = v_load_part(x + (h * w + i) * c, lanes);
            vm better = beats(v, best);
            best = vf_select(better, v, best);
            if (indices)
                where = vf_select(better, index_set(h * w + i), where);
        }
    }
    v_store_part(out, best, lanes);
    if (indices)
        v_store_part((float *)indices, where, lanes);
}

static void no_window(int64_t c, float *out, int32_t *indices)
{
    for (int64_t i = 0; i < c; i++)
        out[i] = -INFINITY;
    for (int64_t i = 0; indices && i < c; i++)
        indices[i] = -1;
}

V_INLINE void max_row(const float *x, int64_t w, int64_t c, struct ursa_span rows, const struct ursa_span *columns,
                      int64_t out_w, float *out, int32_t *indices)
{
    for (int64_t o = 0; o < out_w; o++, out += c, indices += indices ? c : 0) {
        if (rows.begin >= rows.end || columns[o].begin >= columns[o].end) {
            no_window(c, out, indices);
            continue;
        }
        int64_t i = 0;
        for (; i + V_LANES <= c; i += V_LANES)
            max_window(x + i, w, c, rows, columns[o], V_LANES, out + i, indices ? indices + i : NULL);
        if (i < c)
            max_window(x + i, w, c, rows, columns[o], c - i, out + i, indices ? indices + i : NULL);
    }
}

static void max(const float *x, int64_t w, int64_t c, struct ursa_span rows, const struct ursa_span *columns,
                int64_t out_w, float *out, int32_t *indices)
{
    if (indices)
        max_row(x, w, c, rows, columns, out_w, out, indices);
    else
        max_row(x, w, c, rows, columns, out_w, out, NULL);
}

/* Gathers rather than scatters: every pixel looks at the windows it lies in
 * and takes the gradient of those it won. */
static void max_grad(const float *dy, const int32_t *indices, int64_t out_w, int64_t c, struct ursa_span rows,
                     const struct ursa_span *columns, int64_t h, int64_t w, float *dx)
{
    memset(dx, 0, (size_t)(w * c) * sizeof *dx);
    for (int64_t i = 0; i < w; i++, dx += c) {
        int32_t me = (int32_t)(h * w + i);
        for (int64_t oh = rows.begin; oh < rows.end; oh++) {
            for (int64_t ow = columns[i].begin; ow < columns[i].end; ow++) {
                const float *restrict grad = dy + (oh * out_w + ow) * c;
                const int32_t *restrict winner = indices + (oh * out_w + ow) * c;
                float *restrict sum = dx;
                for (int64_t k = 0; k < c; k++)
                    sum[k] += winner[k] == me ? grad[k] : 0.0f;
            }
        }
    }
}

const struct ursa_simd_pool SIMD(ursa_simd_pool) = {.max = max, .max_grad = max_grad};
