/* optimize.c — trials of the optimizer steps. Each bound follows the formula,
 * adding one U per operation, relative to what is added. */
#include "trial.h"
#include <math.h>

static struct shape draw_parameter(struct trial *t, ursa_array *param, ursa_array *grad)
{
    struct shape shape = draw_shape_of(t, 1, 4, 2000, 200000);
    declare(t, param, "param", INOUT, URSA_F32, shape, CONTIGUOUS);
    declare(t, grad, "grad", INPUT, URSA_F32, shape, CONTIGUOUS);
    return shape;
}

/* Whether to leave everything as it is: after an overflow, say, so the gradient then is not finite. */
static void draw_skip(struct trial *t, ursa_array *skip)
{
    if (draw_chance(t, 0.6))
        return;
    struct operand *o = declare(t, skip, "skip", INPUT, URSA_F32, SHAPE(1), CONTIGUOUS),
                   *grad = operand_named(t, "grad");
    o->values[0] = draw_chance(t, 0.5);
    if (o->values[0] != 0 && grad->count > 0)
        grad->values[draw_below(t, grad->count)] = draw_chance(t, 0.5) ? INFINITY : NAN;
}

/* What is left as it is has no tolerance. */
static bool is_skipped(struct trial *t)
{
    const double *skip = values_of(t, "skip");
    return skip && skip[0] != 0;
}

static void declare_state(struct trial *t, ursa_array *array, const char *name, struct shape shape, double low,
                          double high)
{
    set_range(t, declare(t, array, name, INOUT, URSA_F32, shape, CONTIGUOUS), low, high);
}

static float draw_or_zero(struct trial *t, double low, double high)
{
    return draw_chance(t, 0.5) ? 0 : draw_float(t, low, high);
}

void draw_sgd_step(struct trial *t, struct ursa_sgd_step_args *args)
{
    args->lr = draw_float(t, 0.001, 0.5);
    args->mu = draw_chance(t, 0.3) ? 0 : draw_float(t, 0.5, 0.99);
    args->dampening = draw_or_zero(t, 0, 0.9);
    args->l2 = draw_or_zero(t, 0, 0.1);
    args->decay = draw_or_zero(t, 0, 0.1);
    args->first = draw_chance(t, 0.3);
    args->nesterov = args->mu > 0 && draw_chance(t, 0.4);
    if (args->nesterov)
        args->dampening = 0;
    note(t, "lr %.9g mu %.9g dampening %.9g l2 %.9g decay %.9g%s%s", (double)args->lr, (double)args->mu,
         (double)args->dampening, (double)args->l2, (double)args->decay, args->first ? " first" : "",
         args->nesterov ? " nesterov" : "");
    struct shape shape = draw_parameter(t, &args->param, &args->grad);
    if (args->mu > 0)
        declare_state(t, &args->momentum, "momentum", shape, -1, 1);
    draw_skip(t, &args->skip);
}

void bound_sgd_step(struct trial *t, const struct ursa_sgd_step_args *args)
{
    if (is_skipped(t))
        return;
    const double *param = values_of(t, "param"), *grad = values_of(t, "grad"), *momentum = values_of(t, "momentum");
    double *of_param = tolerance_of(t, "param"), *of_momentum = tolerance_of(t, "momentum");
    double lr = (double)args->lr, mu = (double)args->mu;
    for (int64_t i = 0; i < operand_named(t, "param")->count; i++) {
        double g = fabs(grad[i]) + (double)args->l2 * fabs(param[i]), d = g;
        if (momentum) {
            double m = args->first ? g : mu * fabs(momentum[i]) + (1 - (double)args->dampening) * g;
            of_momentum[i] = 5 * U * m;
            d = args->nesterov ? g + mu * m : m;
        }
        of_param[i] = U * (3 * fabs(param[i]) + 9 * lr * d);
    }
}

