/* products.c — trials of the matrix product and the convolutions. */
#include "trial.h"
#include <math.h>

/* Multiplications that a device which interprets them has time for. */
enum { SMALL_BUDGET = 8000 };

static void draw_activation(struct trial *t, ursa_activation *activation)
{
    static const ursa_unary_kind kinds[] = {URSA_UNARY_relu, URSA_UNARY_relu,       URSA_UNARY_sigmoid,
                                            URSA_UNARY_tanh, URSA_UNARY_leaky_relu, URSA_UNARY_gelu,
                                            URSA_UNARY_silu, URSA_UNARY_affine};
    if (draw_chance(t, 0.6))
        return;
    *activation = (ursa_activation){true, t->integers ? URSA_UNARY_relu : kinds[draw_below(t, 8)], 0.125f, 0.5f};
    note(t, ", then %s", unary_name(activation->kind));
}

/* The types of both factors and of the output: floats, halves, or floats and
 * halves in any mix. */
struct mix {
    ursa_dtype x, y, out;
};

static struct mix draw_mix(struct trial *t)
{
    struct mix mix = {URSA_F32, URSA_F32, URSA_F32};
    if (draw_chance(t, 0.5))
        return mix;
    ursa_dtype half = draw_chance(t, 0.5) ? URSA_F16 : URSA_BF16;
    bool pure = draw_chance(t, 0.4);
    mix.x = pure || draw_chance(t, 0.7) ? half : URSA_F32;
    mix.y = pure || draw_chance(t, 0.5) ? half : URSA_F32;
    mix.out = pure || draw_chance(t, 0.6) ? half : URSA_F32;
    return mix;
}

/* ---- gemm ----------------------------------------------------------------- */

/* A batch of matrices: rows or columns next to each other, perhaps with a gap
 * between them, the batch outermost, in between, or the same matrix again. */
static void declare_matrices(struct trial *t, ursa_array *array, const char *name, ursa_dtype dtype, int64_t batch,
                             int64_t rows, int64_t columns)
{
    struct operand *o = declare(t, array, name, INPUT, dtype, SHAPE(batch, rows, columns), CONTIGUOUS);
    bool transposed = draw_chance(t, 0.5);
    int64_t gap = draw_chance(t, 0.3) ? draw_between(t, 1, 9) : 0;
    int64_t line = (transposed ? rows : columns) + gap, lines = transposed ? columns : rows;
    int64_t batch_stride = line * lines, line_stride = line;
    int64_t kind = draw_below(t, 5);
    if (kind == 0)
        batch_stride = 0;
    if (kind == 1) /* the heads of attention: [rows, batch, columns] */
        batch_stride = line, line_stride = line * batch;
    o->array.stride[0] = batch_stride;
    o->array.stride[1] = transposed ? 1 : line_stride;
    o->array.stride[2] = transposed ? line_stride : 1;
    o->total = o->array.offset + line * lines * (batch > 0 ? batch : 1) + 24;
}

void draw_gemm(struct trial *t, struct ursa_gemm_args *args)
{
    static const float alphas[] = {1, 1, 1, -2, 0.5f}, betas[] = {0, 0, 1, -1, 0.5f};
    bool large = draw_chance(t, 0.08);
    int64_t batch = draw_chance(t, 0.6) ? 1 : draw_between(t, 1, 5), limit = large ? 400 : 70;
    int64_t m = draw_extent(t, limit), n = draw_extent(t, limit), k = draw_extent(t, large ? 1100 : 300);
    if (draw_chance(t, 0.05))
        *(int64_t *[]){&m, &n, &k}[draw_below(t, 3)] = 0;
    while (batch * m * n * k > (t->small ? SMALL_BUDGET : large ? 20000000 : 1000000))
        *(m > n ? &m : &n) /= 2;
    t->integers = draw_chance(t, 0.5);
    args->alpha = alphas[draw_below(t, 5)];
    args->beta = betas[draw_below(t, 5)];
    note(t, "alpha %g beta %g%s", (double)args->alpha, (double)args->beta, t->integers ? ", whole numbers" : "");
    draw_activation(t, &args->activation);
    struct mix mix = draw_mix(t);
    declare_matrices(t, &args->x, "x", mix.x, batch, m, k);
    declare_matrices(t, &args->y, "y", mix.y, batch, k, n);
    if (draw_chance(t, 0.5))
        declare(t, &args->bias, "bias", INPUT, URSA_F32, SHAPE(n), CONTIGUOUS);
    declare(t, &args->out, "out", args->beta == 0 ? OUTPUT : INOUT, mix.out, SHAPE(batch, m, n), CONTIGUOUS);
}

