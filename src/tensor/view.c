/* view.c — views: other shapes over the same memory. */
#include "tensor.h"
#include "base/error.h"
#include "device/backend.h"
#include <inttypes.h>

/* ---- reshape ----------------------------------------------------------------------------- */

/* The strides that show `x` in another shape without a copy: groups of axes
 * of both with the same product must be contiguous within. False when there
 * are none. */
static bool view_strides(const ursa_array *x, const ursa_dims *shape, int64_t *stride)
{
    int old_axis = 0, new_axis = 0;
    int64_t from_shape[URSA_MAX_DIMS], from_stride[URSA_MAX_DIMS];
    int from = 0;
    for (int i = 0; i < x->ndim; i++)
        if (x->shape[i] != 1) {
            from_shape[from] = x->shape[i];
            from_stride[from++] = x->stride[i];
        }
    while (new_axis < shape->ndim) {
        if (shape->dim[new_axis] == 1) {
            stride[new_axis++] = 1;
            continue;
        }
        if (old_axis == from)
            return false;
        int first_new = new_axis, last_old = old_axis;
        int64_t old_count = from_shape[last_old], new_count = shape->dim[new_axis++];
        while (old_count != new_count) {
            if (new_count < old_count) {
                if (new_axis == shape->ndim)
                    return false;
                new_count *= shape->dim[new_axis++];
            } else {
                if (++last_old == from)
                    return false;
                if (from_stride[last_old - 1] != from_shape[last_old] * from_stride[last_old])
                    return false;
                old_count *= from_shape[last_old];
            }
        }
        int64_t step = from_stride[last_old];
        for (int i = new_axis - 1; i >= first_new; i--) {
            stride[i] = step;
            step *= shape->dim[i];
        }
        old_axis = last_old + 1;
    }
    return true;
}

static void contiguous_strides(const ursa_dims *shape, int64_t *stride)
{
    int64_t step = 1;
    for (int i = shape->ndim - 1; i >= 0; i--) {
        stride[i] = step;
        step *= shape->dim[i];
    }
}

static bool fail_reshape(const ursa_tensor *x, const ursa_dims *shape)
{
    return ursa_fail(URSA_ERROR_SHAPE, "reshape: %s does not become %s",
                     ursa_shape_text(x->array.ndim, x->array.shape).text,
                     ursa_shape_text(shape->ndim, shape->dim).text);
}

/* Puts the extent that -1 stands for. */
static bool resolve_shape(const ursa_tensor *x, ursa_dims *shape)
{
    int64_t count = ursa_count(x), known = 1;
    int open = -1;
    if (shape->ndim < 0 || shape->ndim > URSA_MAX_DIMS)
        return fail_reshape(x, shape);
    for (int i = 0; i < shape->ndim; i++) {
        if (shape->dim[i] == -1 && open < 0)
            open = i;
        else if (shape->dim[i] < 0 || __builtin_mul_overflow(known, shape->dim[i], &known))
            return fail_reshape(x, shape);
    }
    if (open >= 0 && (known == 0 || count % known))
        return fail_reshape(x, shape);
    if (open >= 0)
        shape->dim[open] = count / known;
    else if (known != count)
        return fail_reshape(x, shape);
    return true;
}

static bool reshape_step(const ursa_node *node, ursa_tensor *dy, ursa_tensor **dx)
{
    dx[0] = ursa_reshape(dy, ursa_node_shape(node, 0));
    return dx[0] != NULL;
}

ursa_tensor *ursa_reshape(ursa_tensor *x, ursa_dims shape)
{
    if (!x || !resolve_shape(x, &shape))
        return NULL;
    ursa_dims now = ursa_array_dims(&x->array);
    if (ursa_same_dims(&now, &shape))
        return x;
    int64_t stride[URSA_MAX_DIMS] = {0};
    ursa_node *node = URSA_RECORD("reshape", reshape_step, 0, 0, x);
    if (ursa_is_contiguous(x))
        contiguous_strides(&shape, stride);
    else if (!view_strides(&x->array, &shape, stride)) {
        ursa_scope *scope = ursa_scope_begin();
        ursa_tensor *dense = ursa_dense(x);
        contiguous_strides(&shape, stride);
        ursa_tensor *out = dense ? ursa_tensor_view(dense, shape.ndim, shape.dim, stride, 0) : NULL;
        return ursa_leave(scope, ursa_node_attach(node, out));
    }
    return ursa_node_attach(node, ursa_tensor_view(x, shape.ndim, shape.dim, stride, x->array.offset));
}

ursa_tensor *ursa_flatten(ursa_tensor *x, int first_axis, int last_axis)
{
    if (!x)
        return NULL;
    if (x->array.ndim == 0)
        return ursa_reshape(x, ursa_shape(1));
    int first = ursa_find_axis("flatten", x, first_axis), last = ursa_find_axis("flatten", x, last_axis);
    if (first < 0 || last < 0)
        return NULL;
    if (first > last) {
        ursa_fail(URSA_ERROR_ARGUMENT, "flatten: axis %d comes after axis %d", first_axis, last_axis);
        return NULL;
    }
    ursa_dims shape = {.ndim = 0};
    for (int i = 0; i < x->array.ndim; i++) {
        if (i > first && i <= last)
            shape.dim[shape.ndim - 1] *= x->array.shape[i];
        else
            shape.dim[shape.ndim++] = x->array.shape[i];
    }
    return ursa_reshape(x, shape);
}

