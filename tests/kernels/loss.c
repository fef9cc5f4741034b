/* loss.c — trials of cross-entropy and the elementwise losses. */
#include "trial.h"
#include <math.h>

/* ---- cross-entropy ---------------------------------------------------------- */

static const int64_t ignored_class = -100;

static void draw_rows(struct trial *t, struct shape *shape)
{
    *shape = draw_shape_of(t, 2, 2, 2000, 100000);
    if (shape->dim[1] == 0)
        shape->dim[1] = 1;
}

static void draw_classes(struct trial *t, struct operand *classes, int64_t limit)
{
    t->index_limit = limit;
    for (int64_t i = 0; i < classes->count; i++)
        classes->integers[i] = draw_chance(t, 0.15) ? ignored_class : draw_below(t, limit);
}

void draw_cross_entropy(struct trial *t, struct ursa_cross_entropy_args *args)
{
    struct shape shape;
    draw_rows(t, &shape);
    args->ignore = ignored_class;
    args->smoothing = draw_chance(t, 0.5) ? 0 : draw_float(t, 0, 0.5);
    note(t, "smoothing %.9g ignore %lld", (double)args->smoothing, (long long)args->ignore);
    double range = draw_chance(t, 0.3) ? 60 : 4;
    set_range(t, declare(t, &args->x, "x", INPUT, URSA_F32, shape, CONTIGUOUS), -range, range);
    draw_classes(t, declare(t, &args->classes, "classes", INPUT, URSA_I64, SHAPE(shape.dim[0]), CONTIGUOUS),
                 shape.dim[1]);
    if (draw_chance(t, 0.5))
        set_range(t, declare(t, &args->weight, "weight", INPUT, URSA_F32, SHAPE(shape.dim[1]), CONTIGUOUS), 0.1, 3);
    declare(t, &args->loss, "loss", OUTPUT, URSA_F32, SHAPE(shape.dim[0]), CONTIGUOUS);
    declare(t, &args->row_weight, "row_weight", OUTPUT, URSA_F32, SHAPE(shape.dim[0]), CONTIGUOUS);
    declare(t, &args->log_sum, "log_sum", OUTPUT, URSA_F32, SHAPE(shape.dim[0]), CONTIGUOUS);
}

static double target(const double *weight, double smoothing, int64_t class, int64_t c, int64_t classes)
{
    return ((1 - smoothing) * (c == class) + smoothing / (double)classes) * (weight ? weight[c] : 1);
}

/* max + log Σ exp(x - max), as in softmax. */
static double log_sum_error(const struct trial *t, const double *x, int64_t classes)
{
    double largest = -INFINITY, sum = 0, distance = 0, libm = t->libm_is_tight ? 2 : 6;
    for (int64_t c = 0; c < classes; c++)
        largest = fmax(largest, x[c]);
    for (int64_t c = 0; c < classes; c++) {
        double d = largest - x[c];
        sum += exp(-d);
        distance += d * exp(-d);
    }
    return U * (distance / sum + libm + libm * log(sum) + fabs(largest) + log(sum)) + sum_error(classes);
}

void bound_cross_entropy(struct trial *t, const struct ursa_cross_entropy_args *args)
{
    struct operand *x = operand_named(t, "x"), *log_sum = operand_named(t, "log_sum");
    const double *weight = values_of(t, "weight");
    const int64_t *classes = operand_named(t, "classes")->integers;
    double *of_loss = tolerance_of(t, "loss"), *of_log_sum = tolerance_of(t, "log_sum");
    int64_t columns = x->array.shape[1];
    for (int64_t m = 0; m < log_sum->count; m++) {
        double error = log_sum_error(t, x->values + m * columns, columns), spread = 0;
        of_log_sum[m] = error;
        for (int64_t c = 0; c < columns && classes[m] != args->ignore; c++) {
            double q = target(weight, (double)args->smoothing, classes[m], c, columns);
            double terms = fabs(x->values[m * columns + c]) + fabs(log_sum->expected[m]);
            spread += q * (error + terms * ((args->smoothing > 0 ? sum_error(columns + 2) : 2 * U) + 4 * U));
        }
        of_loss[m] = spread;
    }
}

void draw_cross_entropy_grad(struct trial *t, struct ursa_cross_entropy_grad_args *args)
{
    struct shape shape;
    draw_rows(t, &shape);
    args->ignore = ignored_class;
    args->smoothing = draw_chance(t, 0.5) ? 0 : draw_float(t, 0, 0.5);
    note(t, "smoothing %.9g ignore %lld", (double)args->smoothing, (long long)args->ignore);
    struct operand *x = declare(t, &args->x, "x", INPUT, URSA_F32, shape, CONTIGUOUS);
    set_range(t, x, -5, 5);
    draw_classes(t, declare(t, &args->classes, "classes", INPUT, URSA_I64, SHAPE(shape.dim[0]), CONTIGUOUS),
                 shape.dim[1]);
    if (draw_chance(t, 0.5))
        set_range(t, declare(t, &args->weight, "weight", INPUT, URSA_F32, SHAPE(shape.dim[1]), CONTIGUOUS), 0.1, 3);
    struct operand *log_sum = declare(t, &args->log_sum, "log_sum", INPUT, URSA_F32, SHAPE(shape.dim[0]), CONTIGUOUS);
    for (int64_t m = 0; m < log_sum->count; m++) {
        double sum = 0;
        for (int64_t c = 0; c < shape.dim[1]; c++)
            sum += exp(x->values[m * shape.dim[1] + c]);
        log_sum->values[m] = log(sum);
    }
    declare(t, &args->dloss, "dloss", INPUT, URSA_F32, SHAPE(shape.dim[0]), CONTIGUOUS);
    declare(t, &args->dx, "dx", OUTPUT, URSA_F32, shape, CONTIGUOUS);
}

