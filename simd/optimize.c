/* optimize.c — the steps of the optimizers: one pass over their arrays. */
#include "optimize.h"
#include "lanes.h"

static void sgd(const struct ursa_sgd_step_args *step, int64_t n, const float *grad, float *param, float *momentum)
{
    vf rate = vf_set(step->lr), keep = vf_set(1.0f - step->lr * step->decay), l2 = vf_set(step->l2);
    vf mu = vf_set(step->mu), fresh = vf_set(1.0f - step->dampening);
    for (int64_t i = 0; i < n; i += V_LANES) {
        int64_t lanes = v_lanes_of(n - i);
        vf p = v_load_part(param + i, lanes), g = vf_fma(l2, p, v_load_part(grad + i, lanes)), d = g;
        if (momentum) {
            if (!step->first)
                d = vf_fma(mu, v_load_part(momentum + i, lanes), vf_mul(fresh, g));
            v_store_part(momentum + i, d, lanes);
            if (step->nesterov)
                d = vf_fma(mu, d, g);
        }
        v_store_part(param + i, vf_fnma(rate, d, vf_mul(p, keep)), lanes);
    }
}

static void adam(const struct ursa_adam_step_args *step, int64_t n, const float *grad, float *param, float *m, float *v)
{
    vf keep = vf_set(1.0f - step->lr * step->decay), l2 = vf_set(step->l2), eps = vf_set(step->eps);
    vf beta1 = vf_set(step->beta1), fresh1 = vf_set(1.0f - step->beta1);
    vf beta2 = vf_set(step->beta2), fresh2 = vf_set(1.0f - step->beta2);
    vf size = vf_set(step->step_size), scale = vf_set(step->denom_scale);
    for (int64_t i = 0; i < n; i += V_LANES) {
        int64_t lanes = v_lanes_of(n - i);
        vf p = v_load_part(param + i, lanes), g = vf_fma(l2, p, v_load_part(grad + i, lanes));
        vf first = vf_fma(beta1, v_load_part(m + i, lanes), vf_mul(fresh1, g));
        vf second = vf_fma(beta2, v_load_part(v + i, lanes), vf_mul(fresh2, vf_mul(g, g)));
        vf d = first;
        if (!step->no_denom)
            d = vf_div(first, vf_add(vf_div(vf_sqrt(second), scale), eps));
        v_store_part(m + i, first, lanes);
        v_store_part(v + i, second, lanes);
        v_store_part(param + i, vf_fnma(size, d, vf_mul(p, keep)), lanes);
    }
}

static void rmsprop(const struct ursa_rmsprop_step_args *step, int64_t n, const float *grad, float *param, float *v,
                    float *mean, float *momentum)
{
    vf rate = vf_set(step->lr), keep = vf_set(1.0f - step->lr * step->decay), l2 = vf_set(step->l2);
    vf alpha = vf_set(step->alpha), fresh = vf_set(1.0f - step->alpha), eps = vf_set(step->eps);
    vf mu = vf_set(step->mu);
    for (int64_t i = 0; i < n; i += V_LANES) {
        int64_t lanes = v_lanes_of(n - i);
        vf p = v_load_part(param + i, lanes), g = vf_fma(l2, p, v_load_part(grad + i, lanes));
        vf square = vf_fma(alpha, v_load_part(v + i, lanes), vf_mul(fresh, vf_mul(g, g)));
        v_store_part(v + i, square, lanes);
        if (mean) {
            vf average = vf_fma(alpha, v_load_part(mean + i, lanes), vf_mul(fresh, g));
            v_store_part(mean + i, average, lanes);
            square = vf_fnma(average, average, square);
        }
        vf d = vf_div(g, vf_add(vf_sqrt(square), eps));
        if (momentum) {
            d = vf_fma(mu, v_load_part(momentum + i, lanes), d);
            v_store_part(momentum + i, d, lanes);
        }
        v_store_part(param + i, vf_fnma(rate, d, vf_mul(p, keep)), lanes);
    }
}

/* Elements whose squares are added in float before they join the sum in double. */
#define BLOCK 1024

static void lamb_update(const struct ursa_lamb_step_args *step, int64_t n, const float *grad, const float *param,
                        float *m, float *v, float *update, double squares[2])
{
    vf beta1 = vf_set(step->beta1), fresh1 = vf_set(1.0f - step->beta1), c1 = vf_set(step->c1);
    vf beta2 = vf_set(step->beta2), fresh2 = vf_set(1.0f - step->beta2), c2 = vf_set(step->c2);
    vf eps = vf_set(step->eps), decay = vf_set(step->decay);
    squares[0] = squares[1] = 0.0;
    for (int64_t begin = 0; begin < n; begin += BLOCK) {
        int64_t end = n - begin < BLOCK ? n : begin + BLOCK;
        vf params = vf_zero(), updates = vf_zero();
        for (int64_t i = begin; i < end; i += V_LANES) {
            int64_t lanes = v_lanes_of(end - i);
            vf p = v_load_part(param + i, lanes), g = v_load_part(grad + i, lanes);
            vf first = vf_fma(beta1, v_load_part(m + i, lanes), vf_mul(fresh1, g));
            vf second = vf_fma(beta2, v_load_part(v + i, lanes), vf_mul(fresh2, vf_mul(g, g)));
            vf denominator = vf_add(vf_sqrt(vf_div(second, c2)), eps);
            vf u = vf_fma(decay, p, vf_div(vf_div(first, c1), denominator));
            v_store_part(m + i, first, lanes);
            v_store_part(v + i, second, lanes);
            v_store_part(update + i, u, lanes);
            if (lanes < V_LANES)
                u = vf_select(v_first(lanes), u, vf_zero()); /* 0 / 0 past the end where eps is 0 */
            params = vf_fma(p, p, params);
            updates = vf_fma(u, u, updates);
        }
        squares[0] += (double)vf_sum(params);
        squares[1] += (double)vf_sum(updates);
    }
}

static void lamb_apply(float scale, int64_t n, const float *update, float *param)
{
    vf rate = vf_set(scale);
    for (int64_t i = 0; i < n; i += V_LANES) {
        int64_t lanes = v_lanes_of(n - i);
        v_store_part(param + i, vf_fnma(rate, v_load_part(update + i, lanes), v_load_part(param + i, lanes)), lanes);
    }
}

static bool unscale(float factor, int64_t n, float *grad)
{
    vf scale = vf_set(factor), probe = vf_zero();
    for (int64_t i = 0; i < n; i += V_LANES) {
        int64_t lanes = v_lanes_of(n - i);
        vf g = v_load_part(grad + i, lanes);
        probe = vf_fma(g, vf_zero(), probe); /* 0, but not a number where g is not finite */
        v_store_part(grad + i, vf_mul(g, scale), lanes);
    }
    return !vm_any(vf_ne(probe, probe));
}

const struct ursa_simd_optimize SIMD(ursa_simd_optimize) = {
    .sgd = sgd,
    .adam = adam,
    .rmsprop = rmsprop,
    .lamb_update = lamb_update,
    .lamb_apply = lamb_apply,
    .unscale = unscale,
};
