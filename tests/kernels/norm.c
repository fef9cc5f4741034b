/* norm.c — trials of batch and group normalisation.
 *
 * All bounds are built from the same few: the mean is a sum; the variance two
 * passes; x̂ = (x - mean) inv_std may be computed as x inv_std - mean inv_std,
 * so that its error is relative to (|x| + |mean|) inv_std.
 */
#include "trial.h"
#include <math.h>

static double or_else(const double *values, int64_t i, double otherwise)
{
    return values ? values[i] : otherwise;
}

double mean_error(double magnitude, int64_t n)
{
    return (sum_error(n) + 3 * U) * magnitude;
}

double variance_error(double var, double magnitude, double mean_off, int64_t n)
{
    double condition = var > 0 ? sqrt(1 + magnitude * magnitude / var) : 0;
    return (sum_error(n + 2) + 6 * U) * var * condition + 4 * mean_off * mean_off;
}

/* Relative error of 1 / √(var + eps). */
static double inv_std_error(const struct trial *t, double var, double eps, double mean, double mean_off, int64_t n)
{
    double off = variance_error(var, mean, mean_off, n);
    return off / (2 * (var + eps)) + (t->libm_is_tight ? 3 : 8) * U;
}

static double normal_error(double x, double mean, double inv_std, double mean_off, double inv_std_off)
{
    return inv_std * (mean_off + 3 * U * (fabs(x) + fabs(mean)) + fabs(x - mean) * inv_std_off);
}

/* ---- batch normalisation ---------------------------------------------------- */

/* What stands behind a normalisation. */
static void draw_end(struct trial *t, ursa_activation *activation)
{
    activation->used = draw_chance(t, 0.5);
    activation->kind = draw_chance(t, 0.5) ? URSA_UNARY_relu : URSA_UNARY_relu6;
    note(t, "%s", activation->used ? unary_name(activation->kind) : "no activation");
}

void draw_batch_norm(struct trial *t, struct ursa_batch_norm_args *args)
{
    ursa_dtype dtype = draw_float_type(t);
    struct shape shape = draw_shape_of(t, 2, 4, 3000, 200000);
    int64_t channels = shape.dim[shape.ndim - 1], rows = channels ? shape_count(shape) / channels : 0;
    args->training = draw_chance(t, 0.6);
    if (rows == 0)
        args->training = false; /* nothing to take a mean of */
    args->momentum = draw_float(t, 0, 1);
    args->eps = draw_chance(t, 0.5) ? 1e-5f : 1e-3f;
    note(t, "%s momentum %.9g eps %g", args->training ? "training" : "inference", (double)args->momentum,
         (double)args->eps);
    struct operand *x = declare(t, &args->x, "x", INPUT, dtype, shape, CONTIGUOUS);
    double away = draw_chance(t, 0.3) ? draw_uniform(t, -20, 20) : 0;
    for (int64_t i = 0; i < x->count; i++)
        x->values[i] += away;
    if (draw_chance(t, 0.7))
        declare(t, &args->scale, "scale", INPUT, URSA_F32, SHAPE(channels), CONTIGUOUS);
    if (draw_chance(t, 0.7))
        declare(t, &args->shift, "shift", INPUT, URSA_F32, SHAPE(channels), CONTIGUOUS);
    if (args->training && draw_chance(t, 0.4)) {
        declare(t, &args->batch_mean, "batch_mean", INPUT, URSA_F32, SHAPE(channels), CONTIGUOUS);
        set_range(t, declare(t, &args->batch_var, "batch_var", INPUT, URSA_F32, SHAPE(channels), CONTIGUOUS), 0, 3);
    }
    if (!args->training || (rows > 1 && draw_chance(t, 0.7))) { /* one row has no unbiased variance */
        enum role role = args->training ? INOUT : INPUT;
        declare(t, &args->running_mean, "running_mean", role, URSA_F32, SHAPE(channels), CONTIGUOUS);
        struct operand *var =
            declare(t, &args->running_var, "running_var", role, URSA_F32, SHAPE(channels), CONTIGUOUS);
        set_range(t, var, 0.1, 3);
    }
    draw_end(t, &args->activation);
    struct operand *residual = NULL;
    if (draw_chance(t, 0.4))
        residual = declare(t, &args->residual, "residual", INPUT, dtype, shape, CONTIGUOUS);
    if (draw_chance(t, 0.3))
        declare_same(t, &args->out, "out", residual && draw_chance(t, 0.5) ? residual : x);
    else
        declare(t, &args->out, "out", OUTPUT, dtype, shape, CONTIGUOUS);
    if (args->training) {
        declare(t, &args->mean, "mean", OUTPUT, URSA_F32, SHAPE(channels), CONTIGUOUS);
        declare(t, &args->inv_std, "inv_std", OUTPUT, URSA_F32, SHAPE(channels), CONTIGUOUS);
    }
}

