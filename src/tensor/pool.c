/* pool.c — pooling over windows of images. */
#include "tensor.h"
#include "base/error.h"
#include "device/backend.h"

struct pool {
    ursa_pool_kind kind;
    ursa_pool_geometry geometry;
};

/* Saved: 0 the winners, for maxima. */
static bool pool_step(const ursa_node *node, ursa_tensor *dy, ursa_tensor **dx)
{
    const struct pool *pool = ursa_node_extra(node);
    dy = ursa_dense(dy);
    dx[0] = dy ? ursa_tensor_new(ursa_device_of(dy), dy->array.dtype, ursa_node_shape(node, 0)) : NULL;
    if (!dx[0])
        return false;
    struct ursa_pool2d_grad_args args = {
        .kind = pool->kind, .geometry = pool->geometry, .dy = dy->array, .dx = dx[0]->array};
    if (pool->kind == URSA_POOL_MAX) {
        ursa_tensor *winners = ursa_node_saved(node, 0);
        if (!winners)
            return false;
        args.winners = winners->array;
    }
    return ursa_op_pool2d_grad(ursa_device_of(dy), &args);
}

static ursa_tensor *run(const char *name, const struct pool *pool, ursa_tensor *x, ursa_dims shape)
{
    ursa_device *device = ursa_device_of(x);
    ursa_dtype dtype = ursa_activation_type(x);
    ursa_tensor *in = ursa_dense_typed(x, dtype), *out = ursa_tensor_new(device, dtype, shape);
    if (!in || !out)
        return NULL;
    struct ursa_pool2d_args args = {.kind = pool->kind, .geometry = pool->geometry, .x = in->array, .out = out->array};
    ursa_tensor *winners = NULL;
    if (pool->kind == URSA_POOL_MAX && ursa_will_record(1, &x)) {
        winners = ursa_tensor_new(device, ursa_pool_winner_type(&pool->geometry, in->array.shape, shape.dim), shape);
        if (!winners)
            return NULL;
        args.winners = winners->array;
    }
    if (!ursa_op_pool2d(device, &args))
        return NULL;
    ursa_node *node = URSA_RECORD(name, pool_step, 1, sizeof *pool, x);
    if (node)
        *(struct pool *)ursa_node_extra(node) = *pool;
    ursa_node_save(node, 0, winners);
    return ursa_node_attach(node, out);
}

static ursa_tensor *pool2d(const char *name, const struct pool *pool, ursa_tensor *x, ursa_dims shape)
{
    ursa_scope *scope = ursa_scope_begin();
    return ursa_leave(scope, run(name, pool, x, shape));
}

static bool check_image(const char *name, const ursa_tensor *x)
{
    return x->array.ndim == 4 || ursa_fail(URSA_ERROR_SHAPE, "%s: x is %s, expected [N, H, W, C]", name,
                                           ursa_shape_text(x->array.ndim, x->array.shape).text);
}

/* ---- windows ----------------------------------------------------------------------------------- */

static bool plan_windows(const char *name, const ursa_tensor *x, const int window[2], const ursa_pool_options *options,
                         ursa_pool_geometry *geometry, ursa_dims *shape)
{
    *shape = ursa_array_dims(&x->array);
    *geometry = (ursa_pool_geometry){.count_pad = !options->exclude_padding};
    for (int i = 0; i < 2; i++) {
        int stride = options->stride[i] ? options->stride[i] : window[i], pad = options->padding[i];
        if (window[i] < 1 || stride < 1 || pad < 0 || pad >= window[i])
            return ursa_fail(URSA_ERROR_ARGUMENT,
                             "%s: window %d, stride %d, padding %d; expected 1 or more, and padding below the window",
                             name, window[i], stride, pad);
        int64_t extent = shape->dim[1 + i], room = extent + 2 * pad - window[i];
        if (room < 0)
            return ursa_fail(URSA_ERROR_SHAPE, "%s: a window of %d pixels, x is %s with padding %d", name, window[i],
                             ursa_shape_text(4, x->array.shape).text, pad);
        int64_t count = (room + (options->ceil ? stride - 1 : 0)) / stride + 1;
        if (options->ceil && (count - 1) * stride >= extent + pad)
            count--; /* the last window would lie in the padding */
        geometry->window[i] = window[i];
        geometry->stride[i] = stride;
        geometry->pad[i] = pad;
        shape->dim[1 + i] = count;
    }
    return true;
}

static ursa_tensor *windows(const char *name, ursa_pool_kind kind, ursa_tensor *x, int rows, int columns,
                            const ursa_pool_options *options)
{
    struct pool pool = {.kind = kind};
    ursa_dims shape;
    if (!x || !check_image(name, x) || !plan_windows(name, x, (int[]){rows, columns}, options, &pool.geometry, &shape))
        return NULL;
    return pool2d(name, &pool, x, shape);
}

ursa_tensor *ursa_max_pool2d_opt(ursa_tensor *x, int rows, int columns, const ursa_pool_options *options)
{
    return windows("max_pool2d", URSA_POOL_MAX, x, rows, columns, options);
}

ursa_tensor *ursa_avg_pool2d_opt(ursa_tensor *x, int rows, int columns, const ursa_pool_options *options)
{
    return windows("avg_pool2d", URSA_POOL_AVG, x, rows, columns, options);
}

/* ---- adaptive --------------------------------------------------------------------------------------- */

static ursa_tensor *adaptive(const char *name, ursa_pool_kind kind, ursa_tensor *x, int rows, int columns)
{
    if (!x || !check_image(name, x))
        return NULL;
    if (rows < 1 || columns < 1 || x->array.shape[1] < 1 || x->array.shape[2] < 1) {
        ursa_fail(URSA_ERROR_SHAPE, "%s: %d × %d cells of x, which is %s, expected at least one of both", name, rows,
                  columns, ursa_shape_text(4, x->array.shape).text);
        return NULL;
    }
    struct pool pool = {.kind = kind, .geometry = {.window = {1, 1}, .stride = {1, 1}, .adaptive = true}};
    return pool2d(name, &pool, x, ursa_shape(x->array.shape[0], rows, columns, x->array.shape[3]));
}

ursa_tensor *ursa_adaptive_max_pool2d(ursa_tensor *x, int rows, int columns)
{
    return adaptive("adaptive_max_pool2d", URSA_POOL_MAX, x, rows, columns);
}

ursa_tensor *ursa_adaptive_avg_pool2d(ursa_tensor *x, int rows, int columns)
{
    return adaptive("adaptive_avg_pool2d", URSA_POOL_AVG, x, rows, columns);
}
