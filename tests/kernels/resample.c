/* resample.c — trials of resizing and grid sampling.
 *
 * A position in pixels is computed with three roundings of numbers up to the
 * extent; a weight is off by as much times the slope of the interpolation (at
 * most 1 for bilinear, 1.5 and two axes of weights summing to 1.6 for bicubic).
 */
#include "trial.h"
#include <math.h>

static const char *const kind_names[] = {"nearest", "bilinear", "bicubic"};

static double largest(const double *values, int64_t count)
{
    double size = 0;
    for (int64_t i = 0; i < count; i++)
        size = fmax(size, fabs(values[i]));
    return size;
}

/* What the weights of a pixel may be off by, altogether. */
static double weight_error(ursa_resize_kind kind, const int64_t *image)
{
    if (kind == URSA_RESIZE_NEAREST)
        return 0;
    double positions = 3 * U * (double)(image[1] + image[2] + 2);
    return (kind == URSA_RESIZE_BICUBIC ? 4 : 2) * (positions + 4 * U);
}

static void draw_sizes(struct trial *t, struct shape *x, struct shape *out)
{
    bool large = draw_chance(t, 0.08);
    int64_t limit = large ? 60 : 14;
    *x = SHAPE(draw_between(t, 1, 3), draw_extent(t, limit), draw_extent(t, limit), draw_extent(t, large ? 32 : 9));
    *out = *x;
    out->dim[1] = draw_extent(t, limit);
    out->dim[2] = draw_extent(t, limit);
    if (draw_chance(t, 0.15)) /* the same size */
        out->dim[1] = x->dim[1], out->dim[2] = x->dim[2];
    if (draw_chance(t, 0.04))
        x->dim[0] = out->dim[0] = 0;
}

void draw_resize(struct trial *t, struct ursa_resize_args *args)
{
    ursa_dtype dtype = draw_float_type(t);
    struct shape x, out;
    args->kind = (ursa_resize_kind)(t->number % 3);
    args->align_corners = draw_chance(t, 0.4);
    note(t, "%s%s", kind_names[args->kind], args->align_corners ? " align_corners" : "");
    draw_sizes(t, &x, &out);
    declare(t, &args->x, "x", INPUT, dtype, x, CONTIGUOUS);
    declare(t, &args->out, "out", OUTPUT, dtype, out, CONTIGUOUS);
}

void bound_resize(struct trial *t, const struct ursa_resize_args *args)
{
    struct operand *x = operand_named(t, "x"), *out = operand_named(t, "out");
    if (args->kind == URSA_RESIZE_NEAREST)
        return;
    double *tolerance = tolerance_of(t, "out");
    double error = (weight_error(args->kind, x->array.shape) + 16 * U) * largest(x->values, x->count);
    for (int64_t i = 0; i < out->count; i++)
        tolerance[i] = error;
}

void draw_resize_grad(struct trial *t, struct ursa_resize_grad_args *args)
{
    ursa_dtype dtype = draw_float_type(t);
    struct shape x, out;
    args->kind = (ursa_resize_kind)(t->number % 3);
    args->align_corners = draw_chance(t, 0.4);
    t->integers = draw_chance(t, 0.5);
    note(t, "%s%s", kind_names[args->kind], args->align_corners ? " align_corners" : "");
    draw_sizes(t, &x, &out);
    declare(t, &args->dy, "dy", INPUT, dtype, out, CONTIGUOUS);
    declare(t, &args->dx, "dx", OUTPUT, dtype, x, CONTIGUOUS);
}

/* One axis of the gradient: how many outputs take from one input pixel (those
 * within reach on both sides; beyond a border there are no more than the other
 * side lacks), and what their weights come to. */
struct takers {
    double count, weight, off;
};

static struct takers takers_of(ursa_resize_kind kind, int64_t extent, int64_t outputs)
{
    double reach = kind == URSA_RESIZE_BICUBIC ? 2 : 1, slope = kind == URSA_RESIZE_BICUBIC ? 1.5 : 1;
    double ratio = (double)outputs / (double)extent;
    if (extent > 1)
        ratio = fmax(ratio, (double)(outputs - 1) / (double)(extent - 1));
    struct takers t;
    t.count = extent == 1 ? (double)outputs : fmin(2 * reach * ratio + 2, (double)outputs);
    t.weight = extent == 1 ? 1.6 * (double)outputs : fmin(1.6 * ratio + 2, 1.6 * (double)outputs);
    t.off = kind == URSA_RESIZE_NEAREST ? 0 : slope * (3 * (double)extent + 1) * U + 4 * U;
    return t;
}

void bound_resize_grad(struct trial *t, const struct ursa_resize_grad_args *args)
{
    struct operand *dy = operand_named(t, "dy"), *dx = operand_named(t, "dx");
    if (args->kind == URSA_RESIZE_NEAREST && t->integers)
        return;
    double *tolerance = tolerance_of(t, "dx"), size = largest(dy->values, dy->count);
    if (dx->count == 0 || dy->count == 0)
        return;
    struct takers rows = takers_of(args->kind, dx->array.shape[1], dy->array.shape[1]);
    struct takers columns = takers_of(args->kind, dx->array.shape[2], dy->array.shape[2]);
    double weights = rows.off * rows.count * columns.weight + columns.off * columns.count * rows.weight;
    double sums = (sum_error((int64_t)(rows.count * columns.count) + 1) + 4 * U) * rows.weight * columns.weight;
    for (int64_t i = 0; i < dx->count; i++)
        tolerance[i] = size * (weights + sums);
}

/* ---- grid sampling ---------------------------------------------------------- */

/* A position whose rounding cannot move it to another pixel: well inside
 * between two of them, or, for the nearest, away from the middle. */