void bound_batch_norm(struct trial *t, const struct ursa_batch_norm_args *args)
{
    struct operand *out = operand_named(t, "out");
    int64_t channels = out->array.shape[out->array.ndim - 1], rows = channels ? out->count / channels : 0;
    const double *x = values_of(t, "x"), *scale = values_of(t, "scale"), *shift = values_of(t, "shift");
    const double *residual = values_of(t, "residual");
    bool known = operand_named(t, "batch_mean");
    double *tolerance = tolerance_of(t, "out"), *of_mean = known ? NULL : tolerance_of(t, "mean");
    double *of_inv_std = tolerance_of(t, "inv_std");
    bool running = args->training && operand_named(t, "running_mean");
    double *of_running_mean = running ? tolerance_of(t, "running_mean") : NULL;
    double *of_running_var = running ? tolerance_of(t, "running_var") : NULL;
    double momentum = (double)args->momentum, eps = (double)args->eps;
    for (int64_t c = 0; c < channels; c++) {
        double mean, inv_std, mean_off = 0, inv_std_off = (t->libm_is_tight ? 3 : 8) * U;
        if (args->training) {
            double magnitude = 0;
            mean = expected_of(t, "mean")[c], inv_std = expected_of(t, "inv_std")[c];
            for (int64_t i = 0; i < rows; i++)
                magnitude += fabs(x[i * channels + c]) / (double)rows;
            double var = 1 / (inv_std * inv_std) - eps;
            var = var < 0 ? 0 : var;
            if (!known) {
                of_mean[c] = mean_off = mean_error(magnitude, rows);
                inv_std_off = inv_std_error(t, var, eps, magnitude, mean_off, rows);
            }
            of_inv_std[c] = inv_std_off * inv_std;
            if (running) {
                double unbiased = var * (double)rows / (double)(rows - 1);
                of_running_mean[c] = 3 * U * (fabs(values_of(t, "running_mean")[c]) + fabs(mean)) + momentum * mean_off;
                of_running_var[c] = 3 * U * (values_of(t, "running_var")[c] + 3 * unbiased) +
                                    momentum * 2 * (var + eps) * inv_std_off * (double)rows / (double)(rows - 1);
            }
        } else {
            mean = values_of(t, "running_mean")[c];
            inv_std = 1 / sqrt(values_of(t, "running_var")[c] + eps);
        }
        for (int64_t i = c; i < rows * channels; i += channels)
            tolerance[i] = fabs(or_else(scale, c, 1)) * (normal_error(x[i], mean, inv_std, mean_off, inv_std_off) +
                                                         2 * U * fabs(x[i] - mean) * inv_std) +
                           2 * U *
                               (fabs(or_else(shift, c, 0)) + fabs(or_else(residual, i, 0)) +
                                (residual ? fabs(or_else(scale, c, 1) * (x[i] - mean) * inv_std) : 0));
    }
}