/* Extents of 1 come and go whatever the strides: these always are views. */
ursa_tensor *ursa_squeeze(ursa_tensor *x, int axis)
{
    int found = x ? ursa_find_axis("squeeze", x, axis) : -1;
    if (found < 0)
        return NULL;
    if (x->array.shape[found] != 1) {
        ursa_fail(URSA_ERROR_SHAPE, "squeeze: axis %d of x, which is %s, expected an extent of 1", axis,
                  ursa_shape_text(x->array.ndim, x->array.shape).text);
        return NULL;
    }
    ursa_array out = x->array;
    out.ndim--;
    for (int i = found; i < out.ndim; i++) {
        out.shape[i] = out.shape[i + 1];
        out.stride[i] = out.stride[i + 1];
    }
    return ursa_node_attach(URSA_RECORD("squeeze", reshape_step, 0, 0, x), ursa_tensor_of(&out));
}

ursa_tensor *ursa_unsqueeze(ursa_tensor *x, int axis)
{
    if (!x)
        return NULL;
    ursa_array out = x->array;
    int place = axis < 0 ? axis + out.ndim + 1 : axis;
    if (place < 0 || place > out.ndim || out.ndim == URSA_MAX_DIMS) {
        ursa_fail(URSA_ERROR_SHAPE, "unsqueeze: a new axis %d of x, which is %s", axis,
                  ursa_shape_text(out.ndim, out.shape).text);
        return NULL;
    }
    for (int i = out.ndim; i > place; i--) {
        out.shape[i] = out.shape[i - 1];
        out.stride[i] = out.stride[i - 1];
    }
    out.ndim++;
    out.shape[place] = 1;
    out.stride[place] = 1;
    return ursa_node_attach(URSA_RECORD("unsqueeze", reshape_step, 0, 0, x), ursa_tensor_of(&out));
}

/* ---- permute -------------------------------------------------------------------------------- */

static bool permute_step(const ursa_node *node, ursa_tensor *dy, ursa_tensor **dx)
{
    const ursa_dims *order = ursa_node_extra(node);
    ursa_dims inverse = {.ndim = order->ndim};
    for (int i = 0; i < order->ndim; i++)
        inverse.dim[order->dim[i]] = i;
    dx[0] = ursa_permute(dy, inverse);
    return dx[0] != NULL;
}

ursa_tensor *ursa_permute(ursa_tensor *x, ursa_dims order)
{
    if (!x)
        return NULL;
    ursa_array out = x->array;
    bool seen[URSA_MAX_DIMS] = {false}, fits = order.ndim == out.ndim;
    for (int i = 0; i < order.ndim && fits; i++) {
        int64_t axis = order.dim[i] < 0 ? order.dim[i] + out.ndim : order.dim[i];
        fits = axis >= 0 && axis < out.ndim && !seen[axis];
        if (!fits)
            break;
        seen[axis] = true;
        order.dim[i] = axis;
        out.shape[i] = x->array.shape[axis];
        out.stride[i] = x->array.stride[axis];
    }
    if (!fits) {
        ursa_fail(URSA_ERROR_ARGUMENT, "permute: the order %s is not one of the axes of x, which is %s",
                  ursa_shape_text(order.ndim, order.dim).text, ursa_shape_text(x->array.ndim, x->array.shape).text);
        return NULL;
    }
    ursa_node *node = URSA_RECORD("permute", permute_step, 0, sizeof order, x);
    if (node)
        *(ursa_dims *)ursa_node_extra(node) = order;
    return ursa_node_attach(node, ursa_tensor_of(&out));
}

ursa_tensor *ursa_transpose(ursa_tensor *x, int a, int b)
{
    if (!x)
        return NULL;
    int first = ursa_find_axis("transpose", x, a), second = ursa_find_axis("transpose", x, b);
    if (first < 0 || second < 0)
        return NULL;
    ursa_dims order = {.ndim = x->array.ndim};
    for (int i = 0; i < order.ndim; i++)
        order.dim[i] = i;
    order.dim[first] = second;
    order.dim[second] = first;
    return ursa_permute(x, order);
}

/* ---- expand ------------------------------------------------------------------------------------ */

/* The tape sums over broadcast axes itself. */
static bool expand_step(const ursa_node *node, ursa_tensor *dy, ursa_tensor **dx)
{
    (void)node;
    dx[0] = dy;
    return true;
}

ursa_tensor *ursa_expand(ursa_tensor *x, ursa_dims shape)
{
    if (!x)
        return NULL;
    ursa_dims both;
    if (shape.ndim < 0 || shape.ndim > URSA_MAX_DIMS ||
        !ursa_broadcast("expand", ursa_array_dims(&x->array), shape, &both))
        return NULL;
    if (!ursa_same_dims(&both, &shape)) {
        ursa_fail(URSA_ERROR_SHAPE, "expand: %s does not broadcast to %s",
                  ursa_shape_text(x->array.ndim, x->array.shape).text, ursa_shape_text(shape.ndim, shape.dim).text);
        return NULL;
    }
    ursa_array out = ursa_stretch(&x->array, &shape);
    return ursa_node_attach(URSA_RECORD("expand", expand_step, 0, 0, x), ursa_tensor_of(&out));
}

