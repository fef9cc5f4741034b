/* index.c — gather, scatter and borders. */
#include "reference64.h"
#include "view.h"

static bool index_of(const char *operator, const ursa_array * index, int64_t i, int64_t extent, int64_t *found)
{
    *found = get_integer(index, i);
    if (*found >= 0 && *found < extent)
        return true;
    return ursa_fail(URSA_ERROR_ARGUMENT,
                     "%s: index %lld of element %lld is outside 0 … %lld", operator,(long long) * found, (long long)i,
                     (long long)extent - 1);
}

static void move(const ursa_array *to, int64_t i, const ursa_array *from, int64_t j)
{
    if (is_float(from->dtype))
        put(to, i, get(from, j));
    else
        put_integer(to, i, get_integer(from, j));
}

static void add(const ursa_array *to, int64_t i, const ursa_array *from, int64_t j)
{
    if (is_float(from->dtype))
        put(to, i, get(to, i) + get(from, j));
    else
        put_integer(to, i, (int64_t)((uint64_t)get_integer(to, i) + (uint64_t)get_integer(from, j)));
}

bool reference64_gather(ursa_device *device, const struct ursa_gather_args *args)
{
    (void)device;
    around a = around_axis(&args->x, args->axis);
    around to = {a.outer, args->along ? args->index.shape[args->axis] : count_of(&args->index), a.inner};
    for (int64_t o = 0; o < to.outer; o++)
        for (int64_t i = 0; i < to.extent; i++)
            for (int64_t n = 0; n < to.inner; n++) {
                int64_t index;
                if (!index_of("gather", &args->index, args->along ? number_of(to, o, i, n) : i, a.extent, &index))
                    return false;
                move(&args->out, number_of(to, o, i, n), &args->x, number_of(a, o, index, n));
            }
    return true;
}

bool reference64_scatter_add(ursa_device *device, const struct ursa_scatter_add_args *args)
{
    (void)device;
    around a = around_axis(&args->out, args->axis);
    around from = {a.outer, args->along ? args->index.shape[args->axis] : count_of(&args->index), a.inner};
    for (int64_t o = 0; o < from.outer; o++)
        for (int64_t i = 0; i < from.extent; i++)
            for (int64_t n = 0; n < from.inner; n++) {
                int64_t index, at = number_of(from, o, i, n);
                if (!index_of("scatter_add", &args->index, args->along ? at : i, a.extent, &index))
                    return false;
                add(&args->out, number_of(a, o, index, n), &args->x, at);
            }
    return true;
}

/* Which element of an axis a padded position shows; -1 for the constant. */
static int64_t shown(ursa_pad_kind kind, int64_t position, int64_t extent)
{
    if (position >= 0 && position < extent)
        return position;
    if (kind == URSA_PAD_CONSTANT)
        return -1;
    if (kind == URSA_PAD_REPLICATE)
        return position < 0 ? 0 : extent - 1;
    return position < 0 ? -position : 2 * (extent - 1) - position;
}

/* The row-major number in `inner` of what element i of `padded` shows, or -1. */
static int64_t shown_number(ursa_pad_kind kind, const ursa_array *padded, const ursa_array *inner,
                            const int64_t *before, int64_t i)
{
    int64_t number = 0, step = 1;
    for (int axis = padded->ndim - 1; axis >= 0; axis--) {
        int64_t position = shown(kind, i % padded->shape[axis] - before[axis], inner->shape[axis]);
        if (position < 0)
            return -1;
        i /= padded->shape[axis];
        number += position * step;
        step *= inner->shape[axis];
    }
    return number;
}

bool reference64_pad(ursa_device *device, const struct ursa_pad_args *args)
{
    (void)device;
    int64_t count = count_of(&args->out);
    for (int64_t i = 0; i < count; i++) {
        int64_t from = shown_number(args->kind, &args->out, &args->x, args->before, i);
        if (from < 0)
            put(&args->out, i, args->value);
        else
            move(&args->out, i, &args->x, from);
    }
    return true;
}

bool reference64_pad_grad(ursa_device *device, const struct ursa_pad_grad_args *args)
{
    (void)device;
    int64_t count = count_of(&args->dy), results = count_of(&args->dx);
    for (int64_t i = 0; i < results; i++)
        put(&args->dx, i, 0);
    for (int64_t i = 0; i < count; i++)
        add(&args->dx, shown_number(args->kind, &args->dy, &args->dx, args->before, i), &args->dy, i);
    return true;
}