void draw_batch_norm_grad(struct trial *t, struct ursa_batch_norm_grad_args *args)
{
    ursa_dtype dtype = draw_float_type(t);
    struct shape shape = draw_shape_of(t, 2, 4, 3000, 200000);
    int64_t channels = shape.dim[shape.ndim - 1];
    args->training = draw_chance(t, 0.6);
    note(t, "%s", args->training ? "training" : "inference");
    declare(t, &args->x, "x", INPUT, dtype, shape, CONTIGUOUS);
    struct operand *dy = declare(t, &args->dy, "dy", INPUT, dtype, shape, CONTIGUOUS);
    draw_end(t, &args->activation);
    if (draw_chance(t, 0.5)) {
        struct operand *y = declare(t, &args->y, "y", INPUT, dtype, shape, CONTIGUOUS);
        set_range(t, y, -1, 7);
        for (int64_t i = 0; i < y->count; i++) /* as the activation leaves them */
            y->values[i] = y->values[i] < 0 ? 0 : y->values[i] > 6 ? 6 : y->values[i];
    }
    bool taken = draw_chance(t, 0.2); /* the place of dy */
    if (taken)
        declare_same(t, &args->dresidual, "dresidual", dy);
    else if (draw_chance(t, 0.4))
        declare(t, &args->dresidual, "dresidual", OUTPUT, dtype, shape, CONTIGUOUS);
    if (draw_chance(t, 0.5))
        declare(t, &args->shift, "shift", INPUT, URSA_F32, SHAPE(channels), CONTIGUOUS);
    if (draw_chance(t, 0.7))
        declare(t, &args->scale, "scale", INPUT, URSA_F32, SHAPE(channels), CONTIGUOUS);
    declare(t, &args->mean, "mean", INPUT, URSA_F32, SHAPE(channels), CONTIGUOUS);
    set_range(t, declare(t, &args->inv_std, "inv_std", INPUT, URSA_F32, SHAPE(channels), CONTIGUOUS), 0.2, 3);
    if (!taken && draw_chance(t, 0.3))
        declare_same(t, &args->dx, "dx", dy);
    else if (draw_chance(t, 0.8))
        declare(t, &args->dx, "dx", OUTPUT, dtype, shape, CONTIGUOUS);
    if (draw_chance(t, 0.7))
        declare(t, &args->dscale, "dscale", OUTPUT, URSA_F32, SHAPE(channels), CONTIGUOUS);
    if (draw_chance(t, 0.7))
        declare(t, &args->dshift, "dshift", OUTPUT, URSA_F32, SHAPE(channels), CONTIGUOUS);
}

/* What passes of dy; and in `off` dy where rounding may decide that, since the
 * output, computed again, is nearly at a bound of the activation. */
static double passing(struct trial *t, const struct ursa_batch_norm_grad_args *args, int64_t i, int64_t c, double *off)
{
    double dy = values_of(t, "dy")[i], mean = values_of(t, "mean")[c], x = values_of(t, "x")[i];
    double factor = values_of(t, "inv_std")[c] * or_else(values_of(t, "scale"), c, 1);
    double shift = or_else(values_of(t, "shift"), c, 0), again = (x - mean) * factor + shift;
    double unsure = values_of(t, "y") ? 0 : 6 * U * ((fabs(x) + fabs(mean)) * fabs(factor) + fabs(shift));
    double y = or_else(values_of(t, "y"), i, again);
    bool six = args->activation.kind == URSA_UNARY_relu6;
    *off = 0;
    if (!args->activation.used)
        return dy;
    if (fabs(y) < unsure || (six && fabs(y - 6) < unsure))
        *off = fabs(dy);
    return y > 0 && (!six || y < 6) ? dy : 0;
}

void bound_batch_norm_grad(struct trial *t, const struct ursa_batch_norm_grad_args *args)
{
    struct operand *like = operand_named(t, "x");
    int64_t channels = like->array.shape[like->array.ndim - 1], rows = channels ? like->count / channels : 0;
    const double *x = values_of(t, "x"), *scale = values_of(t, "scale");
    double *of_dx = tolerance_of(t, "dx"), *of_dscale = tolerance_of(t, "dscale");
    double *of_dshift = tolerance_of(t, "dshift"), *of_dresidual = tolerance_of(t, "dresidual");
    for (int64_t c = 0; c < channels; c++) {
        double mean = values_of(t, "mean")[c], inv_std = values_of(t, "inv_std")[c];
        double sum = 0, product = 0, sum_off = 0, product_off = 0;
        for (int64_t i = c; i < rows * channels; i += channels) {
            double spread = (fabs(x[i]) + fabs(mean)) * inv_std, off, g = passing(t, args, i, c, &off);
            sum += g, product += g * (x[i] - mean) * inv_std;
            sum_off += sum_error(rows) * fabs(g) + off;
            product_off += (sum_error(rows) + 4 * U) * fabs(g) * spread + off * spread;
            if (of_dresidual)
                of_dresidual[i] = off;
        }
        if (of_dscale)
            of_dscale[c] = product_off;
        if (of_dshift)
            of_dshift[c] = sum_off;
        for (int64_t i = c; of_dx && i < rows * channels; i += channels) {
            double spread = (fabs(x[i]) + fabs(mean)) * inv_std, n = (double)rows, factor = inv_std;
            double off, g = passing(t, args, i, c, &off);
            factor *= fabs(or_else(scale, c, 1));
            of_dx[i] = factor * (3 * U * fabs(g) + off);
            if (args->training)
                of_dx[i] += factor * ((sum_off + spread * product_off) / n +
                                      5 * U * (fabs(sum) + spread * fabs(product)) / n + 2 * U * fabs(g));
        }
    }
}