static double draw_coordinate(struct trial *t, int64_t extent, bool align_corners)
{
    double pixel = (double)draw_between(t, -3, extent + 2);
    double part = draw_chance(t, 0.5) ? draw_uniform(t, 0.1, 0.4) : draw_uniform(t, 0.6, 0.9);
    double size = (double)extent;
    if (align_corners)
        return extent > 1 ? (pixel + part) * 2 / (size - 1) - 1 : draw_uniform(t, -1.5, 1.5);
    return (2 * (pixel + part) + 1) / size - 1;
}

static void draw_grid(struct trial *t, struct operand *grid, const int64_t *image, bool align_corners)
{
    for (int64_t i = 0; i < grid->count; i += 2) {
        grid->values[i] = draw_coordinate(t, image[2], align_corners);
        grid->values[i + 1] = draw_coordinate(t, image[1], align_corners);
    }
}

static void draw_sampling(struct trial *t, ursa_resize_kind *kind, ursa_border_kind *border, bool *align_corners)
{
    static const char *const border_names[] = {"zeros", "clamp", "reflect"};
    *kind = t->number % 3 ? URSA_RESIZE_BILINEAR : URSA_RESIZE_NEAREST;
    *border = (ursa_border_kind)draw_below(t, 3);
    *align_corners = draw_chance(t, 0.5);
    note(t, "%s %s%s", kind_names[*kind], border_names[*border], *align_corners ? " align_corners" : "");
}

void draw_grid_sample(struct trial *t, struct ursa_grid_sample_args *args)
{
    ursa_dtype dtype = draw_float_type(t);
    struct shape x, out;
    draw_sampling(t, &args->kind, &args->border, &args->align_corners);
    draw_sizes(t, &x, &out);
    declare(t, &args->x, "x", INPUT, dtype, x, CONTIGUOUS);
    struct shape points = SHAPE(out.dim[0], out.dim[1], out.dim[2], 2);
    draw_grid(t, declare(t, &args->grid, "grid", INPUT, URSA_F32, points, CONTIGUOUS), x.dim, args->align_corners);
    declare(t, &args->out, "out", OUTPUT, dtype, out, CONTIGUOUS);
}

/* Positions lie up to three pixels outside, and are reflected from there. */
static double position_error(const int64_t *image)
{
    return 5 * U * (double)(image[1] + image[2] + 8);
}

void bound_grid_sample(struct trial *t, const struct ursa_grid_sample_args *args)
{
    struct operand *x = operand_named(t, "x"), *out = operand_named(t, "out");
    if (args->kind == URSA_RESIZE_NEAREST)
        return;
    double *tolerance = tolerance_of(t, "out");
    double error = (2 * position_error(x->array.shape) + 8 * U) * largest(x->values, x->count);
    for (int64_t i = 0; i < out->count; i++)
        tolerance[i] = error;
}

void draw_grid_sample_grad(struct trial *t, struct ursa_grid_sample_grad_args *args)
{
    ursa_dtype dtype = draw_float_type(t);
    struct shape x, out;
    draw_sampling(t, &args->kind, &args->border, &args->align_corners);
    t->integers = draw_chance(t, 0.3);
    draw_sizes(t, &x, &out);
    struct shape points = SHAPE(out.dim[0], out.dim[1], out.dim[2], 2);
    declare(t, &args->x, "x", INPUT, dtype, x, CONTIGUOUS);
    draw_grid(t, declare(t, &args->grid, "grid", INPUT, URSA_F32, points, CONTIGUOUS), x.dim, args->align_corners);
    declare(t, &args->dy, "dy", INPUT, dtype, out, CONTIGUOUS);
    int which = (int)draw_below(t, 3);
    if (which != 1)
        declare(t, &args->dx, "dx", OUTPUT, dtype, x, CONTIGUOUS);
    if (which != 2)
        declare(t, &args->dgrid, "dgrid", OUTPUT, URSA_F32, points, CONTIGUOUS);
}

/* A pixel gathers from every point at worst; a point from its four pixels in
 * every channel. */
void bound_grid_sample_grad(struct trial *t, const struct ursa_grid_sample_grad_args *args)
{
    struct operand *x = operand_named(t, "x"), *dy = operand_named(t, "dy");
    struct operand *dx = operand_named(t, "dx"), *dgrid = operand_named(t, "dgrid");
    const int64_t *image = x->array.shape, *points = dy->array.shape;
    double dy_size = largest(dy->values, dy->count), x_size = largest(x->values, x->count);
    double position = args->kind == URSA_RESIZE_NEAREST ? 0 : 2 * position_error(image) + 4 * U;
    double *of_dx = tolerance_of(t, "dx"), *of_dgrid = tolerance_of(t, "dgrid");
    for (int64_t i = 0; dx && i < dx->count; i++) {
        /* What this pixel gathers, and what it might, being near. */
        double all = 0;
        int64_t n = i / (image[1] * image[2] * image[3]), c = i % image[3], count = points[1] * points[2];
        for (int64_t p = 0; p < count; p++)
            all += fabs(dy->values[(n * count + p) * points[3] + c]);
        of_dx[i] = args->kind == URSA_RESIZE_NEAREST && t->integers ? 0 : all * (sum_error(count) + position);
    }
    for (int64_t i = 0; dgrid && i < dgrid->count; i++) {
        double slope = (double)image[i % 2 ? 1 : 2] / 2, channels = (double)image[3];
        double magnitude = 4 * channels * x_size * dy_size;
        of_dgrid[i] =
            args->kind == URSA_RESIZE_NEAREST ? 0 : slope * magnitude * (sum_error(4 * image[3]) + position + 4 * U);
    }
}
