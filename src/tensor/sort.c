/* sort.c — functions along one axis: positions of extremes, running sums,
 * sorting, softmax. */
#include "tensor.h"
#include "base/error.h"
#include "device/backend.h"
#include <inttypes.h>

/* Small integers as i32, which the operators take. */
static ursa_tensor *number(ursa_tensor *x)
{
    bool small = x->array.dtype == URSA_U8 || x->array.dtype == URSA_BOOL;
    return small ? ursa_typed(x, URSA_I32) : x;
}

/* ---- argmax and argmin -------------------------------------------------------------------------------- */

static ursa_tensor *arg_reduce(const char *name, bool max, ursa_tensor *x, int axis, bool keep)
{
    int found = x ? ursa_find_axis(name, x, axis) : -1;
    if (found < 0)
        return NULL;
    ursa_scope *scope = ursa_scope_begin();
    ursa_dims shape = ursa_array_dims(&x->array);
    shape.dim[found] = 1;
    ursa_tensor *in = number(x), *out = ursa_tensor_new(ursa_device_of(x), URSA_I64, shape);
    if (!in || !out)
        return ursa_leave(scope, NULL);
    struct ursa_arg_reduce_args args = {.max = max, .axis = found, .x = in->array, .out = out->array};
    if (!ursa_op_arg_reduce(ursa_device_of(x), &args))
        return ursa_leave(scope, NULL);
    return ursa_leave(scope, keep ? out : ursa_squeeze(out, found));
}

ursa_tensor *ursa_argmax(ursa_tensor *x, int axis, bool keep)
{
    return arg_reduce("argmax", true, x, axis, keep);
}

ursa_tensor *ursa_argmin(ursa_tensor *x, int axis, bool keep)
{
    return arg_reduce("argmin", false, x, axis, keep);
}

/* ---- running sums -------------------------------------------------------------------------------------- */

static ursa_tensor *run_cumsum(const ursa_tensor *x, int axis, bool reverse)
{
    ursa_tensor *out = ursa_empty_like(x);
    if (!out)
        return NULL;
    struct ursa_cumsum_args args = {.axis = axis, .reverse = reverse, .x = x->array, .out = out->array};
    return ursa_op_cumsum(ursa_device_of(x), &args) ? out : NULL;
}

static bool cumsum_step(const ursa_node *node, ursa_tensor *dy, ursa_tensor **dx)
{
    dx[0] = run_cumsum(dy, *(int *)ursa_node_extra(node), true);
    return dx[0] != NULL;
}

ursa_tensor *ursa_cumsum(ursa_tensor *x, int axis)
{
    int found = x ? ursa_find_axis("cumsum", x, axis) : -1;
    if (found < 0)
        return NULL;
    ursa_scope *scope = ursa_scope_begin();
    bool wide = ursa_dtype_is_float(x->array.dtype);
    ursa_tensor *in = wide ? x : ursa_typed(x, URSA_I64);
    ursa_tensor *out = in ? run_cumsum(in, found, false) : NULL;
    ursa_node *node = out ? URSA_RECORD("cumsum", cumsum_step, 0, sizeof found, x) : NULL;
    if (node)
        *(int *)ursa_node_extra(node) = found;
    return ursa_leave(scope, ursa_node_attach(node, out));
}

/* ---- sorting --------------------------------------------------------------------------------------------- */

/* Saved: 0 the indices. */
static bool sort_step(const ursa_node *node, ursa_tensor *dy, ursa_tensor **dx)
{
    int axis = *(int *)ursa_node_extra(node);
    ursa_tensor *zeros = ursa_zeros(ursa_node_shape(node, 0), .dtype = dy->array.dtype, .device = ursa_device_of(dy));
    dx[0] = ursa_scatter_add(zeros, axis, ursa_node_saved(node, 0), dy);
    return dx[0] != NULL;
}

struct sorted {
    ursa_tensor *values, *indices;
};