/* Every result is a sum of `terms` products, which the trial measured. The
 * reference rounds the factors as the operator does, so that of a half type
 * nothing is left but the rounding of the result, which trial.c allows. */
static void bound_sums(struct trial *t, const char *name, int64_t terms, const ursa_activation *activation)
{
    struct operand *out = operand_named(t, name);
    double *tolerance = tolerance_of(t, name);
    for (int64_t i = 0; i < out->count; i++) {
        double error = sum_error(terms) * out->magnitude[i];
        tolerance[i] = activation_error(t, activation, out->magnitude[i], error, out->expected[i]);
    }
}

void bound_gemm(struct trial *t, const struct ursa_gemm_args *args)
{
    struct ursa_gemm_args absolute = *args;
    absolute.alpha = fabsf(args->alpha);
    absolute.beta = fabsf(args->beta);
    absolute.activation.used = false;
    if (!t->integers && measure(t, &absolute))
        bound_sums(t, "out", operand_named(t, "x")->array.shape[2] + 3, &args->activation);
}

/* ---- convolutions ---------------------------------------------------------- */

struct conv_shapes {
    struct shape x, w, y;
};

static struct conv_shapes draw_conv(struct trial *t, ursa_conv_geometry *g)
{
    struct conv_shapes s = {{4, {0}}, {4, {0}}, {4, {0}}};
    int64_t budget = draw_chance(t, 0.1) ? 8000000 : 600000, cost;
    budget = t->small ? SMALL_BUDGET : budget;
    do {
        int64_t kind = draw_below(t, 4), group_in = draw_extent(t, 40), group_out = draw_extent(t, 40);
        g->groups = kind < 2 ? 1 : (int)draw_extent(t, 24);
        if (kind == 3) /* depthwise */
            group_in = 1, group_out = draw_chance(t, 0.8) ? 1 : 2;
        s.x.dim[0] = s.y.dim[0] = draw_between(t, 1, 3);
        s.x.dim[3] = group_in * g->groups;
        s.w.dim[0] = s.y.dim[3] = group_out * g->groups;
        s.w.dim[3] = group_in;
        for (int axis = 0; axis < 2; axis++) {
            static const int windows[] = {1, 3, 3, 2, 5, 7, 4};
            int window = windows[draw_below(t, 7)], after;
            g->stride[axis] = (int)draw_between(t, 1, draw_chance(t, 0.5) ? 1 : 3);
            g->dilation[axis] = draw_chance(t, 0.8) ? 1 : 2;
            g->pad[axis] = draw_chance(t, 0.6) ? window / 2 : (int)draw_between(t, 0, window);
            after = draw_chance(t, 0.8) ? g->pad[axis] : (int)draw_between(t, 0, window);
            s.w.dim[1 + axis] = window;
            s.x.dim[1 + axis] = draw_extent(t, 33);
            int64_t room = s.x.dim[1 + axis] + g->pad[axis] + after - g->dilation[axis] * (window - 1) - 1;
            s.y.dim[1 + axis] = room < 0 ? 0 : room / g->stride[axis] + 1;
        }
        cost = shape_count(s.y) * s.w.dim[1] * s.w.dim[2] * s.w.dim[3];
    } while (cost == 0 || cost > budget);
    if (draw_chance(t, 0.03))
        s.x.dim[0] = s.y.dim[0] = 0;
    t->integers = draw_chance(t, 0.5);
    note(t, "stride %d %d pad %d %d dilation %d %d groups %d%s", g->stride[0], g->stride[1], g->pad[0], g->pad[1],
         g->dilation[0], g->dilation[1], g->groups, t->integers ? ", whole numbers" : "");
    return s;
}

/* The statistics of the result: now and then of numbers that are nearly the same, as far as the type can tell. */
static void draw_statistics(struct trial *t, struct ursa_conv2d_args *args, struct operand *bias, int64_t channels,
                            ursa_dtype out)
{
    double limit = out == URSA_F32 ? 1e5 : 1e3, away = draw_chance(t, 0.5) ? draw_uniform(t, -limit, limit) : 0;
    for (int64_t i = 0; bias && i < bias->count; i++)
        bias->values[i] += round(away);
    declare(t, &args->mean, "mean", OUTPUT, URSA_F32, SHAPE(channels), CONTIGUOUS);
    declare(t, &args->var, "var", OUTPUT, URSA_F32, SHAPE(channels), CONTIGUOUS);
}