void bound_cross_entropy_grad(struct trial *t, const struct ursa_cross_entropy_grad_args *args)
{
    struct operand *x = operand_named(t, "x");
    const double *weight = values_of(t, "weight"), *log_sum = values_of(t, "log_sum"), *dloss = values_of(t, "dloss");
    const int64_t *classes = operand_named(t, "classes")->integers;
    double *tolerance = tolerance_of(t, "dx"), exp_u = t->libm_is_tight ? 2 : 6;
    int64_t columns = x->array.shape[1];
    for (int64_t m = 0; m < x->array.shape[0]; m++) {
        double total = 0;
        if (classes[m] == args->ignore)
            continue;
        for (int64_t c = 0; c < columns; c++)
            total += target(weight, (double)args->smoothing, classes[m], c, columns);
        for (int64_t c = 0; c < columns; c++) {
            double distance = fabs(x->values[m * columns + c] - log_sum[m]), softmax = exp(-distance);
            double q = target(weight, (double)args->smoothing, classes[m], c, columns);
            double total_off = weight && args->smoothing > 0 ? sum_error(columns + 3) : 4 * U;
            tolerance[m * columns + c] =
                fabs(dloss[m]) * (softmax * total * (U * (distance + exp_u + 3) + total_off) + 5 * U * q);
        }
    }
}

/* ---- elementwise losses ------------------------------------------------------ */

static const char *const loss_names[] = {
#define URSA_LOSS(name, text) #name,
#include "device/loss.def"
#undef URSA_LOSS
};

static void draw_loss_parameters(struct trial *t, ursa_loss_kind kind, float *a, float *b)
{
    static const float gammas[] = {2, 0, 1, 1.5f, 3};
    *a = 1, *b = 0;
    if (kind == URSA_LOSS_smooth_l1)
        *a = draw_chance(t, 0.2) ? 0 : draw_float(t, 0.1, 2);
    if (kind == URSA_LOSS_huber || kind == URSA_LOSS_bce_logits)
        *a = draw_float(t, 0.1, 3);
    if (kind == URSA_LOSS_focal) {
        *a = draw_chance(t, 0.3) ? -1 : draw_float(t, 0, 1);
        *b = gammas[draw_below(t, 5)];
    }
    note(t, "%s a %.9g b %.9g", loss_names[kind], (double)*a, (double)*b);
}

static void draw_pair(struct trial *t, ursa_loss_kind kind, struct operand *x, struct operand *target)
{
    bool logits = kind == URSA_LOSS_bce_logits || kind == URSA_LOSS_focal, soft = draw_chance(t, 0.4);
    for (int64_t i = 0; i < x->count && logits; i++) {
        x->values[i] = draw_uniform(t, -10, 10);
        target->values[i] = soft ? draw_uniform(t, 0, 1) : (double)draw_below(t, 2);
    }
    for (int64_t i = 0; i < x->count && !logits; i++)
        if (draw_chance(t, 0.05))
            target->values[i] = x->values[i] = 0.5;
}

void draw_loss(struct trial *t, struct ursa_loss_args *args)
{
    args->kind = (ursa_loss_kind)(t->number % URSA_LOSS_COUNT);
    draw_loss_parameters(t, args->kind, &args->a, &args->b);
    struct shape shape = draw_shape_of(t, 0, 4, 2000, 100000);
    struct operand *x = declare(t, &args->x, "x", INPUT, URSA_F32, shape, BROADCAST);
    draw_pair(t, args->kind, x, declare(t, &args->target, "target", INPUT, URSA_F32, shape, BROADCAST));
    declare(t, &args->out, "out", OUTPUT, URSA_F32, shape, CONTIGUOUS);
}

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

/* log1p(exp(-|x|)) and the linear terms may be added up in any form of the
 * formula: relative to what is added. */
static double bce_error(const struct trial *t, double x, double target, double positive)
{
    double libm = t->libm_is_tight ? 4 : 10, log1p_exp = log1p(exp(-fabs(x)));
    double weight = 1 + fabs(positive - 1) * target;
    return U * ((3 + weight * 3) * fabs(x) + weight * log1p_exp * (libm + 3));
}

struct focal {
    double bce, bce_off, miss, miss_off, power, power_off, balance;
};

/* 1 - p_t may come from a subtraction, off by U or so in absolute terms; the
 * power multiplies its relative error by b. */
