/* join.c — putting tensors together, borders, and the pixel shuffles. */
#include "tensor.h"
#include "base/error.h"
#include "base/memory.h"
#include "device/backend.h"
#include <inttypes.h>
#include <stdlib.h>

/* ---- concatenation --------------------------------------------------------------------------- */

static bool concat_step(const ursa_node *node, ursa_tensor *dy, ursa_tensor **dx)
{
    const int *extra = ursa_node_extra(node);
    int axis = extra[0], count = extra[1];
    int64_t start = 0;
    for (int i = 0; i < count; i++) {
        int64_t extent = ursa_node_shape(node, i).dim[axis];
        if (ursa_node_wants(node, i) && !(dx[i] = ursa_slice(dy, axis, start, start + extent, 1)))
            return false;
        start += extent;
    }
    return true;
}

/* The shape and type of the whole. */
static bool plan_concat(ursa_tensor *const *tensors, int count, int axis, ursa_dims *shape, ursa_dtype *dtype)
{
    *shape = ursa_array_dims(&tensors[0]->array);
    *dtype = tensors[0]->array.dtype;
    for (int i = 1; i < count; i++) {
        const ursa_array *part = &tensors[i]->array;
        bool fits = part->ndim == shape->ndim;
        for (int d = 0; d < part->ndim && fits; d++)
            fits = d == axis || part->shape[d] == shape->dim[d];
        if (!fits)
            return ursa_fail(URSA_ERROR_SHAPE, "concat: tensor %d is %s, expected %s but for axis %d", i,
                             ursa_shape_text(part->ndim, part->shape).text,
                             ursa_shape_text(tensors[0]->array.ndim, tensors[0]->array.shape).text, axis);
        if (!ursa_same_device("concat", tensors[0], tensors[i], "a tensor"))
            return false;
        shape->dim[axis] += part->shape[axis];
        *dtype = ursa_promote_types(*dtype, part->dtype);
    }
    return true;
}

static bool copy_parts(ursa_tensor *const *tensors, int count, int axis, const ursa_tensor *out)
{
    ursa_array place = out->array;
    for (int i = 0; i < count; i++) {
        place.shape[axis] = tensors[i]->array.shape[axis];
        struct ursa_copy_args args = {.x = tensors[i]->array, .out = place};
        if (!ursa_op_copy(ursa_device_of(out), &args))
            return false;
        place.offset += place.shape[axis] * place.stride[axis];
    }
    return true;
}

ursa_tensor *ursa_concat(ursa_tensor *const *tensors, int count, int axis)
{
    if (!tensors)
        return NULL;
    if (count < 1) {
        ursa_fail(URSA_ERROR_ARGUMENT, "concat: %d tensors, expected one or more", count);
        return NULL;
    }
    for (int i = 0; i < count; i++)
        if (!tensors[i])
            return NULL;
    int found = ursa_find_axis("concat", tensors[0], axis);
    ursa_dims shape;
    ursa_dtype dtype;
    if (found < 0 || !plan_concat(tensors, count, found, &shape, &dtype))
        return NULL;
    ursa_tensor *out = ursa_tensor_new(ursa_device_of(tensors[0]), dtype, shape);
    if (!out || !copy_parts(tensors, count, found, out))
        return NULL;
    ursa_node *node = ursa_node_new("concat", concat_step, count, tensors, 0, 2 * sizeof(int));
    if (node) {
        int *extra = ursa_node_extra(node);
        extra[0] = found;
        extra[1] = count;
    }
    return ursa_node_attach(node, out);
}

ursa_tensor *ursa_stack(ursa_tensor *const *tensors, int count, int axis)
{
    if (!tensors || count < 1)
        return ursa_concat(tensors, count, axis);
    ursa_tensor **rows = ursa_alloc_array((size_t)count, sizeof(ursa_tensor *));
    if (!rows)
        return NULL;
    ursa_scope *scope = ursa_scope_begin();
    for (int i = 0; i < count; i++)
        rows[i] = ursa_unsqueeze(tensors[i], axis);
    ursa_tensor *out = ursa_concat(rows, count, axis);
    free(rows);
    return ursa_leave(scope, out);
}

/* ---- borders ------------------------------------------------------------------------------------ */

struct borders {
    ursa_pad_kind kind;
    int64_t before[URSA_MAX_DIMS];
};

