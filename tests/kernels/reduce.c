/* reduce.c — trials of reductions, running sums, sorting and softmax. */
#include "trial.h"
#include <math.h>
#include <stdlib.h>

static struct shape draw_reduced(struct trial *t, struct shape shape)
{
    bool all = draw_chance(t, 0.25);
    for (int axis = 0; axis < shape.ndim; axis++)
        if (all || draw_chance(t, 0.5))
            shape.dim[axis] = 1;
    return shape;
}

static int64_t terms_of(struct trial *t, const char *from, const char *to)
{
    int64_t results = operand_named(t, to)->count;
    return results ? operand_named(t, from)->count / results : 0;
}

void draw_reduce(struct trial *t, struct ursa_reduce_args *args)
{
    static const char *const names[] = {"sum", "mean", "prod", "min", "max", "l1", "l2"};
    args->kind = (ursa_reduce_kind)(t->number % URSA_REDUCE_COUNT);
    t->integers = draw_chance(t, 0.4);
    struct shape shape = draw_shape(t, 0, 5);
    ursa_dtype dtype = draw_number_type(t);
    bool integer_kind = args->kind == URSA_REDUCE_SUM || args->kind == URSA_REDUCE_PROD ||
                        args->kind == URSA_REDUCE_MIN || args->kind == URSA_REDUCE_MAX;
    if (!ursa_dtype_is_float(dtype) && (!integer_kind || shape_count(shape) == 0))
        dtype = URSA_F32; /* integers have no infinity for an empty minimum */
    note(t, "%s%s", names[args->kind], t->integers ? ", whole numbers" : "");
    struct operand *x = declare(t, &args->x, "x", INPUT, dtype, shape, BROADCAST);
    if (args->kind == URSA_REDUCE_PROD && x->values) /* neither overflows nor vanishes */
        for (int64_t i = 0; i < x->count; i++)
            x->values[i] = draw_chance(t, 0.5) ? 1 : draw_chance(t, 0.9) ? -1 : draw_uniform(t, 0.9, 1.1);
    if ((args->kind == URSA_REDUCE_MIN || args->kind == URSA_REDUCE_MAX) && x->values && x->count > 0 &&
        draw_chance(t, 0.3))
        x->values[draw_below(t, x->count)] = draw_chance(t, 0.5) ? NAN : INFINITY;
    ursa_dtype result = ursa_dtype_is_float(dtype) && draw_chance(t, 0.3) ? URSA_F32 : dtype;
    declare(t, &args->out, "out", OUTPUT, result, draw_reduced(t, shape), CONTIGUOUS);
}

void bound_reduce(struct trial *t, const struct ursa_reduce_args *args)
{
    struct operand *out = operand_named(t, "out");
    bool exact = (t->integers && (args->kind == URSA_REDUCE_SUM || args->kind == URSA_REDUCE_L1)) ||
                 args->kind == URSA_REDUCE_MIN || args->kind == URSA_REDUCE_MAX;
    if (!out->expected || exact || !measure(t, args))
        return;
    double *tolerance = tolerance_of(t, "out");
    int64_t n = terms_of(t, "x", "out");
    for (int64_t i = 0; i < out->count; i++) {
        double factor = args->kind == URSA_REDUCE_L2     ? sum_error(n + 1) / 2 + (t->libm_is_tight ? 1 : 6) * U
                        : args->kind == URSA_REDUCE_MEAN ? sum_error(n) + 3 * U
                        : args->kind == URSA_REDUCE_PROD ? (double)n * U /* every rounding may go the same way */
                                                         : sum_error(n);
        tolerance[i] = factor * out->magnitude[i];
    }
}

void draw_moments(struct trial *t, struct ursa_moments_args *args)
{
    struct shape shape = draw_shape(t, 1, 5), reduced;
    do
        reduced = draw_reduced(t, shape);
    while (shape_count(reduced) == shape_count(shape) && draw_chance(t, 0.8));
    ursa_dtype dtype = draw_float_type(t);
    args->correction = (int)draw_below(t, 2);
    note(t, "correction %d", args->correction);
    struct operand *x = declare(t, &args->x, "x", INPUT, dtype, shape, BROADCAST);
    double mean = draw_chance(t, 0.3) ? draw_uniform(t, -100, 100) : 0; /* one pass of squares would show */
    for (int64_t i = 0; i < x->count; i++)
        x->values[i] += mean;
    int which = (int)draw_below(t, 3);
    if (which != 1)
        declare(t, &args->mean, "mean", OUTPUT, dtype, reduced, CONTIGUOUS);
    if (which != 2)
        declare(t, &args->var, "var", OUTPUT, dtype, reduced, CONTIGUOUS);
}

/* The mean as a sum. The variance by two passes or Welford's: relative error
 * n U κ with κ² = 1 + mean² / var (Chan, Golub and LeVeque, "Algorithms for
 * computing the sample variance", 1983). */
