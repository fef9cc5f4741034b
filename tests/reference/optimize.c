/* optimize.c — one step of each optimizer, after the formulas in ops.h. */
#include "reference64.h"
#include "view.h"

static bool skipped(const ursa_array *skip)
{
    return present(skip) && *doubles(skip) != 0;
}

bool reference64_sgd_step(ursa_device *device, const struct ursa_sgd_step_args *args)
{
    (void)device;
    if (skipped(&args->skip))
        return true;
    int64_t count = count_of(&args->param);
    double *param = doubles(&args->param), *momentum = doubles(&args->momentum);
    double lr = (double)args->lr, mu = (double)args->mu;
    for (int64_t i = 0; i < count; i++) {
        double g = doubles(&args->grad)[i] + (double)args->l2 * param[i], d = g;
        if (momentum) {
            momentum[i] = args->first ? g : mu * momentum[i] + (1 - (double)args->dampening) * g;
            d = args->nesterov ? g + mu * momentum[i] : momentum[i];
        }
        param[i] = param[i] * (1 - lr * (double)args->decay) - lr * d;
    }
    return true;
}

bool reference64_adam_step(ursa_device *device, const struct ursa_adam_step_args *args)
{
    (void)device;
    if (skipped(&args->skip))
        return true;
    int64_t count = count_of(&args->param);
    double *param = doubles(&args->param), *m = doubles(&args->m), *v = doubles(&args->v);
    double beta1 = (double)args->beta1, beta2 = (double)args->beta2, step = (double)args->step_size;
    for (int64_t i = 0; i < count; i++) {
        double g = doubles(&args->grad)[i] + (double)args->l2 * param[i];
        param[i] *= 1 - (double)args->lr * (double)args->decay;
        m[i] = beta1 * m[i] + (1 - beta1) * g;
        v[i] = beta2 * v[i] + (1 - beta2) * g * g;
        if (args->no_denom)
            param[i] -= step * m[i];
        else
            param[i] -= step * m[i] / (sqrt(v[i]) / (double)args->denom_scale + (double)args->eps);
    }
    return true;
}

bool reference64_rmsprop_step(ursa_device *device, const struct ursa_rmsprop_step_args *args)
{
    (void)device;
    if (skipped(&args->skip))
        return true;
    int64_t count = count_of(&args->param);
    double *param = doubles(&args->param), *v = doubles(&args->v), *mean = doubles(&args->mean);
    double *momentum = doubles(&args->momentum);
    double alpha = (double)args->alpha, lr = (double)args->lr;
    for (int64_t i = 0; i < count; i++) {
        double g = doubles(&args->grad)[i] + (double)args->l2 * param[i];
        param[i] *= 1 - lr * (double)args->decay;
        v[i] = alpha * v[i] + (1 - alpha) * g * g;
        double centred = v[i];
        if (mean) {
            mean[i] = alpha * mean[i] + (1 - alpha) * g;
            centred -= mean[i] * mean[i];
        }
        double d = g / (sqrt(centred) + (double)args->eps);
        if (momentum)
            d = momentum[i] = (double)args->mu * momentum[i] + d;
        param[i] -= lr * d;
    }
    return true;
}

bool reference64_lamb_step(ursa_device *device, const struct ursa_lamb_step_args *args)
{
    (void)device;
    if (skipped(&args->skip))
        return true;
    int64_t count = count_of(&args->param);
    double *param = doubles(&args->param), *m = doubles(&args->m), *v = doubles(&args->v);
    double *update = doubles(&args->update);
    double beta1 = (double)args->beta1, beta2 = (double)args->beta2;
    double param_norm = 0, update_norm = 0;
    for (int64_t i = 0; i < count; i++) {
        double g = doubles(&args->grad)[i];
        m[i] = beta1 * m[i] + (1 - beta1) * g;
        v[i] = beta2 * v[i] + (1 - beta2) * g * g;
        update[i] = m[i] / (double)args->c1 / (sqrt(v[i] / (double)args->c2) + (double)args->eps) +
                    (double)args->decay * param[i];
        param_norm += param[i] * param[i];
        update_norm += update[i] * update[i];
    }
    double ratio = param_norm > 0 && update_norm > 0 ? sqrt(param_norm / update_norm) : 1;
    if (args->max_ratio > 0 && ratio > (double)args->max_ratio)
        ratio = (double)args->max_ratio;
    for (int64_t i = 0; i < count; i++)
        param[i] -= (double)args->lr * ratio * update[i];
    return true;
}

bool reference64_unscale(ursa_device *device, const struct ursa_unscale_args *args)
{
    (void)device;
    double *grad = doubles(&args->grad), *scaling = doubles(&args->scaling);
    int64_t count = count_of(&args->grad);
    for (int64_t i = 0; i < count; i++) {
        if (!isfinite(grad[i]))
            scaling[2] = 1;
        grad[i] /= scaling[0];
    }
    return true;
}

bool reference64_update_scale(ursa_device *device, const struct ursa_update_scale_args *args)
{
    (void)device;
    double *scaling = doubles(&args->scaling);
    bool found = scaling[2] != 0;
    scaling[1] = found ? 0 : scaling[1] + 1;
    scaling[3] += found;
    if (found)
        scaling[0] *= (double)args->backoff;
    if (scaling[1] >= args->interval) {
        /* A scale past the largest float stays. */
        if (isfinite((float)(scaling[0] * (double)args->growth)))
            scaling[0] *= (double)args->growth;
        scaling[1] = 0;
    }
    scaling[2] = 0;
    return true;
}