static struct focal focal_of(const struct trial *t, double x, double target, double a, double b)
{
    struct focal f;
    double libm = t->libm_is_tight ? 2 : 32;
    f.bce = target * log1p(exp(-x)) + (1 - target) * log1p(exp(x));
    f.bce_off = bce_error(t, x, target, 1);
    f.miss = target * sigmoid(-x) + (1 - target) * sigmoid(x);
    f.miss_off = 8 * U;
    f.power = pow(f.miss, b);
    f.power_off = b == 0 ? 0 : b * pow(f.miss + f.miss_off, b - 1) * f.miss_off + libm * U * f.power;
    f.balance = a < 0 ? 1 : a * target + (1 - a) * (1 - target);
    return f;
}

static double loss_error(const struct trial *t, ursa_loss_kind kind, double x, double target, double a, double b,
                         double y)
{
    double size = fabs(x - target);
    switch (kind) {
    case URSA_LOSS_bce_logits:
        return bce_error(t, x, target, a);
    case URSA_LOSS_focal: {
        struct focal f = focal_of(t, x, target, a, b);
        double balance_off = a < 0 ? 0 : 4 * U;
        return f.balance * (f.bce_off * f.power + f.bce * f.power_off + 3 * U * y) + balance_off * f.bce * f.power;
    }
    case URSA_LOSS_huber:
        return 5 * U * a * (size + a);
    case URSA_LOSS_smooth_l1:
        return 5 * U * (y + a);
    default:
        return 4 * U * y;
    }
}

void bound_loss(struct trial *t, const struct ursa_loss_args *args)
{
    struct operand *out = operand_named(t, "out");
    const double *x = values_of(t, "x"), *target = values_of(t, "target");
    double *tolerance = tolerance_of(t, "out");
    for (int64_t i = 0; i < out->count; i++)
        tolerance[i] = loss_error(t, args->kind, x[i], target[i], (double)args->a, (double)args->b, out->expected[i]);
}

void draw_loss_grad(struct trial *t, struct ursa_loss_grad_args *args)
{
    args->kind = (ursa_loss_kind)(t->number % URSA_LOSS_COUNT);
    draw_loss_parameters(t, args->kind, &args->a, &args->b);
    struct shape shape = draw_shape_of(t, 0, 4, 2000, 100000);
    struct operand *x = declare(t, &args->x, "x", INPUT, URSA_F32, shape, BROADCAST);
    draw_pair(t, args->kind, x, declare(t, &args->target, "target", INPUT, URSA_F32, shape, BROADCAST));
    declare(t, &args->dout, "dout", INPUT, URSA_F32, shape, BROADCAST);
    declare(t, &args->dx, "dx", OUTPUT, URSA_F32, shape, CONTIGUOUS);
}

static double loss_slope_error(const struct trial *t, ursa_loss_kind kind, double x, double target, double a, double b,
                               double slope)
{
    double size = fabs(slope), sigmoid_u = t->libm_is_tight ? 5 : 13;
    switch (kind) {
    case URSA_LOSS_bce_logits: /* σ(x) - t cancels */
        return U * sigmoid_u * (1 + a) + 2 * U * size;
    case URSA_LOSS_focal: {
        struct focal f = focal_of(t, x, target, a, b);
        double by_x = (1 - 2 * target) * sigmoid(x) * sigmoid(-x),
               by_x_off = 2 * sigmoid_u * U * fabs(by_x) + 8 * U * sigmoid(x) * fmin(1, sigmoid(-x) + 8 * U);
        double bce_slope = fabs((1 - target) * sigmoid(x) - target * sigmoid(-x));
        double lower = b == 0 ? 0 : b * pow(f.miss, b - 1);
        double lower_off =
            b == 0 || b == 1
                ? 0
                : b * fabs(b - 1) * pow(f.miss + (b < 2 ? 0 : f.miss_off), b - 2) * f.miss_off + 32 * U * lower;
        double first = sigmoid_u * U * f.power + bce_slope * f.power_off;
        double second = f.bce_off * lower * fabs(by_x) + f.bce * (lower_off * fabs(by_x) + lower * by_x_off);
        double terms = bce_slope * f.power + f.bce * lower * fabs(by_x);
        return f.balance * (first + second + 6 * U * terms) + (a < 0 ? 0 : 4 * U) * terms;
    }
    default:
        return 4 * U * size;
    }
}

void bound_loss_grad(struct trial *t, const struct ursa_loss_grad_args *args)
{
    struct operand *dx = operand_named(t, "dx");
    const double *x = values_of(t, "x"), *target = values_of(t, "target"), *dout = values_of(t, "dout");
    double *tolerance = tolerance_of(t, "dx"), a = (double)args->a, b = (double)args->b;
    for (int64_t i = 0; i < dx->count; i++) {
        double slope = dout[i] != 0 ? dx->expected[i] / dout[i] : 0;
        tolerance[i] = fabs(dout[i]) * loss_slope_error(t, args->kind, x[i], target[i], a, b, slope);
    }
}
