/* draw.c — random shapes, layouts and values, all from one Philox stream per
 * trial, so that any trial can be repeated by its number. */
#include "trial.h"
#include "host.h"
#include "base/philox.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint32_t draw_bits(struct trial *t)
{
    uint32_t words[4];
    ursa_philox(t->key, t->counter++, words);
    return words[0];
}

int64_t draw_below(struct trial *t, int64_t bound)
{
    return (int64_t)((uint64_t)draw_bits(t) * (uint64_t)bound >> 32);
}

int64_t draw_between(struct trial *t, int64_t low, int64_t high)
{
    return low + draw_below(t, high - low + 1);
}

double draw_uniform(struct trial *t, double low, double high)
{
    return low + (high - low) * ((double)draw_bits(t) * 0x1p-32);
}

float draw_float(struct trial *t, double low, double high)
{
    return (float)draw_uniform(t, low, high);
}

bool draw_chance(struct trial *t, double p)
{
    return draw_uniform(t, 0, 1) < p;
}

ursa_dtype draw_float_type(struct trial *t)
{
    static const ursa_dtype types[] = {URSA_F32, URSA_F16, URSA_BF16, URSA_F32};
    return types[draw_below(t, 4)];
}

ursa_dtype draw_number_type(struct trial *t)
{
    static const ursa_dtype types[] = {URSA_F32, URSA_F16, URSA_BF16, URSA_F32, URSA_I32, URSA_I64};
    return types[draw_below(t, 6)];
}

ursa_dtype draw_any_type(struct trial *t)
{
    return (ursa_dtype)draw_below(t, URSA_DTYPE_COUNT);
}

int64_t draw_extent(struct trial *t, int64_t limit)
{
    static const int64_t favourites[] = {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64, 65, 127, 256, 1000, 1025};
    int64_t extent = draw_chance(t, 0.5) ? favourites[draw_below(t, 19)] : draw_between(t, 1, 40);
    while (extent > limit)
        extent = extent > 2 * limit ? extent / 2 : draw_between(t, 1, limit);
    return extent;
}

int64_t shape_count(struct shape shape)
{
    int64_t count = 1;
    for (int axis = 0; axis < shape.ndim; axis++)
        count *= shape.dim[axis];
    return count;
}

struct shape draw_shape_of(struct trial *t, int min_ndim, int max_ndim, int64_t small, int64_t large)
{
    struct shape shape = {.ndim = (int)draw_between(t, min_ndim, max_ndim)};
    bool is_large = draw_chance(t, 0.06);
    large /= t->small ? 16 : 1;
    int64_t left = is_large ? draw_between(t, large / 4, large) : small;
    int longest = (int)draw_below(t, shape.ndim > 0 ? shape.ndim : 1);
    for (int axis = 0; axis < shape.ndim; axis++) {
        if (is_large && axis == longest)
            continue;
        shape.dim[axis] = draw_extent(t, left);
        left /= shape.dim[axis];
    }
    if (is_large && shape.ndim > 0)
        shape.dim[longest] = left > 0 ? left : 1;
    if (shape.ndim > 0 && draw_chance(t, 0.04))
        shape.dim[draw_below(t, shape.ndim)] = 0;
    return shape;
}

struct shape draw_shape(struct trial *t, int min_ndim, int max_ndim)
{
    return draw_shape_of(t, min_ndim, max_ndim, 2000, 300000);
}

void note(struct trial *t, const char *format, ...)
{
    size_t used = strlen(t->notes);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(t->notes + used, sizeof t->notes - used, format, arguments);
    va_end(arguments);
}

/* ---- layouts ------------------------------------------------------------- */

enum { GUARD = 24 };

/* In every other trial all arrays start at a multiple of 8 elements, as whole tensors do: only then do kernels take
 * vectors that hold for all of them. */
static void lay_contiguous(struct trial *t, struct operand *o)
{
    int64_t stride = 1;
    for (int axis = o->array.ndim - 1; axis >= 0; axis--) {
        o->array.stride[axis] = stride;
        stride *= o->array.shape[axis];
    }
    o->array.offset = t->number % 2 || draw_chance(t, 0.5) ? GUARD : draw_below(t, GUARD);
    o->total = o->array.offset + stride + GUARD;
}

