/* index.c — picking elements by index, and adding to them. */
#include "tensor.h"
#include "base/error.h"
#include "device/backend.h"
#include <inttypes.h>

/* ---- what they share --------------------------------------------------------------------------- */

struct pick {
    int axis;
    bool along;
};

/* An index as the operators take it; in the current scope. */
static ursa_tensor *as_index(const char *name, const ursa_tensor *x, ursa_tensor *index)
{
    if (ursa_dtype_is_float(index->array.dtype)) {
        ursa_fail(URSA_ERROR_TYPE, "%s: index is %s, expected an integer type", name,
                  ursa_dtype_name(index->array.dtype));
        return NULL;
    }
    return ursa_same_device(name, x, index, "index") ? ursa_dense_typed(index, URSA_I64) : NULL;
}

static ursa_tensor *run_gather(ursa_tensor *x, ursa_tensor *index, struct pick pick, ursa_dims shape)
{
    ursa_tensor *in = ursa_dense(x),
                *out = in && index ? ursa_tensor_new(ursa_device_of(x), x->array.dtype, shape) : NULL;
    if (!out)
        return NULL;
    struct ursa_gather_args args = {
        .axis = pick.axis, .along = pick.along, .x = in->array, .index = index->array, .out = out->array};
    return ursa_op_gather(ursa_device_of(x), &args) ? out : NULL;
}

/* out += x at the places of the index. */
static bool run_scatter(ursa_tensor *out, ursa_tensor *x, ursa_tensor *index, struct pick pick)
{
    ursa_tensor *in = ursa_dense(x);
    if (!out || !in || !index)
        return false;
    struct ursa_scatter_add_args args = {
        .axis = pick.axis, .along = pick.along, .x = in->array, .index = index->array, .out = out->array};
    return ursa_op_scatter_add(ursa_device_of(out), &args);
}

/* Saved: 0 the index. */
static bool gather_step(const ursa_node *node, ursa_tensor *dy, ursa_tensor **dx)
{
    dx[0] = ursa_zeros(ursa_node_shape(node, 0), .dtype = dy->array.dtype, .device = ursa_device_of(dy));
    return run_scatter(dx[0], dy, ursa_node_saved(node, 0), *(struct pick *)ursa_node_extra(node));
}

static ursa_tensor *gather(const char *name, ursa_tensor *x, ursa_tensor *index, struct pick pick, ursa_dims shape)
{
    ursa_scope *scope = ursa_scope_begin();
    ursa_tensor *places = as_index(name, x, index);
    ursa_tensor *out = places ? run_gather(x, places, pick, shape) : NULL;
    ursa_node *node = out ? URSA_RECORD(name, gather_step, 1, sizeof pick, x) : NULL;
    if (node)
        *(struct pick *)ursa_node_extra(node) = pick;
    ursa_node_save(node, 0, places);
    return ursa_leave(scope, ursa_node_attach(node, out));
}

/* ---- slices picked from an axis --------------------------------------------------------------------- */

static ursa_tensor *take(const char *name, ursa_tensor *x, int axis, ursa_tensor *index)
{
    const ursa_array *a = &x->array, *i = &index->array;
    if (a->ndim - 1 + i->ndim > URSA_MAX_DIMS) {
        ursa_fail(URSA_ERROR_SHAPE, "%s: an index of %s into %s gives more than %d dimensions", name,
                  ursa_shape_text(i->ndim, i->shape).text, ursa_shape_text(a->ndim, a->shape).text, URSA_MAX_DIMS);
        return NULL;
    }
    ursa_dims shape = {.ndim = 0};
    for (int d = 0; d < axis; d++)
        shape.dim[shape.ndim++] = a->shape[d];
    for (int d = 0; d < i->ndim; d++)
        shape.dim[shape.ndim++] = i->shape[d];
    for (int d = axis + 1; d < a->ndim; d++)
        shape.dim[shape.ndim++] = a->shape[d];
    return gather(name, x, index, (struct pick){axis, false}, shape);
}

ursa_tensor *ursa_take(ursa_tensor *x, int axis, ursa_tensor *index)
{
    int found = x && index ? ursa_find_axis("take", x, axis) : -1;
    return found < 0 ? NULL : take("take", x, found, index);
}

ursa_tensor *ursa_embedding(ursa_tensor *weight, ursa_tensor *index)
{
    if (!weight || !index)
        return NULL;
    if (weight->array.ndim != 2) {
        ursa_fail(URSA_ERROR_SHAPE, "embedding: weight is %s, expected [V, D]",
                  ursa_shape_text(weight->array.ndim, weight->array.shape).text);
        return NULL;
    }
    return take("embedding", weight, 0, index);
}