void bound_moments(struct trial *t, const struct ursa_moments_args *args)
{
    struct operand *x = operand_named(t, "x"), *mean = operand_named(t, "mean"), *var = operand_named(t, "var");
    struct operand *like = mean ? mean : var;
    int64_t n = like->count ? x->count / like->count : 0;
    double largest = 0, *mean_tolerance = tolerance_of(t, "mean"), *var_tolerance = tolerance_of(t, "var");
    for (int64_t i = 0; i < x->count; i++)
        largest = fmax(largest, fabs(x->values[i]));
    double mean_error = (sum_error(n) + 3 * U) * largest;
    for (int64_t i = 0; i < like->count; i++) {
        if (mean)
            mean_tolerance[i] = mean_error;
        if (!var)
            continue;
        double value = var->expected[i];
        double condition = value > 0 ? sqrt(1 + largest * largest / value) : 0;
        var_tolerance[i] = isfinite(value)
                               ? (sum_error(n + 2) + 6 * U) * value * condition + 4 * mean_error * mean_error +
                                     2 * mean_error * (n <= 2 ? sqrt(value) : 0)
                               : 0;
    }
    (void)args;
}

static struct operand *declare_ties(struct trial *t, ursa_array *array, ursa_dtype dtype, struct shape shape)
{
    t->integers = draw_chance(t, 0.6);
    struct operand *x = declare(t, array, "x", INPUT, dtype, shape, BROADCAST);
    if (x->values && x->count > 0 && draw_chance(t, 0.4))
        for (int k = 0; k < 3; k++)
            x->values[draw_below(t, x->count)] = k < 2 ? NAN : -INFINITY;
    return x;
}

void draw_arg_reduce(struct trial *t, struct ursa_arg_reduce_args *args)
{
    struct shape shape = draw_shape(t, 1, 4);
    args->axis = (int)draw_below(t, shape.ndim);
    if (shape.dim[args->axis] == 0)
        shape.dim[args->axis] = 1;
    args->max = draw_chance(t, 0.5);
    note(t, "%s axis %d", args->max ? "max" : "min", args->axis);
    declare_ties(t, &args->x, draw_number_type(t), shape);
    shape.dim[args->axis] = 1;
    declare(t, &args->out, "out", OUTPUT, URSA_I64, shape, CONTIGUOUS);
}

void bound_arg_reduce(struct trial *t, const struct ursa_arg_reduce_args *args)
{
    (void)t, (void)args;
}

void draw_cumsum(struct trial *t, struct ursa_cumsum_args *args)
{
    struct shape shape = draw_shape(t, 1, 4);
    args->axis = (int)draw_below(t, shape.ndim);
    args->reverse = draw_chance(t, 0.4);
    t->integers = draw_chance(t, 0.4);
    note(t, "axis %d%s%s", args->axis, args->reverse ? " reverse" : "", t->integers ? ", whole numbers" : "");
    ursa_dtype dtype = draw_number_type(t);
    declare(t, &args->x, "x", INPUT, dtype, shape, BROADCAST);
    declare(t, &args->out, "out", OUTPUT, dtype, shape, CONTIGUOUS);
}

void bound_cumsum(struct trial *t, const struct ursa_cumsum_args *args)
{
    struct operand *out = operand_named(t, "out");
    if (!out->expected || t->integers || !measure(t, args))
        return;
    double *tolerance = tolerance_of(t, "out");
    double error = sum_error(out->array.shape[args->axis]);
    for (int64_t i = 0; i < out->count; i++)
        tolerance[i] = error * out->magnitude[i];
}

void draw_sort(struct trial *t, struct ursa_sort_args *args)
{
    struct shape shape = draw_shape_of(t, 1, 4, 2000, 20000);
    args->axis = (int)draw_below(t, shape.ndim);
    args->descending = draw_chance(t, 0.5);
    ursa_dtype dtype = draw_number_type(t);
    declare_ties(t, &args->x, dtype, shape);
    if (draw_chance(t, 0.5))
        shape.dim[args->axis] = draw_between(t, 0, shape.dim[args->axis]);
    int which = (int)draw_below(t, 3);
    note(t, "axis %d%s, the first %lld", args->axis, args->descending ? " descending" : "",
         (long long)shape.dim[args->axis]);
    if (which != 1)
        declare(t, &args->values, "values", OUTPUT, dtype, shape, CONTIGUOUS);
    if (which != 2)
        declare(t, &args->indices, "indices", OUTPUT, URSA_I64, shape, CONTIGUOUS);
}

void bound_sort(struct trial *t, const struct ursa_sort_args *args)
{
    (void)t, (void)args;
}

/* ---- softmax -------------------------------------------------------------- */

