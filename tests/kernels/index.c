/* index.c — trials of gather, scatter and borders. */
#include "trial.h"
#include <math.h>

/* The shape of what is picked along `axis`, and the indices that pick it. */
static struct shape draw_picked(struct trial *t, struct shape of, int axis, bool along, ursa_array *index)
{
    struct shape picked = of, shape = of;
    if (along) {
        picked.dim[axis] = shape.dim[axis] = draw_extent(t, 40);
    } else {
        int64_t limit = draw_chance(t, 0.1) ? 4000 : 60;
        shape = draw_shape_of(t, 0, 7 - of.ndim < 3 ? 7 - of.ndim : 3, limit, limit);
        picked.ndim = 0;
        for (int i = 0; i < of.ndim; i++) {
            if (i != axis)
                picked.dim[picked.ndim++] = of.dim[i];
            for (int j = 0; i == axis && j < shape.ndim; j++)
                picked.dim[picked.ndim++] = shape.dim[j];
        }
    }
    struct operand *o = declare(t, index, "index", INPUT, URSA_I64, shape, CONTIGUOUS);
    t->index_limit = of.dim[axis];
    for (int64_t i = 0; i < o->count; i++)
        o->integers[i] = draw_below(t, of.dim[axis]);
    return picked;
}

static struct shape draw_source(struct trial *t, int *axis)
{
    struct shape shape = draw_shape_of(t, 1, 4, 1000, 30000);
    *axis = (int)draw_below(t, shape.ndim);
    if (shape.dim[*axis] == 0)
        shape.dim[*axis] = 1;
    return shape;
}

void draw_gather(struct trial *t, struct ursa_gather_args *args)
{
    struct shape shape = draw_source(t, &args->axis);
    ursa_dtype dtype = draw_any_type(t);
    args->along = draw_chance(t, 0.4);
    note(t, "axis %d%s", args->axis, args->along ? " along" : "");
    declare(t, &args->x, "x", INPUT, dtype, shape, CONTIGUOUS);
    struct shape picked = draw_picked(t, shape, args->axis, args->along, &args->index);
    declare(t, &args->out, "out", OUTPUT, dtype, picked, CONTIGUOUS);
}

void bound_gather(struct trial *t, const struct ursa_gather_args *args)
{
    (void)t, (void)args;
}

void draw_scatter_add(struct trial *t, struct ursa_scatter_add_args *args)
{
    struct shape shape = draw_source(t, &args->axis);
    ursa_dtype dtype = draw_number_type(t);
    args->along = draw_chance(t, 0.4);
    t->integers = draw_chance(t, 0.5);
    note(t, "axis %d%s%s", args->axis, args->along ? " along" : "", t->integers ? ", whole numbers" : "");
    struct shape picked = draw_picked(t, shape, args->axis, args->along, &args->index);
    declare(t, &args->x, "x", INPUT, dtype, picked, CONTIGUOUS);
    declare(t, &args->out, "out", INOUT, dtype, shape, CONTIGUOUS);
}

/* At worst every index is the same. */
void bound_scatter_add(struct trial *t, const struct ursa_scatter_add_args *args)
{
    struct operand *out = operand_named(t, "out"), *index = operand_named(t, "index");
    if (!out->expected || t->integers || !measure(t, args))
        return;
    double *tolerance = tolerance_of(t, "out");
    int64_t terms = args->along ? index->array.shape[args->axis] : index->count;
    for (int64_t i = 0; i < out->count; i++)
        tolerance[i] = sum_error(terms + 1) * out->magnitude[i];
}

/* Borders, and the shape with them. A reflection is shorter than what it
 * reflects. */
static struct shape draw_borders(struct trial *t, ursa_pad_kind kind, struct shape shape, int64_t *before)
{
    struct shape padded = shape;
    for (int axis = 0; axis < shape.ndim; axis++) {
        int64_t limit = kind == URSA_PAD_REFLECT && shape.dim[axis] < 5 ? shape.dim[axis] - 1 : 4;
        if (limit < 0 || draw_chance(t, 0.3) || (kind == URSA_PAD_REPLICATE && shape.dim[axis] == 0))
            limit = 0;
        before[axis] = draw_between(t, 0, limit);
        padded.dim[axis] += before[axis] + draw_between(t, 0, limit);
        note(t, " %lld", (long long)before[axis]);
    }
    return padded;
}

static const char *const pad_names[] = {"constant", "reflect", "replicate"};

void draw_pad(struct trial *t, struct ursa_pad_args *args)
{
    args->kind = (ursa_pad_kind)(t->number % 3);
    args->value = (double)draw_between(t, 0, 3);
    note(t, "%s value %g before", pad_names[args->kind], args->value);
    struct shape shape = draw_shape_of(t, 1, 4, 1000, 50000);
    ursa_dtype dtype = draw_any_type(t);
    declare(t, &args->x, "x", INPUT, dtype, shape, BROADCAST);
    declare(t, &args->out, "out", OUTPUT, dtype, draw_borders(t, args->kind, shape, args->before), CONTIGUOUS);
}

void bound_pad(struct trial *t, const struct ursa_pad_args *args)
{
    (void)t, (void)args;
}

void draw_pad_grad(struct trial *t, struct ursa_pad_grad_args *args)
{
    args->kind = t->number % 2 ? URSA_PAD_REFLECT : URSA_PAD_REPLICATE;
    t->integers = draw_chance(t, 0.5);
    note(t, "%s%s before", pad_names[args->kind], t->integers ? ", whole numbers," : "");
    struct shape shape = draw_shape_of(t, 1, 4, 1000, 50000);
    ursa_dtype dtype = draw_float_type(t);
    struct shape padded = draw_borders(t, args->kind, shape, args->before);
    declare(t, &args->dy, "dy", INPUT, dtype, padded, CONTIGUOUS);
    declare(t, &args->dx, "dx", OUTPUT, dtype, shape, CONTIGUOUS);
}

/* Along an axis an element shows up at most 3 times in a reflection, 9 times
 * where one element is replicated by 4 on both sides. */
void bound_pad_grad(struct trial *t, const struct ursa_pad_grad_args *args)
{
    struct operand *dx = operand_named(t, "dx");
    if (t->integers || !measure(t, args))
        return;
    double *tolerance = tolerance_of(t, "dx");
    int64_t terms = 1;
    for (int axis = 0; axis < dx->array.ndim; axis++)
        terms *= args->kind == URSA_PAD_REFLECT ? 3 : 9;
    for (int64_t i = 0; i < dx->count; i++)
        tolerance[i] = sum_error(terms) * dx->magnitude[i];
}
