/* check.c — what the checks of all operators share, and the wrappers that
 * check an operator and run it. */
#include "check.h"
#include "base/error.h"
#include <inttypes.h>
#include <stdio.h>

/* ---- one array -------------------------------------------------------------- */

static bool check_type(const struct ursa_check *check, const char *name, const ursa_array *array, unsigned expected)
{
    unsigned types = expected & URSA_TYPE_BITS ? expected & URSA_TYPE_BITS : check->types;
    if ((unsigned)array->dtype < URSA_DTYPE_COUNT && (types >> array->dtype & 1))
        return true;
    char list[64] = "";
    size_t used = 0;
    for (int i = 0; i < URSA_DTYPE_COUNT; i++)
        if (types >> i & 1)
            used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", used ? ", " : "", ursa_dtype_name(i));
    return ursa_fail(URSA_ERROR_TYPE, "%s: %s is %s, expected %s", check->op, name, ursa_dtype_name(array->dtype),
                     list);
}

/* First and last element of a view that is not empty. */
static void range_of(const ursa_array *array, int64_t *first, int64_t *last)
{
    *first = *last = array->offset;
    for (int i = 0; i < array->ndim; i++) {
        int64_t reach = (array->shape[i] - 1) * array->stride[i];
        *(reach < 0 ? first : last) += reach;
    }
}

static bool check_layout(const struct ursa_check *check, const char *name, const ursa_array *array, unsigned expected)
{
    if (!(expected & URSA_STRIDED) && !ursa_array_is_contiguous(array))
        return ursa_fail(URSA_ERROR_ARGUMENT, "%s: %s %s is not contiguous (strides %s)", check->op, name,
                         ursa_shape_text(array->ndim, array->shape).text,
                         ursa_shape_text(array->ndim, array->stride).text);
    int64_t first, last;
    range_of(array, &first, &last);
    size_t held = array->buffer->bytes / ursa_device_element_size(array->buffer->device, array->dtype);
    if (first < 0 || (uint64_t)last >= held)
        return ursa_fail(URSA_ERROR_ARGUMENT, "%s: %s covers elements %" PRId64 " … %" PRId64 " of a buffer of %zu",
                         check->op, name, first, last, held);
    for (int i = 0; i < array->ndim && (expected & URSA_OUTPUT); i++)
        if (array->stride[i] == 0 && array->shape[i] > 1)
            return ursa_fail(URSA_ERROR_ARGUMENT, "%s: %s is written, and repeats the same memory along axis %d",
                             check->op, name, i);
    return true;
}

bool ursa_check_array(const struct ursa_check *check, const char *name, const ursa_array *array, unsigned expected)
{
    if (!ursa_is_present(array))
        return (expected & URSA_OPTIONAL) || ursa_fail(URSA_ERROR_ARGUMENT, "%s: %s is missing", check->op, name);
    if (array->buffer->device != check->device)
        return ursa_fail(URSA_ERROR_DEVICE, "%s: %s is on %s, expected %s", check->op, name,
                         array->buffer->device->info.id, check->device->info.id);
    if (!check_type(check, name, array, expected))
        return false;
    if (array->ndim < 0 || array->ndim > URSA_MAX_DIMS)
        return ursa_fail(URSA_ERROR_SHAPE, "%s: %s has %d dimensions, expected up to %d", check->op, name, array->ndim,
                         URSA_MAX_DIMS);
    bool empty = false;
    for (int i = 0; i < array->ndim; i++) {
        if (array->shape[i] < 0)
            return ursa_fail(URSA_ERROR_SHAPE, "%s: %s is %s, expected no negative extent", check->op, name,
                             ursa_shape_text(array->ndim, array->shape).text);
        empty |= array->shape[i] == 0;
    }
    if (check->call)
        ursa_profile_array(check->call, name, array);
    return empty || check_layout(check, name, array, expected);
}

bool ursa_check_rank(const struct ursa_check *check, const char *name, const ursa_array *array, int ndim)
{
    return !ursa_is_present(array) || array->ndim == ndim ||
           ursa_fail(URSA_ERROR_SHAPE, "%s: %s is %s, expected %d dimensions", check->op, name,
                     ursa_shape_text(array->ndim, array->shape).text, ndim);
}

bool ursa_check_shape(const struct ursa_check *check, const char *name, const ursa_array *array, int ndim,
                      const int64_t *shape)
{
    if (!ursa_is_present(array))
        return true;
    bool same = array->ndim == ndim;
    for (int i = 0; i < ndim && same; i++)
        same = array->shape[i] == shape[i];
    return same || ursa_fail(URSA_ERROR_SHAPE, "%s: %s is %s, expected %s", check->op, name,
                             ursa_shape_text(array->ndim, array->shape).text, ursa_shape_text(ndim, shape).text);
}

bool ursa_check_same_shape(const struct ursa_check *check, const char *name, const ursa_array *array,
                           const ursa_array *like)
{
    return ursa_check_shape(check, name, array, like->ndim, like->shape);
}