static bool run_sort(const char *name, ursa_tensor *x, int axis, int64_t k, bool descending, struct sorted *out)
{
    ursa_dims shape = ursa_array_dims(&x->array);
    shape.dim[axis] = k;
    ursa_tensor *in = number(x);
    out->values = in ? ursa_tensor_new(ursa_device_of(x), in->array.dtype, shape) : NULL;
    out->indices = ursa_tensor_new(ursa_device_of(x), URSA_I64, shape);
    if (!out->values || !out->indices)
        return false;
    struct ursa_sort_args args = {.axis = axis,
                                  .descending = descending,
                                  .x = in->array,
                                  .values = out->values->array,
                                  .indices = out->indices->array};
    if (!ursa_op_sort(ursa_device_of(x), &args))
        return false;
    ursa_node *node = URSA_RECORD(name, sort_step, 1, sizeof axis, x);
    if (node)
        *(int *)ursa_node_extra(node) = axis;
    ursa_node_save(node, 0, out->indices);
    out->values = ursa_typed(ursa_node_attach(node, out->values), x->array.dtype);
    return out->values != NULL;
}

static bool sort(const char *name, ursa_tensor *x, int axis, int64_t k, bool descending, ursa_tensor **values,
                 ursa_tensor **indices)
{
    ursa_scope *scope = ursa_scope_begin();
    struct sorted out;
    bool done = run_sort(name, x, axis, k, descending, &out);
    if (values)
        *values = done ? ursa_promote(out.values) : NULL;
    if (indices)
        *indices = done ? ursa_promote(out.indices) : NULL;
    ursa_scope_end(scope);
    return done;
}

static bool clear_results(ursa_tensor **values, ursa_tensor **indices)
{
    if (values)
        *values = NULL;
    if (indices)
        *indices = NULL;
    return false;
}

bool ursa_sort(ursa_tensor *x, int axis, bool descending, ursa_tensor **values, ursa_tensor **indices)
{
    int found = x ? ursa_find_axis("sort", x, axis) : -1;
    if (found < 0)
        return clear_results(values, indices);
    return sort("sort", x, found, x->array.shape[found], descending, values, indices);
}

bool ursa_topk(ursa_tensor *x, int axis, int64_t k, bool largest, ursa_tensor **values, ursa_tensor **indices)
{
    int found = x ? ursa_find_axis("topk", x, axis) : -1;
    if (found < 0)
        return clear_results(values, indices);
    if (k < 0 || k > x->array.shape[found]) {
        ursa_fail(URSA_ERROR_ARGUMENT, "topk: k is %" PRId64 ", expected 0 … %" PRId64 " as axis %d of x", k,
                  x->array.shape[found], axis);
        return clear_results(values, indices);
    }
    return sort("topk", x, found, k, largest, values, indices);
}

/* ---- softmax ------------------------------------------------------------------------------------------------ */

struct softmax {
    int axis;
    bool log;
};

/* Saved: 0 y. */
static bool softmax_step(const ursa_node *node, ursa_tensor *dy, ursa_tensor **dx)
{
    const struct softmax *softmax = ursa_node_extra(node);
    ursa_tensor *y = ursa_node_saved(node, 0);
    dy = ursa_dense(dy);
    dx[0] = y ? ursa_reuse(dy) : NULL;
    if (!dx[0])
        return false;
    struct ursa_softmax_grad_args args = {
        .axis = softmax->axis, .log = softmax->log, .y = y->array, .dy = dy->array, .dx = dx[0]->array};
    return ursa_op_softmax_grad(ursa_device_of(dy), &args);
}

static ursa_tensor *softmax(const char *name, bool log, ursa_tensor *x, int axis)
{
    int found = x ? ursa_find_axis(name, x, axis) : -1;
    if (found < 0)
        return NULL;
    ursa_scope *scope = ursa_scope_begin();
    struct softmax softmax = {found, log};
    ursa_tensor *in = ursa_dense_typed(x, ursa_dtype_is_float(x->array.dtype) ? x->array.dtype : URSA_F32);
    ursa_tensor *out = ursa_empty_like(in);
    if (!out)
        return ursa_leave(scope, NULL);
    struct ursa_softmax_args args = {.axis = found, .log = log, .x = in->array, .out = out->array};
    if (!ursa_op_softmax(ursa_device_of(x), &args))
        return ursa_leave(scope, NULL);
    ursa_node *node = URSA_RECORD(name, softmax_step, 1, sizeof softmax, x);
    if (node)
        *(struct softmax *)ursa_node_extra(node) = softmax;
    ursa_node_save(node, 0, out);
    return ursa_leave(scope, ursa_node_attach(node, out));
}

ursa_tensor *ursa_softmax(ursa_tensor *x, int axis)
{
    return softmax("softmax", false, x, axis);
}

ursa_tensor *ursa_log_softmax(ursa_tensor *x, int axis)
{
    return softmax("log_softmax", true, x, axis);
}
