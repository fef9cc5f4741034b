/* softmax.c — softmax and log-softmax along rows or columns: the maximum, the
 * sum of eˣ⁻ᵐᵃˣ, the result. */
#include "softmax.h"
#include "rows.h"

/* ---- rows --------------------------------------------------------------- */

static void rows_softmax(const float *x, int64_t rows, int64_t n, float *y)
{
    for (int64_t r = 0; r < rows; r++, x += n, y += n) {
        float sum = row_exp_sum(x, n, row_max(x, n), y);
        vf scale = vf_set(1.0f / sum);
        for (int64_t i = 0; i < n; i += V_LANES) {
            int64_t lanes = v_lanes_of(n - i);
            v_store_part(y + i, vf_mul(v_load_part(y + i, lanes), scale), lanes);
        }
    }
}

static void rows_log_softmax(const float *x, int64_t rows, int64_t n, float *y)
{
    for (int64_t r = 0; r < rows; r++, x += n, y += n) {
        float max = row_max(x, n);
        /* Two subtractions: the logits may be large, their differences not. */
        vf m = vf_set(max), log_sum = vf_set(logf(row_exp_sum(x, n, max, NULL)));
        for (int64_t i = 0; i < n; i += V_LANES) {
            int64_t lanes = v_lanes_of(n - i);
            v_store_part(y + i, vf_sub(vf_sub(v_load_part(x + i, lanes), m), log_sum), lanes);
        }
    }
}

static void rows(const float *x, int64_t count, int64_t n, bool log, float *y)
{
    (log ? rows_log_softmax : rows_softmax)(x, count, n, y);
}

/* dx = y (dy - Σ y dy); of the logarithm: dx = dy - eʸ Σ dy. */
static void rows_grad(const float *y, const float *dy, int64_t count, int64_t n, bool log, float *dx)
{
    for (int64_t r = 0; r < count; r++, y += n, dy += n, dx += n) {
        vf sums = vf_zero();
        for (int64_t i = 0; i < n; i += V_LANES) {
            int64_t lanes = v_lanes_of(n - i);
            vf g = v_load_part(dy + i, lanes);
            sums = log ? vf_add(sums, g) : vf_fma(v_load_part(y + i, lanes), g, sums);
        }
        vf sum = vf_set(vf_sum(sums));
        for (int64_t i = 0; i < n; i += V_LANES) {
            int64_t lanes = v_lanes_of(n - i);
            vf g = v_load_part(dy + i, lanes), p = v_load_part(y + i, lanes);
            v_store_part(dx + i, log ? vf_fnma(vf_exp(p), sum, g) : vf_mul(p, vf_sub(g, sum)), lanes);
        }
    }
}

/* ---- columns ------------------------------------------------------------ */

V_INLINE void columns_part(const float *x, int64_t n, int64_t stride, int64_t lanes, bool log, float *y)
{
    vf max = vf_set(-INFINITY), sum = vf_zero();
    for (int64_t i = 0; i < n; i++)
        max = vf_max(max, v_load_part(x + i * stride, lanes));
    for (int64_t begin = 0; begin < n; begin += SUM_BLOCK) {
        vf part = vf_zero();
        for (int64_t i = begin; i < n && i < begin + SUM_BLOCK; i++) {
            vf e = vf_exp(vf_sub(v_load_part(x + i * stride, lanes), max));
            part = vf_add(part, e);
            if (!log)
                v_store_part(y + i * stride, e, lanes);
        }
        sum = vf_add(sum, part);
    }
    vf end = log ? vf_log(sum) : vf_div(vf_set(1.0f), sum);
    for (int64_t i = 0; i < n; i++) {
        vf v = log ? vf_sub(vf_sub(v_load_part(x + i * stride, lanes), max), end)
                   : vf_mul(v_load_part(y + i * stride, lanes), end);
        v_store_part(y + i * stride, v, lanes);
    }
}

static void columns(const float *x, int64_t n, int64_t stride, int64_t width, bool log, float *y)
{
    int64_t c = 0;
    for (; c + V_LANES <= width; c += V_LANES)
        columns_part(x + c, n, stride, V_LANES, log, y + c);
    if (c < width)
        columns_part(x + c, n, stride, width - c, log, y + c);
}

V_INLINE void columns_grad_part(const float *y, const float *dy, int64_t n, int64_t stride, int64_t lanes, bool log,
                                float *dx)
{
    vf sum = vf_zero();
    for (int64_t i = 0; i < n; i++) {
        vf g = v_load_part(dy + i * stride, lanes);
        sum = log ? vf_add(sum, g) : vf_fma(v_load_part(y + i * stride, lanes), g, sum);
    }
    for (int64_t i = 0; i < n; i++) {
        vf g = v_load_part(dy + i * stride, lanes), p = v_load_part(y + i * stride, lanes);
        v_store_part(dx + i * stride, log ? vf_fnma(vf_exp(p), sum, g) : vf_mul(p, vf_sub(g, sum)), lanes);
    }
}

static void columns_grad(const float *y, const float *dy, int64_t n, int64_t stride, int64_t width, bool log, float *dx)
{
    int64_t c = 0;
    for (; c + V_LANES <= width; c += V_LANES)
        columns_grad_part(y + c, dy + c, n, stride, V_LANES, log, dx + c);
    if (c < width)
        columns_grad_part(y + c, dy + c, n, stride, width - c, log, dx + c);
}

const struct ursa_simd_softmax SIMD(ursa_simd_softmax) = {
    .rows = rows,
    .rows_grad = rows_grad,
    .columns = columns,
    .columns_grad = columns_grad,
};