void draw_adam_step(struct trial *t, struct ursa_adam_step_args *args)
{
    double step = (double)draw_between(t, 1, 1000);
    args->lr = draw_float(t, 1e-4, 0.1);
    args->beta1 = draw_chance(t, 0.5) ? 0.9f : draw_float(t, 0.5, 0.99);
    args->beta2 = draw_chance(t, 0.5) ? 0.999f : draw_float(t, 0.9, 0.999);
    args->eps = draw_chance(t, 0.5) ? 1e-8f : 1e-5f;
    args->l2 = draw_or_zero(t, 0, 0.1);
    args->decay = draw_or_zero(t, 0, 0.1);
    args->step_size = args->lr / (float)(1 - pow((double)args->beta1, step));
    args->denom_scale = (float)sqrt(1 - pow((double)args->beta2, step));
    args->no_denom = draw_chance(t, 0.15);
    note(t, "lr %.9g beta1 %.9g beta2 %.9g eps %g l2 %.9g decay %.9g step_size %.9g denom_scale %.9g%s",
         (double)args->lr, (double)args->beta1, (double)args->beta2, (double)args->eps, (double)args->l2,
         (double)args->decay, (double)args->step_size, (double)args->denom_scale, args->no_denom ? " no_denom" : "");
    struct shape shape = draw_parameter(t, &args->param, &args->grad);
    declare_state(t, &args->m, "m", shape, -1, 1);
    declare_state(t, &args->v, "v", shape, 0.01, 2);
    draw_skip(t, &args->skip);
}

void bound_adam_step(struct trial *t, const struct ursa_adam_step_args *args)
{
    if (is_skipped(t))
        return;
    const double *param = values_of(t, "param"), *grad = values_of(t, "grad"), *m = values_of(t, "m");
    const double *m_after = expected_of(t, "m"), *v_after = expected_of(t, "v");
    double *of_param = tolerance_of(t, "param"), *of_m = tolerance_of(t, "m"), *of_v = tolerance_of(t, "v");
    double beta1 = (double)args->beta1, beta2 = (double)args->beta2, step = fabs((double)args->step_size);
    double scale = (double)args->denom_scale, libm = t->libm_is_tight ? 1 : 6;
    for (int64_t i = 0; i < operand_named(t, "param")->count; i++) {
        double g = fabs(grad[i]) + (double)args->l2 * fabs(param[i]), g_off = 2 * U * g;
        of_m[i] = 4 * U * (beta1 * fabs(m[i]) + (1 - beta1) * g);
        of_v[i] = 5 * U * v_after[i] + (1 - beta2) * 2 * g * g_off;
        double root = sqrt(v_after[i]), denominator = root / scale + (double)args->eps;
        double root_off = of_v[i] / (2 * root) + libm * U * root;
        double update = fabs(m_after[i]), update_off = of_m[i];
        if (!args->no_denom) {
            update_off =
                of_m[i] / denominator + update / denominator * (root_off / scale / denominator + (4 + libm) * U);
            update /= denominator;
        }
        of_param[i] = 3 * U * fabs(param[i]) + step * (update_off + 3 * U * update);
    }
}

void draw_rmsprop_step(struct trial *t, struct ursa_rmsprop_step_args *args)
{
    args->lr = draw_float(t, 1e-4, 0.1);
    args->alpha = draw_float(t, 0.8, 0.99);
    args->eps = draw_chance(t, 0.5) ? 1e-8f : 1e-5f;
    args->mu = draw_chance(t, 0.5) ? 0 : draw_float(t, 0.5, 0.95);
    args->l2 = draw_or_zero(t, 0, 0.1);
    args->decay = draw_or_zero(t, 0, 0.1);
    note(t, "lr %.9g alpha %.9g eps %g mu %.9g l2 %.9g decay %.9g", (double)args->lr, (double)args->alpha,
         (double)args->eps, (double)args->mu, (double)args->l2, (double)args->decay);
    struct shape shape = draw_parameter(t, &args->param, &args->grad);
    declare_state(t, &args->v, "v", shape, 1, 2);
    if (draw_chance(t, 0.4)) /* a mean whose square stays well below v */
        declare_state(t, &args->mean, "mean", shape, -0.5, 0.5);
    if (args->mu > 0)
        declare_state(t, &args->momentum, "momentum", shape, -1, 1);
    draw_skip(t, &args->skip);
}