/* ---- flip and slice ------------------------------------------------------------------------------- */

static bool flip_step(const ursa_node *node, ursa_tensor *dy, ursa_tensor **dx)
{
    dx[0] = ursa_flip(dy, *(int *)ursa_node_extra(node));
    return dx[0] != NULL;
}

ursa_tensor *ursa_flip(ursa_tensor *x, int axis)
{
    int found = x ? ursa_find_axis("flip", x, axis) : -1;
    if (found < 0)
        return NULL;
    ursa_array out = x->array;
    if (out.shape[found] > 0)
        out.offset += (out.shape[found] - 1) * out.stride[found];
    out.stride[found] = -out.stride[found];
    ursa_node *node = URSA_RECORD("flip", flip_step, 0, sizeof found, x);
    if (node)
        *(int *)ursa_node_extra(node) = found;
    return ursa_node_attach(node, ursa_tensor_of(&out));
}

struct slice {
    int axis;
    int64_t start, count, step;
};

static ursa_array sliced(const ursa_array *x, const struct slice *slice)
{
    ursa_array out = *x;
    if (slice->count > 0)
        out.offset += slice->start * out.stride[slice->axis];
    out.shape[slice->axis] = slice->count;
    out.stride[slice->axis] *= slice->step;
    return out;
}

static bool slice_step(const ursa_node *node, ursa_tensor *dy, ursa_tensor **dx)
{
    dx[0] = ursa_zeros(ursa_node_shape(node, 0), .dtype = dy->array.dtype, .device = ursa_device_of(dy));
    if (!dx[0])
        return false;
    ursa_array out = sliced(&dx[0]->array, ursa_node_extra(node));
    return ursa_op_copy(ursa_device_of(dy), &(struct ursa_copy_args){.x = dy->array, .out = out});
}

static ursa_tensor *take_slice(const char *name, ursa_tensor *x, struct slice slice)
{
    ursa_array out = sliced(&x->array, &slice);
    ursa_node *node = URSA_RECORD(name, slice_step, 0, sizeof slice, x);
    if (node)
        *(struct slice *)ursa_node_extra(node) = slice;
    return ursa_node_attach(node, ursa_tensor_of(&out));
}

static int64_t clamped(int64_t position, int64_t extent)
{
    if (position < 0)
        position += extent;
    return position < 0 ? 0 : position > extent ? extent : position;
}

ursa_tensor *ursa_slice(ursa_tensor *x, int axis, int64_t start, int64_t end, int64_t step)
{
    int found = x ? ursa_find_axis("slice", x, axis) : -1;
    if (found < 0)
        return NULL;
    if (step <= 0) {
        ursa_fail(URSA_ERROR_ARGUMENT, "slice: a step of %" PRId64 ", expected 1 or more", step);
        return NULL;
    }
    int64_t extent = x->array.shape[found], first = clamped(start, extent), last = clamped(end, extent);
    int64_t count = last > first ? (last - first - 1) / step + 1 : 0;
    return take_slice("slice", x, (struct slice){found, first, count, step});
}

ursa_tensor *ursa_select(ursa_tensor *x, int axis, int64_t index)
{
    int found = x ? ursa_find_axis("select", x, axis) : -1;
    if (found < 0)
        return NULL;
    int64_t extent = x->array.shape[found], place = index < 0 ? index + extent : index;
    if (place < 0 || place >= extent) {
        ursa_fail(URSA_ERROR_ARGUMENT, "select: index %" PRId64 " of axis %d of x, which is %s", index, axis,
                  ursa_shape_text(x->array.ndim, x->array.shape).text);
        return NULL;
    }
    ursa_scope *scope = ursa_scope_begin();
    ursa_tensor *one = take_slice("select", x, (struct slice){found, place, 1, 1});
    return ursa_leave(scope, ursa_squeeze(one, found));
}

int ursa_split(ursa_tensor *x, int axis, int64_t size, ursa_tensor **out, int capacity)
{
    int found = x ? ursa_find_axis("split", x, axis) : -1;
    if (found < 0)
        return -1;
    int64_t extent = x->array.shape[found];
    int64_t parts = size > 0 ? (extent + size - 1) / size : 0;
    if (size <= 0 || parts > capacity) {
        ursa_fail(URSA_ERROR_ARGUMENT, "split: parts of %" PRId64 " of axis %d of x, which is %s, into %d places", size,
                  axis, ursa_shape_text(x->array.ndim, x->array.shape).text, capacity);
        return -1;
    }
    for (int i = 0; i < (int)parts; i++) {
        int64_t start = i * size, count = extent - start < size ? extent - start : size;
        out[i] = take_slice("split", x, (struct slice){found, start, count, 1});
        if (!out[i])
            return -1;
    }
    return (int)parts;
}