void draw_softmax(struct trial *t, struct ursa_softmax_args *args)
{
    struct shape shape = draw_shape_of(t, 1, 4, 2000, 100000);
    args->axis = (int)draw_below(t, shape.ndim);
    args->log = draw_chance(t, 0.5);
    note(t, "axis %d%s", args->axis, args->log ? " log" : "");
    ursa_dtype dtype = draw_float_type(t);
    struct operand *x = declare(t, &args->x, "x", INPUT, dtype, shape, CONTIGUOUS);
    double range = draw_chance(t, 0.3) ? 60 : 4;
    set_range(t, x, -range, range);
    if (draw_chance(t, 0.3))
        declare_same(t, &args->out, "out", x);
    else
        declare(t, &args->out, "out", OUTPUT, dtype, shape, CONTIGUOUS);
}

/* Calls `line` with the elements of every line along an axis. */
struct line {
    int64_t first, step, extent;
};

static int64_t lines_along(const ursa_array *array, int axis, int64_t k, struct line *line)
{
    int64_t inner = 1, outer = 1;
    for (int i = axis + 1; i < array->ndim; i++)
        inner *= array->shape[i];
    for (int i = 0; i < axis; i++)
        outer *= array->shape[i];
    *line = (struct line){inner ? k / inner * array->shape[axis] * inner + k % inner : 0, inner, array->shape[axis]};
    return outer * inner;
}

/* x - max is rounded, which exp multiplies by |x - max|; the sum adds the
 * average of those errors and its own. */
void bound_softmax(struct trial *t, const struct ursa_softmax_args *args)
{
    struct operand *out = operand_named(t, "out");
    const double *x = values_of(t, "x");
    double *tolerance = tolerance_of(t, "out"), exp_u = t->libm_is_tight ? 2 : 6, log_u = exp_u;
    struct line line;
    for (int64_t k = 0; out->count > 0 && k < lines_along(&out->array, args->axis, k, &line); k++) {
        double largest = -INFINITY, sum = 0, distance = 0;
        for (int64_t i = 0; i < line.extent; i++)
            largest = fmax(largest, x[line.first + i * line.step]);
        for (int64_t i = 0; i < line.extent; i++) {
            double d = largest - x[line.first + i * line.step];
            sum += exp(-d);
            distance += d * exp(-d);
        }
        double sum_relative = U * (distance / sum + exp_u) + sum_error(line.extent);
        for (int64_t i = 0; i < line.extent; i++) {
            int64_t at = line.first + i * line.step;
            double d = largest - x[at], y = fabs(out->expected[at]);
            tolerance[at] = args->log ? U * (d + 2 * fabs(largest) + (log_u + 2) * log(sum) + y) + sum_relative
                                      : y * (U * (d + exp_u + (t->libm_is_tight ? 2 : 7)) + sum_relative);
        }
    }
}

void draw_softmax_grad(struct trial *t, struct ursa_softmax_grad_args *args)
{
    struct shape shape = draw_shape_of(t, 1, 4, 2000, 100000);
    args->axis = (int)draw_below(t, shape.ndim);
    args->log = draw_chance(t, 0.5);
    note(t, "axis %d%s", args->axis, args->log ? " log" : "");
    ursa_dtype dtype = draw_float_type(t);
    struct operand *y = declare(t, &args->y, "y", INPUT, dtype, shape, CONTIGUOUS);
    set_range(t, y, args->log ? -6 : 0, args->log ? 0 : 1);
    struct operand *dy = declare(t, &args->dy, "dy", INPUT, dtype, shape, CONTIGUOUS);
    if (draw_chance(t, 0.3))
        declare_same(t, &args->dx, "dx", dy);
    else
        declare(t, &args->dx, "dx", OUTPUT, dtype, shape, CONTIGUOUS);
}

void bound_softmax_grad(struct trial *t, const struct ursa_softmax_grad_args *args)
{
    struct operand *dx = operand_named(t, "dx");
    const double *y = values_of(t, "y"), *dy = values_of(t, "dy");
    double *tolerance = tolerance_of(t, "dx"), exp_u = t->libm_is_tight ? 2 : 6;
    struct line line;
    for (int64_t k = 0; dx->count > 0 && k < lines_along(&dx->array, args->axis, k, &line); k++) {
        double sum = 0, magnitude = 0;
        for (int64_t i = 0; i < line.extent; i++) {
            int64_t at = line.first + i * line.step;
            double term = dy[at] * (args->log ? 1 : y[at]);
            sum += term;
            magnitude += fabs(term);
        }
        double error = sum_error(line.extent + 1) * magnitude;
        for (int64_t i = 0; i < line.extent; i++) {
            int64_t at = line.first + i * line.step;
            double factor = args->log ? exp(y[at]) : 1, scale = args->log ? 1 : fabs(y[at]);
            tolerance[at] = scale * (factor * (error + (exp_u + 1) * U * fabs(sum)) + U * (fabs(dy[at]) + fabs(sum)) +
                                     U * fabs(dy[at] - factor * sum));
        }
    }
}
