/* resample.c — images at other sizes and at given positions. */
#include "tensor.h"
#include "base/error.h"
#include "device/backend.h"
#include <inttypes.h>

struct resampling {
    ursa_resize_kind kind;
    ursa_border_kind border;
    bool align_corners;
};

static bool check_image(const char *name, const ursa_tensor *x)
{
    return (x->array.ndim == 4 && x->array.shape[1] > 0 && x->array.shape[2] > 0) ||
           ursa_fail(URSA_ERROR_SHAPE, "%s: x is %s, expected [N, H, W, C] with a pixel or more", name,
                     ursa_shape_text(x->array.ndim, x->array.shape).text);
}

/* ---- resize ---------------------------------------------------------------------------------- */

static bool resize_step(const ursa_node *node, ursa_tensor *dy, ursa_tensor **dx)
{
    const struct resampling *how = ursa_node_extra(node);
    dy = ursa_dense(dy);
    dx[0] = dy ? ursa_tensor_new(ursa_device_of(dy), dy->array.dtype, ursa_node_shape(node, 0)) : NULL;
    if (!dx[0])
        return false;
    struct ursa_resize_grad_args args = {
        .kind = how->kind, .align_corners = how->align_corners, .dy = dy->array, .dx = dx[0]->array};
    return ursa_op_resize_grad(ursa_device_of(dy), &args);
}

static ursa_tensor *resize(ursa_tensor *x, ursa_dims shape, const struct resampling *how)
{
    ursa_tensor *in = ursa_dense_typed(x, ursa_activation_type(x));
    ursa_tensor *out = in ? ursa_tensor_new(ursa_device_of(x), in->array.dtype, shape) : NULL;
    if (!out)
        return NULL;
    struct ursa_resize_args args = {
        .kind = how->kind, .align_corners = how->align_corners, .x = in->array, .out = out->array};
    if (!ursa_op_resize(ursa_device_of(x), &args))
        return NULL;
    ursa_node *node = URSA_RECORD("resize2d", resize_step, 0, sizeof *how, x);
    if (node)
        *(struct resampling *)ursa_node_extra(node) = *how;
    return ursa_node_attach(node, out);
}

ursa_tensor *ursa_resize2d(ursa_tensor *x, int64_t rows, int64_t columns, ursa_interpolation how, bool align_corners)
{
    if (!x || !check_image("resize2d", x))
        return NULL;
    if (rows < 1 || columns < 1) {
        ursa_fail(URSA_ERROR_ARGUMENT, "resize2d: to %" PRId64 " × %" PRId64 ", expected 1 or more of both", rows,
                  columns);
        return NULL;
    }
    ursa_scope *scope = ursa_scope_begin();
    struct resampling resampling = {.kind = (ursa_resize_kind)how, .align_corners = align_corners};
    ursa_tensor *out = resize(x, ursa_shape(x->array.shape[0], rows, columns, x->array.shape[3]), &resampling);
    return ursa_leave(scope, out);
}

/* ---- grid_sample ------------------------------------------------------------------------------- */

/* Inputs and saved: 0 x, 1 grid. */
static bool sample_step(const ursa_node *node, ursa_tensor *dy, ursa_tensor **dx)
{
    const struct resampling *how = ursa_node_extra(node);
    ursa_tensor *x = ursa_node_saved(node, 0), *grid = ursa_node_saved(node, 1);
    dy = ursa_dense(dy);
    if (!x || !grid || !dy)
        return false;
    struct ursa_grid_sample_grad_args args = {.kind = how->kind,
                                              .border = how->border,
                                              .align_corners = how->align_corners,
                                              .x = x->array,
                                              .grid = grid->array,
                                              .dy = dy->array};
    if (ursa_node_wants(node, 0)) {
        if (!(dx[0] = ursa_empty_like(x)))
            return false;
        args.dx = dx[0]->array;
    }
    if (ursa_node_wants(node, 1)) {
        if (!(dx[1] = ursa_empty_like(grid)))
            return false;
        args.dgrid = dx[1]->array;
    }
    return ursa_op_grid_sample_grad(ursa_device_of(x), &args);
}

static ursa_tensor *sample(ursa_tensor *x, ursa_tensor *grid, const struct resampling *how)
{
    const int64_t *image = x->array.shape, *places = grid->array.shape;
    ursa_dtype dtype = ursa_activation_type(x);
    ursa_tensor *in = ursa_dense_typed(x, dtype), *at = ursa_dense_typed(grid, URSA_F32);
    ursa_tensor *out =
        in && at ? ursa_tensor_new(ursa_device_of(x), dtype, ursa_shape(image[0], places[1], places[2], image[3]))
                 : NULL;
    if (!out)
        return NULL;
    struct ursa_grid_sample_args args = {.kind = how->kind,
                                         .border = how->border,
                                         .align_corners = how->align_corners,
                                         .x = in->array,
                                         .grid = at->array,
                                         .out = out->array};
    if (!ursa_op_grid_sample(ursa_device_of(x), &args))
        return NULL;
    ursa_node *node = URSA_RECORD("grid_sample", sample_step, 2, sizeof *how, x, grid);
    if (node)
        *(struct resampling *)ursa_node_extra(node) = *how;
    ursa_node_save(node, 0, in);
    ursa_node_save(node, 1, at);
    return ursa_node_attach(node, out);
}

ursa_tensor *ursa_grid_sample(ursa_tensor *x, ursa_tensor *grid, ursa_interpolation how, ursa_border border,
                              bool align_corners)
{
    if (!x || !grid || !check_image("grid_sample", x) || !ursa_same_device("grid_sample", x, grid, "grid"))
        return NULL;
    const ursa_array *places = &grid->array;
    if (places->ndim != 4 || places->shape[0] != x->array.shape[0] || places->shape[3] != 2) {
        ursa_fail(URSA_ERROR_SHAPE, "grid_sample: grid is %s, expected [%" PRId64 ", rows, columns, 2]",
                  ursa_shape_text(places->ndim, places->shape).text, x->array.shape[0]);
        return NULL;
    }
    if (how == URSA_BICUBIC) {
        ursa_fail(URSA_ERROR_ARGUMENT, "grid_sample: bicubic, expected nearest or bilinear");
        return NULL;
    }
    ursa_scope *scope = ursa_scope_begin();
    struct resampling resampling = {(ursa_resize_kind)how, (ursa_border_kind)border, align_corners};
    ursa_tensor *out = sample(x, grid, &resampling);
    return ursa_leave(scope, out);
}