bool ursa_check_reduced(const struct ursa_check *check, const char *name, const ursa_array *array, const ursa_array *x)
{
    if (!ursa_is_present(array))
        return true;
    bool fits = array->ndim == x->ndim;
    for (int i = 0; i < x->ndim && fits; i++)
        fits = array->shape[i] == x->shape[i] || array->shape[i] == 1;
    return fits || ursa_fail(URSA_ERROR_SHAPE, "%s: %s is %s, expected %s with 1 on some axes", check->op, name,
                             ursa_shape_text(array->ndim, array->shape).text, ursa_shape_text(x->ndim, x->shape).text);
}

bool ursa_check_axis(const struct ursa_check *check, const ursa_array *x, int axis)
{
    return (axis >= 0 && axis < x->ndim) || ursa_fail(URSA_ERROR_ARGUMENT, "%s: axis %d of x, which is %s", check->op,
                                                      axis, ursa_shape_text(x->ndim, x->shape).text);
}

bool ursa_check_together(const struct ursa_check *check, const char *name, const ursa_array *array, const char *other,
                         const ursa_array *beside)
{
    if (ursa_is_present(array) == ursa_is_present(beside))
        return true;
    bool first = ursa_is_present(array);
    return ursa_fail(URSA_ERROR_ARGUMENT, "%s: %s is missing beside %s", check->op, first ? other : name,
                     first ? name : other);
}

bool ursa_check_number(const struct ursa_check *check, const char *name, double value, double low, double high)
{
    return (value >= low && value <= high) ||
           ursa_fail(URSA_ERROR_ARGUMENT, "%s: %s is %g, expected %g … %g", check->op, name, value, low, high);
}

/* ---- two arrays ------------------------------------------------------------- */

bool ursa_check_same_type(const struct ursa_check *check, const char *name, const ursa_array *array, const char *other,
                          const ursa_array *like)
{
    return !ursa_is_present(array) || !ursa_is_present(like) || array->dtype == like->dtype ||
           ursa_fail(URSA_ERROR_TYPE, "%s: %s is %s, expected %s as %s", check->op, name, ursa_dtype_name(array->dtype),
                     ursa_dtype_name(like->dtype), other);
}

static bool is_same_array(const ursa_array *a, const ursa_array *b)
{
    if (a->offset != b->offset || a->dtype != b->dtype || a->ndim != b->ndim)
        return false;
    for (int i = 0; i < a->ndim; i++)
        if (a->shape[i] != b->shape[i] || (a->shape[i] > 1 && a->stride[i] != b->stride[i]))
            return false;
    return true;
}

bool ursa_check_apart(const struct ursa_check *check, const char *name, const ursa_array *output, const char *other,
                      const ursa_array *input, bool in_place)
{
    if (output->buffer != input->buffer || !ursa_is_present(output))
        return true;
    if (ursa_array_count(output) == 0 || ursa_array_count(input) == 0 || (in_place && is_same_array(output, input)))
        return true;
    int64_t first[2], last[2];
    range_of(output, &first[0], &last[0]);
    range_of(input, &first[1], &last[1]);
    bool disjoint = last[0] < first[1] || last[1] < first[0];
    bool interleaved = !ursa_array_is_contiguous(output) && !ursa_array_is_contiguous(input);
    return disjoint || interleaved ||
           ursa_fail(URSA_ERROR_ARGUMENT, "%s: %s overlaps %s in memory", check->op, name, other);
}

/* ---- the wrappers ------------------------------------------------------------- */

#define FLOAT_TYPES  URSA_ANY_FLOAT
#define NUMBER_TYPES (FLOAT_TYPES | URSA_ONLY_I32 | URSA_ONLY_I64)

/* The types of ops.def as bits; folded by the compiler. */
static inline unsigned types_named(const char *types)
{
    return types[0] == 'a'   ? URSA_TYPE_BITS
           : types[0] == 'n' ? NUMBER_TYPES
           : types[1] == '3' ? URSA_ONLY_F32
                             : FLOAT_TYPES;
}

#define URSA_OP(name, types, text)                                                                                     \
    bool ursa_op_##name(ursa_device *device, const struct ursa_##name##_args *args)                                    \
    {                                                                                                                  \
        if (!device || !args)                                                                                          \
            return false;                                                                                              \
        struct ursa_call call;                                                                                         \
        struct ursa_check check = {#name, device, types_named(types), ursa_profile_prepare(&call, #name, device)};     \
        int64_t work = ursa_check_##name(&check, args);                                                                \
        if (work <= 0)                                                                                                 \
            return work == 0;                                                                                          \
        if (!device->backend->name)                                                                                    \
            return ursa_fail(URSA_ERROR_UNSUPPORTED, #name " is not available on %s", device->info.id);                \
        ursa_profile_begin(check.call);                                                                                \
        bool done = device->backend->name(device, args);                                                               \
        ursa_profile_end(check.call, args);                                                                            \
        return done;                                                                                                   \
    }
#include "ops.def"
#undef URSA_OP