void bound_rmsprop_step(struct trial *t, const struct ursa_rmsprop_step_args *args)
{
    if (is_skipped(t))
        return;
    const double *param = values_of(t, "param"), *grad = values_of(t, "grad"), *mean = values_of(t, "mean");
    const double *momentum = values_of(t, "momentum"), *v_after = expected_of(t, "v");
    const double *mean_after = expected_of(t, "mean");
    double *of_param = tolerance_of(t, "param"), *of_v = tolerance_of(t, "v"), *of_mean = tolerance_of(t, "mean");
    double *of_momentum = tolerance_of(t, "momentum"), alpha = (double)args->alpha, lr = (double)args->lr;
    double libm = t->libm_is_tight ? 1 : 6;
    for (int64_t i = 0; i < operand_named(t, "param")->count; i++) {
        double g = fabs(grad[i]) + (double)args->l2 * fabs(param[i]), g_off = 2 * U * g;
        double centred = v_after[i], centred_off;
        of_v[i] = centred_off = 5 * U * v_after[i] + (1 - alpha) * 2 * g * g_off;
        if (mean) {
            of_mean[i] = 5 * U * (alpha * fabs(mean[i]) + (1 - alpha) * g);
            centred -= mean_after[i] * mean_after[i];
            centred_off += 2 * fabs(mean_after[i]) * of_mean[i] + 2 * U * v_after[i];
        }
        double root = sqrt(centred), root_off = centred_off / (2 * root) + libm * U * root;
        double denominator = root + (double)args->eps;
        double d = g / denominator, d_off = g_off / denominator + d * (root_off / denominator + (2 + libm) * U);
        if (momentum) {
            double kept = (double)args->mu * fabs(momentum[i]);
            d_off += 2 * U * (kept + d);
            d += kept;
            of_momentum[i] = d_off;
        }
        of_param[i] = 3 * U * fabs(param[i]) + lr * (d_off + 3 * U * d);
    }
}

void draw_lamb_step(struct trial *t, struct ursa_lamb_step_args *args)
{
    double step = (double)draw_between(t, 1, 1000);
    args->lr = draw_float(t, 1e-4, 0.1);
    args->beta1 = draw_chance(t, 0.5) ? 0.9f : draw_float(t, 0.5, 0.99);
    args->beta2 = draw_chance(t, 0.5) ? 0.999f : draw_float(t, 0.9, 0.999);
    args->eps = 1e-6f;
    args->decay = draw_or_zero(t, 0, 0.1);
    args->c1 = (float)(1 - pow((double)args->beta1, step));
    args->c2 = (float)(1 - pow((double)args->beta2, step));
    args->max_ratio = draw_chance(t, 0.5) ? 0 : draw_float(t, 0.1, 3);
    note(t, "lr %.9g beta1 %.9g beta2 %.9g eps %g decay %.9g c1 %.9g c2 %.9g max_ratio %.9g", (double)args->lr,
         (double)args->beta1, (double)args->beta2, (double)args->eps, (double)args->decay, (double)args->c1,
         (double)args->c2, (double)args->max_ratio);
    struct shape shape = draw_parameter(t, &args->param, &args->grad);
    if (draw_chance(t, 0.1)) /* a norm of 0 */
        set_range(t, operand_named(t, "param"), 0, 0);
    declare_state(t, &args->m, "m", shape, -1, 1);
    declare_state(t, &args->v, "v", shape, 0.01, 2);
    declare(t, &args->update, "update", SCRATCH, URSA_F32, shape, CONTIGUOUS);
    draw_skip(t, &args->skip);
}