/* ---- elements picked along an axis --------------------------------------------------------------------- */

static bool check_along(const char *name, const ursa_tensor *x, const ursa_tensor *index, int axis)
{
    ursa_dims a = ursa_array_dims(&x->array), b = ursa_array_dims(&index->array), expected = a;
    if (b.ndim == a.ndim)
        expected.dim[axis] = b.dim[axis];
    return ursa_same_dims(&b, &expected) ||
           ursa_fail(URSA_ERROR_SHAPE, "%s: index is %s, expected the extents of x, which is %s, but for axis %d", name,
                     ursa_shape_text(b.ndim, b.dim).text, ursa_shape_text(a.ndim, a.dim).text, axis);
}

ursa_tensor *ursa_gather(ursa_tensor *x, int axis, ursa_tensor *index)
{
    int found = x && index ? ursa_find_axis("gather", x, axis) : -1;
    if (found < 0 || !check_along("gather", x, index, found))
        return NULL;
    return gather("gather", x, index, (struct pick){found, true}, ursa_dims_of(index));
}

/* Inputs x, values. Saved: 0 the index. */
static bool scatter_step(const ursa_node *node, ursa_tensor *dy, ursa_tensor **dx)
{
    if (ursa_node_wants(node, 0))
        dx[0] = dy;
    if (ursa_node_wants(node, 1))
        dx[1] =
            run_gather(dy, ursa_node_saved(node, 0), *(struct pick *)ursa_node_extra(node), ursa_node_shape(node, 1));
    return dx[1] || !ursa_node_wants(node, 1);
}

/* x as numbers that can be added to, in memory of its own. */
static ursa_tensor *own_copy(ursa_tensor *x, ursa_dtype dtype)
{
    ursa_no_grad_begin();
    ursa_tensor *copy = x->array.dtype == dtype ? ursa_clone(x) : ursa_typed(x, dtype);
    ursa_no_grad_end();
    return copy;
}

ursa_tensor *ursa_scatter_add(ursa_tensor *x, int axis, ursa_tensor *index, ursa_tensor *values)
{
    const char *name = "scatter_add";
    int found = x && index && values ? ursa_find_axis(name, x, axis) : -1;
    if (found < 0 || !check_along(name, x, index, found) || !ursa_same_device(name, x, values, "values"))
        return NULL;
    ursa_dims want = ursa_dims_of(index), have = ursa_dims_of(values);
    if (!ursa_same_dims(&want, &have)) {
        ursa_fail(URSA_ERROR_SHAPE, "scatter_add: values is %s, expected %s as index",
                  ursa_shape_text(have.ndim, have.dim).text, ursa_shape_text(want.ndim, want.dim).text);
        return NULL;
    }
    ursa_scope *scope = ursa_scope_begin();
    ursa_dtype dtype = ursa_promote_types(x->array.dtype, values->array.dtype);
    if (dtype == URSA_U8 || dtype == URSA_BOOL)
        dtype = URSA_I32;
    struct pick pick = {found, true};
    ursa_tensor *places = as_index(name, x, index), *out = places ? own_copy(x, dtype) : NULL;
    if (!run_scatter(out, ursa_typed(values, dtype), places, pick))
        return ursa_leave(scope, NULL);
    ursa_node *node = URSA_RECORD(name, scatter_step, 1, sizeof pick, x, values);
    if (node)
        *(struct pick *)ursa_node_extra(node) = pick;
    ursa_node_save(node, 0, places);
    return ursa_leave(scope, ursa_node_attach(node, out));
}

/* ---- one hot ------------------------------------------------------------------------------------------------ */

ursa_tensor *ursa_one_hot(ursa_tensor *index, int64_t classes)
{
    if (!index)
        return NULL;
    ursa_dims shape = ursa_dims_of(index);
    if (shape.ndim == URSA_MAX_DIMS || classes < 1) {
        ursa_fail(URSA_ERROR_SHAPE, "one_hot: %" PRId64 " classes of an index of %s", classes,
                  ursa_shape_text(shape.ndim, shape.dim).text);
        return NULL;
    }
    ursa_scope *scope = ursa_scope_begin();
    ursa_device *device = ursa_device_of(index);
    ursa_tensor *places = ursa_unsqueeze(index, -1);
    shape.dim[shape.ndim++] = classes;
    ursa_tensor *zeros = ursa_zeros(shape, .device = device);
    ursa_tensor *ones = ursa_ones(ursa_dims_of(places), .device = device);
    return ursa_leave(scope, ursa_scatter_add(zeros, -1, places, ones));
}