/* ---- group normalisation ---------------------------------------------------- */

static struct shape draw_groups(struct trial *t, int *groups)
{
    int64_t kind = draw_below(t, 3);
    struct shape shape = draw_shape_of(t, 3, 3, 3000, 200000);
    if (kind == 0) { /* layer norm */
        *groups = 1;
        shape.dim[0] *= shape.dim[1];
        shape.dim[1] = 1;
    } else if (kind == 1) { /* instance norm */
        *groups = (int)(shape.dim[2] > 0 ? shape.dim[2] : 1);
    } else {
        *groups = (int)draw_between(t, 1, 6);
        shape.dim[2] = (shape.dim[2] + *groups - 1) / *groups * *groups;
    }
    for (int axis = 1; axis < 3; axis++) /* groups are never empty, though there may be none */
        if (shape.dim[axis] == 0)
            shape.dim[axis] = *groups;
    return shape;
}

/* Calls for every element of a group, [first, ...) in rows of `width`. */
struct group {
    int64_t first, rows, stride, width, channel;
};

static struct group group_of(const ursa_array *x, int groups, int64_t k)
{
    int64_t width = x->shape[2] / groups, n = k / groups, g = k % groups;
    return (struct group){n * x->shape[1] * x->shape[2] + g * width, x->shape[1], x->shape[2], width, g * width};
}

static int64_t in_group(struct group g, int64_t i)
{
    return g.first + i / g.width * g.stride + i % g.width;
}

void draw_group_norm(struct trial *t, struct ursa_group_norm_args *args)
{
    ursa_dtype dtype = draw_float_type(t);
    struct shape shape = draw_groups(t, &args->groups);
    args->eps = draw_chance(t, 0.5) ? 1e-5f : 1e-3f;
    note(t, "groups %d eps %g", args->groups, (double)args->eps);
    struct operand *x = declare(t, &args->x, "x", INPUT, dtype, shape, CONTIGUOUS);
    double away = draw_chance(t, 0.3) ? draw_uniform(t, -20, 20) : 0;
    for (int64_t i = 0; i < x->count; i++)
        x->values[i] += away;
    if (draw_chance(t, 0.7))
        declare(t, &args->scale, "scale", INPUT, URSA_F32, SHAPE(shape.dim[2]), CONTIGUOUS);
    if (draw_chance(t, 0.7))
        declare(t, &args->shift, "shift", INPUT, URSA_F32, SHAPE(shape.dim[2]), CONTIGUOUS);
    declare(t, &args->out, "out", OUTPUT, dtype, shape, CONTIGUOUS);
    declare(t, &args->mean, "mean", OUTPUT, URSA_F32, SHAPE(shape.dim[0], args->groups), CONTIGUOUS);
    declare(t, &args->inv_std, "inv_std", OUTPUT, URSA_F32, SHAPE(shape.dim[0], args->groups), CONTIGUOUS);
}

void bound_group_norm(struct trial *t, const struct ursa_group_norm_args *args)
{
    struct operand *out = operand_named(t, "out"), *means = operand_named(t, "mean");
    const double *x = values_of(t, "x"), *scale = values_of(t, "scale"), *shift = values_of(t, "shift");
    double *tolerance = tolerance_of(t, "out"), *of_mean = tolerance_of(t, "mean");
    double *of_inv_std = tolerance_of(t, "inv_std"), eps = (double)args->eps;
    for (int64_t k = 0; k < means->count; k++) {
        struct group g = group_of(&out->array, args->groups, k);
        int64_t n = g.rows * g.width;
        double mean = means->expected[k], inv_std = expected_of(t, "inv_std")[k], magnitude = 0;
        for (int64_t i = 0; i < n; i++)
            magnitude += fabs(x[in_group(g, i)]) / (double)n;
        double var = 1 / (inv_std * inv_std) - eps, mean_off = mean_error(magnitude, n);
        double inv_std_off = inv_std_error(t, var < 0 ? 0 : var, eps, magnitude, mean_off, n);
        of_mean[k] = mean_off;
        of_inv_std[k] = inv_std_off * inv_std;
        for (int64_t i = 0; i < n; i++) {
            int64_t at = in_group(g, i), c = g.channel + i % g.width;
            tolerance[at] = fabs(or_else(scale, c, 1)) * (normal_error(x[at], mean, inv_std, mean_off, inv_std_off) +
                                                          2 * U * fabs(x[at] - mean) * inv_std) +
                            2 * U * fabs(or_else(shift, c, 0));
        }
    }
}