void bound_lamb_step(struct trial *t, const struct ursa_lamb_step_args *args)
{
    if (is_skipped(t))
        return;
    const double *param = values_of(t, "param"), *grad = values_of(t, "grad"), *m = values_of(t, "m");
    const double *m_after = expected_of(t, "m"), *v_after = expected_of(t, "v");
    double *of_param = tolerance_of(t, "param"), *of_m = tolerance_of(t, "m"), *of_v = tolerance_of(t, "v");
    double beta1 = (double)args->beta1, libm = t->libm_is_tight ? 1 : 6, param_square = 0, update_square = 0;
    double off_square = 0;
    int64_t count = operand_named(t, "param")->count;
    for (int64_t i = 0; i < count; i++) {
        of_m[i] = 4 * U * (beta1 * fabs(m[i]) + (1 - beta1) * fabs(grad[i]));
        of_v[i] = 5 * U * v_after[i];
        double root = sqrt(v_after[i] / (double)args->c2), denominator = root + (double)args->eps;
        double adam = m_after[i] / (double)args->c1 / denominator;
        double update = adam + (double)args->decay * param[i];
        /* v and its root, both divisions, both sums */
        double off = of_m[i] / (double)args->c1 / denominator + fabs(adam) * (5.0 / 2 + 4 + 2 * libm) * U +
                     2 * U * fabs((double)args->decay * param[i]) + U * fabs(update);
        of_param[i] = off;
        off_square += off * off;
        param_square += param[i] * param[i];
        update_square += update * update;
    }
    bool plain = param_square == 0 || update_square == 0;
    double ratio = plain ? 1 : sqrt(param_square / update_square);
    /* Each norm is half a sum's error and a root; that of the update also
     * inherits the error of its elements, by the triangle inequality. */
    double ratio_off = plain ? 0 : sum_error(count + 2) + 3 * libm * U + sqrt(off_square / update_square);
    if (args->max_ratio > 0 && ratio > (double)args->max_ratio)
        ratio = (double)args->max_ratio;
    for (int64_t i = 0; i < count; i++) {
        double moved = fabs(expected_of(t, "param")[i] - param[i]);
        of_param[i] = U * fabs(param[i]) + (double)args->lr * ratio * of_param[i] + moved * (ratio_off + 3 * U);
    }
}

/* ---- loss scaling ----------------------------------------------------------- */

static void draw_scaling(struct trial *t, ursa_array *scaling, double good)
{
    struct operand *o = declare(t, scaling, "scaling", INOUT, URSA_F32, SHAPE(4), CONTIGUOUS);
    o->values[0] = draw_chance(t, 0.8) ? ldexp(1, (int)draw_between(t, -10, 24)) : draw_uniform(t, 1, 1000);
    o->values[1] = good;
    o->values[2] = draw_chance(t, 0.4);
    o->values[3] = (double)draw_below(t, 9);
}

void draw_unscale(struct trial *t, struct ursa_unscale_args *args)
{
    struct shape shape = draw_shape_of(t, 1, 4, 2000, 200000);
    struct operand *grad = declare(t, &args->grad, "grad", INOUT, URSA_F32, shape, CONTIGUOUS);
    if (grad->count > 0 && draw_chance(t, 0.4))
        grad->values[draw_below(t, grad->count)] = draw_chance(t, 0.5)   ? NAN
                                                   : draw_chance(t, 0.5) ? INFINITY
                                                                         : -INFINITY;
    draw_scaling(t, &args->scaling, 3);
}

/* A reciprocal and a product, of which OpenCL's reciprocal may be off by 2.5 ulp. */
void bound_unscale(struct trial *t, const struct ursa_unscale_args *args)
{
    (void)args;
    struct operand *grad = operand_named(t, "grad");
    double *tolerance = tolerance_of(t, "grad");
    for (int64_t i = 0; i < grad->count; i++)
        tolerance[i] = isfinite(grad->expected[i]) ? 6 * U * fabs(grad->expected[i]) : 0;
}

void draw_update_scale(struct trial *t, struct ursa_update_scale_args *args)
{
    args->growth = draw_chance(t, 0.7) ? 2 : draw_float(t, 1, 4);
    args->backoff = draw_chance(t, 0.7) ? 0.5f : draw_float(t, 0.1, 1);
    args->interval = (int)draw_between(t, 1, 5);
    note(t, "growth %.9g backoff %.9g interval %d", (double)args->growth, (double)args->backoff, args->interval);
    draw_scaling(t, &args->scaling, (double)draw_below(t, args->interval));
    if (draw_chance(t, 0.1)) /* as large as it gets */
        operand_named(t, "scaling")->values[0] = 0x1p127;
}

void bound_update_scale(struct trial *t, const struct ursa_update_scale_args *args)
{
    (void)t, (void)args; /* one rounding */
}