static bool pad_step(const ursa_node *node, ursa_tensor *dy, ursa_tensor **dx)
{
    const struct borders *borders = ursa_node_extra(node);
    ursa_dims shape = ursa_node_shape(node, 0);
    if (borders->kind == URSA_PAD_CONSTANT) {
        dx[0] = dy;
        for (int i = 0; i < shape.ndim; i++)
            dx[0] = ursa_slice(dx[0], i, borders->before[i], borders->before[i] + shape.dim[i], 1);
        return dx[0] != NULL;
    }
    dy = ursa_dense(dy);
    dx[0] = dy ? ursa_tensor_new(ursa_device_of(dy), dy->array.dtype, shape) : NULL;
    if (!dx[0])
        return false;
    struct ursa_pad_grad_args args = {.kind = borders->kind, .dy = dy->array, .dx = dx[0]->array};
    for (int i = 0; i < shape.ndim; i++)
        args.before[i] = borders->before[i];
    return ursa_op_pad_grad(ursa_device_of(dy), &args);
}

ursa_tensor *ursa_pad(ursa_tensor *x, ursa_dims before, ursa_dims after, ursa_pad_mode mode, double value)
{
    if (!x)
        return NULL;
    ursa_dims shape = ursa_array_dims(&x->array);
    if (before.ndim != shape.ndim || after.ndim != shape.ndim) {
        ursa_fail(URSA_ERROR_SHAPE, "pad: borders for %d and %d axes, expected %d as x has", before.ndim, after.ndim,
                  shape.ndim);
        return NULL;
    }
    struct borders borders = {.kind = (ursa_pad_kind)mode};
    struct ursa_pad_args args = {.kind = borders.kind, .x = x->array, .value = value};
    for (int i = 0; i < shape.ndim; i++) {
        if (before.dim[i] < 0 || after.dim[i] < 0) {
            ursa_fail(URSA_ERROR_ARGUMENT, "pad: borders of %" PRId64 " and %" PRId64 " on axis %d, expected 0 or more",
                      before.dim[i], after.dim[i], i);
            return NULL;
        }
        args.before[i] = borders.before[i] = before.dim[i];
        shape.dim[i] += before.dim[i] + after.dim[i];
    }
    ursa_tensor *out = ursa_tensor_new(ursa_device_of(x), x->array.dtype, shape);
    if (!out)
        return NULL;
    args.out = out->array;
    if (!ursa_op_pad(ursa_device_of(x), &args))
        return NULL;
    ursa_node *node = URSA_RECORD("pad", pad_step, 0, sizeof borders, x);
    if (node)
        *(struct borders *)ursa_node_extra(node) = borders;
    return ursa_node_attach(node, out);
}

/* ---- pixel shuffle ---------------------------------------------------------------------------------
 * Shi et al., "Real-Time Single Image and Video Super-Resolution Using an
 * Efficient Sub-Pixel Convolutional Neural Network", CVPR 2016. */

ursa_tensor *ursa_pixel_shuffle(ursa_tensor *x, int factor)
{
    if (!x)
        return NULL;
    const int64_t *s = x->array.shape, r = factor;
    if (x->array.ndim != 4 || r < 1 || s[3] % (r * r)) {
        ursa_fail(URSA_ERROR_SHAPE, "pixel_shuffle: x is %s, expected [N, H, W, C] with C a multiple of %d²",
                  ursa_shape_text(x->array.ndim, s).text, factor);
        return NULL;
    }
    int64_t n = s[0], h = s[1], w = s[2], c = s[3] / (r * r);
    ursa_scope *scope = ursa_scope_begin();
    ursa_tensor *out = ursa_reshape(x, ursa_shape(n, h, w, c, r, r));
    out = ursa_permute(out, ursa_shape(0, 1, 4, 2, 5, 3));
    return ursa_leave(scope, ursa_reshape(out, ursa_shape(n, h * r, w * r, c)));
}

ursa_tensor *ursa_pixel_unshuffle(ursa_tensor *x, int factor)
{
    if (!x)
        return NULL;
    const int64_t *s = x->array.shape, r = factor;
    if (x->array.ndim != 4 || r < 1 || s[1] % r || s[2] % r) {
        ursa_fail(URSA_ERROR_SHAPE, "pixel_unshuffle: x is %s, expected [N, H, W, C] with H and W multiples of %d",
                  ursa_shape_text(x->array.ndim, s).text, factor);
        return NULL;
    }
    int64_t n = s[0], h = s[1] / r, w = s[2] / r, c = s[3];
    ursa_scope *scope = ursa_scope_begin();
    ursa_tensor *out = ursa_reshape(x, ursa_shape(n, h, r, w, r, c));
    out = ursa_permute(out, ursa_shape(0, 1, 3, 5, 2, 4));
    return ursa_leave(scope, ursa_reshape(out, ursa_shape(n, h, w, c * r * r)));
}
