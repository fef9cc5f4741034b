/* pool.c — trials of pooling. */
#include "trial.h"
#include <math.h>

struct pool_shapes {
    struct shape x, y;
};

static struct pool_shapes draw_pool(struct trial *t, ursa_pool_kind kind, ursa_pool_geometry *g)
{
    struct pool_shapes s = {{4, {0}}, {4, {0}}};
    bool large = draw_chance(t, 0.06);
    s.x.dim[0] = s.y.dim[0] = draw_between(t, 1, 4);
    s.x.dim[3] = s.y.dim[3] = draw_extent(t, large ? 128 : 40);
    g->adaptive = draw_chance(t, 0.3);
    g->count_pad = draw_chance(t, 0.5);
    bool wide = g->adaptive && draw_chance(t, 0.3); /* windows of more pixels than a byte counts */
    for (int axis = 0; axis < 2; axis++) {
        int64_t extent = wide ? draw_between(t, 12, 40) : draw_extent(t, large ? 40 : 16);
        g->window[axis] = (int)draw_between(t, 1, extent < 4 ? extent : 4);
        g->stride[axis] = (int)draw_between(t, 1, 3);
        g->pad[axis] = draw_chance(t, 0.5) ? g->window[axis] / 2 : 0;
        int64_t room = extent + 2 * g->pad[axis] - g->window[axis];
        int64_t outputs = room / g->stride[axis] + 1;
        /* Rounded up, if the last window still begins inside. */
        if (draw_chance(t, 0.4) && outputs * g->stride[axis] < extent + g->pad[axis] && room % g->stride[axis])
            outputs++;
        s.x.dim[1 + axis] = extent;
        s.y.dim[1 + axis] = g->adaptive ? draw_between(t, 1, wide ? 2 : extent + 2) : outputs;
    }
    if (draw_chance(t, 0.03))
        s.x.dim[0] = s.y.dim[0] = 0;
    t->integers = draw_chance(t, 0.5);
    note(t, "%s window %d %d stride %d %d pad %d %d%s%s", kind == URSA_POOL_MAX ? "max" : "average", g->window[0],
         g->window[1], g->stride[0], g->stride[1], g->pad[0], g->pad[1], g->adaptive ? " adaptive" : "",
         g->count_pad ? " count_pad" : "");
    return s;
}

/* Rows (axis 0) or columns (1) of the largest window. */
static int64_t longest(const ursa_pool_geometry *g, struct pool_shapes s, int axis)
{
    int64_t in = s.x.dim[1 + axis], out = s.y.dim[1 + axis];
    return !g->adaptive ? g->window[axis] : in % out == 0 ? in / out : in / out + 2;
}

static ursa_dtype winner_type(const ursa_pool_geometry *g, struct pool_shapes s)
{
    return longest(g, s, 0) * longest(g, s, 1) <= 256 ? URSA_U8 : URSA_I32;
}

/* How many pixels the largest window has. */
static int64_t window_count(const ursa_pool_geometry *g, const int64_t *x, const int64_t *y)
{
    int64_t count = 1;
    for (int axis = 0; axis < 2; axis++)
        count *= g->adaptive ? x[1 + axis] / y[1 + axis] + 2 : g->window[axis];
    return count;
}

void draw_pool2d(struct trial *t, struct ursa_pool2d_args *args)
{
    args->kind = (ursa_pool_kind)(t->number % 2);
    struct pool_shapes s = draw_pool(t, args->kind, &args->geometry);
    ursa_dtype dtype = draw_float_type(t);
    declare(t, &args->x, "x", INPUT, dtype, s.x, CONTIGUOUS);
    declare(t, &args->out, "out", OUTPUT, dtype, s.y, CONTIGUOUS);
    if (args->kind == URSA_POOL_MAX && draw_chance(t, 0.7))
        declare(t, &args->winners, "winners", OUTPUT, winner_type(&args->geometry, s), s.y, CONTIGUOUS);
}

void bound_pool2d(struct trial *t, const struct ursa_pool2d_args *args)
{
    struct operand *x = operand_named(t, "x"), *out = operand_named(t, "out");
    if (args->kind == URSA_POOL_MAX || !measure(t, args))
        return;
    double *tolerance = tolerance_of(t, "out");
    int64_t n = window_count(&args->geometry, x->array.shape, out->array.shape);
    for (int64_t i = 0; i < out->count; i++)
        tolerance[i] = (sum_error(n) + 3 * U) * out->magnitude[i];
}

/* Winners as a forward step would give them, from the reference. */
static void draw_winners(struct trial *t, const struct ursa_pool2d_grad_args *args, struct pool_shapes s,
                         struct operand *winners)
{
    for (int64_t i = 0; i < winners->count; i++) {
        int64_t cell = i / s.y.dim[3], first[2], begin[2], end[2];
        int64_t at[2] = {cell / s.y.dim[2] % s.y.dim[1], cell % s.y.dim[2]};
        for (int axis = 0; axis < 2; axis++) {
            const ursa_pool_geometry *g = &args->geometry;
            int64_t extent = s.x.dim[1 + axis], outputs = s.y.dim[1 + axis];
            first[axis] = g->adaptive ? at[axis] * extent / outputs : at[axis] * g->stride[axis] - g->pad[axis];
            end[axis] = g->adaptive ? ((at[axis] + 1) * extent + outputs - 1) / outputs : first[axis] + g->window[axis];
            begin[axis] = first[axis] < 0 ? 0 : first[axis];
            end[axis] = end[axis] > extent ? extent : end[axis];
        }
        winners->integers[i] = (draw_between(t, begin[0], end[0] - 1) - first[0]) * longest(&args->geometry, s, 1) +
                               draw_between(t, begin[1], end[1] - 1) - first[1];
    }
}

void draw_pool2d_grad(struct trial *t, struct ursa_pool2d_grad_args *args)
{
    args->kind = (ursa_pool_kind)(t->number % 2);
    struct pool_shapes s = draw_pool(t, args->kind, &args->geometry);
    ursa_dtype dtype = draw_float_type(t);
    declare(t, &args->dy, "dy", INPUT, dtype, s.y, CONTIGUOUS);
    if (args->kind == URSA_POOL_MAX)
        draw_winners(t, args, s,
                     declare(t, &args->winners, "winners", INPUT, winner_type(&args->geometry, s), s.y, CONTIGUOUS));
    declare(t, &args->dx, "dx", OUTPUT, dtype, s.x, CONTIGUOUS);
}

/* A pixel is in at most ⌈window / stride⌉² windows. */
void bound_pool2d_grad(struct trial *t, const struct ursa_pool2d_grad_args *args)
{
    struct operand *dx = operand_named(t, "dx"), *dy = operand_named(t, "dy");
    const ursa_pool_geometry *g = &args->geometry;
    if ((args->kind == URSA_POOL_MAX && t->integers) || !measure(t, args))
        return;
    int64_t terms = 1;
    for (int axis = 0; axis < 2; axis++)
        terms *= g->adaptive ? dy->array.shape[1 + axis] / dx->array.shape[1 + axis] + 2
                             : (g->window[axis] + g->stride[axis] - 1) / g->stride[axis];
    double *tolerance = tolerance_of(t, "dx");
    for (int64_t i = 0; i < dx->count; i++)
        tolerance[i] = (sum_error(terms) + 3 * U) * dx->magnitude[i];
}