/* Axes in any order in memory, with gaps, backwards, or all the same place. */
static void lay_strided(struct trial *t, struct operand *o, bool broadcast)
{
    int order[URSA_MAX_DIMS], ndim = o->array.ndim;
    for (int i = 0; i < ndim; i++)
        order[i] = i;
    if (draw_chance(t, 0.5))
        for (int i = ndim - 1; i > 0; i--) {
            int j = (int)draw_below(t, i + 1), swap = order[i];
            order[i] = order[j];
            order[j] = swap;
        }
    bool gaps = draw_chance(t, 0.4), negative = draw_chance(t, 0.3);
    int64_t stride = 1, first = GUARD + draw_below(t, 3);
    for (int i = ndim - 1; i >= 0; i--) {
        int axis = order[i];
        int64_t extent = o->array.shape[axis];
        if (broadcast && draw_chance(t, 0.35)) {
            o->array.stride[axis] = 0;
            continue;
        }
        if (gaps && draw_chance(t, 0.5))
            stride *= draw_between(t, 2, 3);
        o->array.stride[axis] = stride;
        if (negative && extent > 0 && draw_chance(t, 0.5)) {
            o->array.stride[axis] = -stride;
            first += stride * (extent - 1);
        }
        stride *= extent > 0 ? extent : 1;
        if (gaps && draw_chance(t, 0.5))
            stride += draw_between(t, 1, 5);
    }
    o->array.offset = first;
    o->total = GUARD + 3 + stride + GUARD;
}

/* ---- operands ------------------------------------------------------------ */

static void draw_values(struct trial *t, struct operand *o)
{
    for (int64_t i = 0; i < o->count; i++) {
        if (o->integers)
            o->integers[i] = o->array.dtype == URSA_BOOL ? draw_below(t, 2)
                             : o->array.dtype == URSA_U8 ? draw_below(t, 256)
                                                         : draw_between(t, -4, 4);
        else
            o->values[i] = t->integers ? (double)draw_between(t, -4, 4) : draw_uniform(t, -2, 2);
    }
}

static struct operand *add_operand(struct trial *t, ursa_array *array, const char *name)
{
    struct operand *o = &t->operands[t->operand_count++];
    *o = (struct operand){.name = name, .field = (size_t)((char *)array - (char *)t->args)};
    return o;
}

struct operand *declare(struct trial *t, ursa_array *array, const char *name, enum role role, ursa_dtype dtype,
                        struct shape shape, enum layout layout)
{
    struct operand *o = add_operand(t, array, name);
    o->role = role;
    o->array.dtype = dtype;
    o->array.ndim = shape.ndim;
    for (int axis = 0; axis < shape.ndim; axis++)
        o->array.shape[axis] = shape.dim[axis];
    if (layout == CONTIGUOUS || draw_chance(t, 0.3))
        lay_contiguous(t, o);
    else
        lay_strided(t, o, layout == BROADCAST);
    o->count = shape_count(shape);
    if (ursa_dtype_is_float(dtype))
        o->values = calloc((size_t)o->count + 1, sizeof *o->values);
    else
        o->integers = calloc((size_t)o->count + 1, sizeof *o->integers);
    if (role == INPUT || role == INOUT)
        draw_values(t, o);
    return o;
}

struct operand *declare_same(struct trial *t, ursa_array *array, const char *name, struct operand *same)
{
    struct operand *o = add_operand(t, array, name);
    o->role = OUTPUT;
    o->same = same;
    o->array = same->array;
    o->count = same->count;
    o->total = same->total;
    return o;
}

void set_range(struct trial *t, struct operand *operand, double low, double high)
{
    for (int64_t i = 0; i < operand->count; i++) {
        double value = draw_uniform(t, low, high);
        operand->values[i] = t->integers ? floor(value) : value;
    }
}