void draw_group_norm_grad(struct trial *t, struct ursa_group_norm_grad_args *args)
{
    ursa_dtype dtype = draw_float_type(t);
    struct shape shape = draw_groups(t, &args->groups);
    note(t, "groups %d", args->groups);
    struct shape statistics = SHAPE(shape.dim[0], args->groups);
    declare(t, &args->x, "x", INPUT, dtype, shape, CONTIGUOUS);
    declare(t, &args->dy, "dy", INPUT, dtype, shape, CONTIGUOUS);
    if (draw_chance(t, 0.7))
        declare(t, &args->scale, "scale", INPUT, URSA_F32, SHAPE(shape.dim[2]), CONTIGUOUS);
    declare(t, &args->mean, "mean", INPUT, URSA_F32, statistics, CONTIGUOUS);
    set_range(t, declare(t, &args->inv_std, "inv_std", INPUT, URSA_F32, statistics, CONTIGUOUS), 0.2, 3);
    declare(t, &args->dx, "dx", OUTPUT, dtype, shape, CONTIGUOUS);
    if (draw_chance(t, 0.7))
        declare(t, &args->dscale, "dscale", OUTPUT, URSA_F32, SHAPE(shape.dim[2]), CONTIGUOUS);
    if (draw_chance(t, 0.7))
        declare(t, &args->dshift, "dshift", OUTPUT, URSA_F32, SHAPE(shape.dim[2]), CONTIGUOUS);
}

void bound_group_norm_grad(struct trial *t, const struct ursa_group_norm_grad_args *args)
{
    struct operand *like = operand_named(t, "x"), *means = operand_named(t, "mean");
    const double *x = values_of(t, "x"), *dy = values_of(t, "dy"), *scale = values_of(t, "scale");
    double *of_dx = tolerance_of(t, "dx"), *of_dscale = tolerance_of(t, "dscale");
    double *of_dshift = tolerance_of(t, "dshift");
    int64_t per_channel = like->array.shape[0] * like->array.shape[1];
    for (int64_t k = 0; k < means->count; k++) {
        struct group g = group_of(&like->array, args->groups, k);
        int64_t n = g.rows * g.width;
        double mean = means->values[k], inv_std = values_of(t, "inv_std")[k];
        double sum = 0, product = 0, sum_off = 0, product_off = 0;
        for (int64_t i = 0; i < n; i++) {
            int64_t at = in_group(g, i), c = g.channel + i % g.width;
            double spread = (fabs(x[at]) + fabs(mean)) * inv_std, scaled = dy[at] * or_else(scale, c, 1);
            sum += scaled, product += scaled * (x[at] - mean) * inv_std;
            sum_off += (sum_error(n) + U) * fabs(scaled);
            product_off += (sum_error(n) + 5 * U) * fabs(scaled) * spread;
            if (of_dscale)
                of_dscale[c] += (sum_error(per_channel) + 4 * U) * fabs(dy[at]) * spread;
            if (of_dshift)
                of_dshift[c] += sum_error(per_channel) * fabs(dy[at]);
        }
        for (int64_t i = 0; i < n; i++) {
            int64_t at = in_group(g, i), c = g.channel + i % g.width;
            double spread = (fabs(x[at]) + fabs(mean)) * inv_std, scaled = fabs(dy[at] * or_else(scale, c, 1));
            of_dx[at] = inv_std * (5 * U * scaled + (sum_off + spread * product_off) / (double)n +
                                   5 * U * (fabs(sum) + spread * fabs(product)) / (double)n);
        }
    }
}