void draw_conv2d(struct trial *t, struct ursa_conv2d_args *args)
{
    struct conv_shapes s = draw_conv(t, &args->geometry);
    bool moments = draw_chance(t, 0.5) && shape_count(s.y) > 0;
    if (!moments)
        draw_activation(t, &args->activation);
    struct mix mix = draw_mix(t);
    struct operand *bias = NULL;
    declare(t, &args->x, "x", INPUT, mix.x, s.x, CONTIGUOUS);
    declare(t, &args->w, "w", INPUT, mix.y, s.w, CONTIGUOUS);
    if (draw_chance(t, 0.5))
        bias = declare(t, &args->bias, "bias", INPUT, URSA_F32, SHAPE(s.w.dim[0]), CONTIGUOUS);
    declare(t, &args->out, "out", OUTPUT, mix.out, s.y, CONTIGUOUS);
    if (moments)
        draw_statistics(t, args, bias, s.w.dim[0], mix.out);
}

/* Those of numbers that are off themselves, and of numbers rounded or not. */
static void bound_statistics(struct trial *t)
{
    const struct operand *out = operand_named(t, "out");
    double *of_mean = tolerance_of(t, "mean"), *of_var = tolerance_of(t, "var");
    int64_t channels = out->array.shape[3], rows = out->count / channels;
    for (int64_t c = 0; c < channels; c++) {
        double magnitude = 0, off = 0, off_squared = 0, var = expected_of(t, "var")[c];
        for (int64_t i = c; i < out->count; i += channels) {
            double value = fabs(out->expected[i]), away = out->tolerance ? out->tolerance[i] : 0;
            away += half_ulp(out->array.dtype, value + away);
            magnitude += (value + away) / (double)rows;
            off += away / (double)rows;
            off_squared += away * away / (double)rows;
        }
        double mean_off = mean_error(magnitude, rows);
        of_mean[c] = off + mean_off;
        of_var[c] = 2 * sqrt(var * off_squared) + off_squared + variance_error(var, magnitude, mean_off, rows);
    }
}

void bound_conv2d(struct trial *t, const struct ursa_conv2d_args *args)
{
    struct ursa_conv2d_args absolute = *args;
    absolute.activation.used = false;
    const int64_t *w = operand_named(t, "w")->array.shape;
    if (!t->integers && measure(t, &absolute))
        bound_sums(t, "out", w[1] * w[2] * w[3] + 1, &args->activation);
    if (operand_named(t, "mean"))
        bound_statistics(t);
}

void draw_conv2d_grad_input(struct trial *t, struct ursa_conv2d_grad_input_args *args)
{
    struct conv_shapes s = draw_conv(t, &args->geometry);
    struct mix mix = draw_mix(t);
    declare(t, &args->dy, "dy", INPUT, mix.x, s.y, CONTIGUOUS);
    declare(t, &args->w, "w", INPUT, mix.y, s.w, CONTIGUOUS);
    declare(t, &args->dx, "dx", OUTPUT, mix.out, s.x, CONTIGUOUS);
}

void bound_conv2d_grad_input(struct trial *t, const struct ursa_conv2d_grad_input_args *args)
{
    const int64_t *w = operand_named(t, "w")->array.shape;
    if (!t->integers && measure(t, args))
        bound_sums(t, "dx", w[1] * w[2] * w[0] / args->geometry.groups, &(ursa_activation){0});
}

void draw_conv2d_grad_weight(struct trial *t, struct ursa_conv2d_grad_weight_args *args)
{
    struct conv_shapes s = draw_conv(t, &args->geometry);
    struct mix mix = draw_mix(t);
    declare(t, &args->x, "x", INPUT, mix.x, s.x, CONTIGUOUS);
    declare(t, &args->dy, "dy", INPUT, mix.y, s.y, CONTIGUOUS);
    declare(t, &args->dw, "dw", OUTPUT, mix.out, s.w, CONTIGUOUS);
}

void bound_conv2d_grad_weight(struct trial *t, const struct ursa_conv2d_grad_weight_args *args)
{
    const int64_t *y = operand_named(t, "dy")->array.shape;
    if (!t->integers && measure(t, args))
        bound_sums(t, "dw", y[0] * y[1] * y[2], &(ursa_activation){0});
}
