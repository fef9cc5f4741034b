/* pool.c — pooling and its gradients. */
#include "device/opencl/tile.h"

/* The twin of pool_shape in cl/pool.cl. */
struct pool_shape {
    cl_int images, in[2], out[2], vectors;
    cl_int window[2], stride[2], pad[2];
    cl_int adaptive, count_pad;
    cl_int across;
};

static struct pool_shape shape_of(const ursa_pool_geometry *g, const ursa_array *x, const ursa_array *out, int lanes)
{
    struct pool_shape s = {.images = (cl_int)x->shape[0],
                           .vectors = (cl_int)x->shape[3] / lanes,
                           .adaptive = g->adaptive,
                           .count_pad = g->count_pad,
                           .across = (cl_int)ursa_pool_span(g, 1, x->shape[2], out->shape[2])};
    for (int axis = 0; axis < 2; axis++) {
        s.in[axis] = (cl_int)x->shape[1 + axis];
        s.out[axis] = (cl_int)out->shape[1 + axis];
        s.window[axis] = g->window[axis];
        s.stride[axis] = g->stride[axis];
        s.pad[axis] = g->pad[axis];
    }
    return s;
}

static struct ursa_cl_kernel *pool_kernel(struct ursa_cl_device *device, const char *name, ursa_pool_kind kind,
                                          ursa_dtype dtype, const ursa_array *winners, int lanes)
{
    return ursa_cl_kernel(device, "pool", name, "-DT=%s -DWINNER=%s -DLANES=%d %s", ursa_cl_type(dtype),
                          ursa_cl_type(winners->buffer ? winners->dtype : URSA_U8), lanes,
                          kind == URSA_POOL_MAX ? "-DMAX" : "");
}

bool ursa_opencl_pool2d(ursa_device *base, const struct ursa_pool2d_args *args)
{
    struct ursa_cl_device *device = ursa_cl_device(base);
    cl_int count = ursa_cl_count("pool2d", &args->out);
    if (count < 0 || ursa_cl_count("pool2d", &args->x) < 0)
        return false;
    int lanes = ursa_cl_lanes(device, args->x.shape[3], &args->x, &args->out, &args->winners);
    struct pool_shape shape = shape_of(&args->geometry, &args->x, &args->out, lanes);
    struct ursa_cl_kernel *kernel = pool_kernel(device, "pool2d", args->kind, args->x.dtype, &args->winners, lanes);
    return ursa_cl_launch(device, kernel, ursa_cl_items(device, count / lanes), ursa_cl_array(&args->x),
                          ursa_cl_array(&args->out), ursa_cl_array(&args->winners), ursa_cl_struct(&shape));
}

bool ursa_opencl_pool2d_grad(ursa_device *base, const struct ursa_pool2d_grad_args *args)
{
    struct ursa_cl_device *device = ursa_cl_device(base);
    cl_int count = ursa_cl_count("pool2d_grad", &args->dx);
    if (count < 0 || ursa_cl_count("pool2d_grad", &args->dy) < 0)
        return false;
    int lanes = ursa_cl_lanes(device, args->dx.shape[3], &args->dx, &args->dy, &args->winners);
    struct pool_shape shape = shape_of(&args->geometry, &args->dx, &args->dy, lanes);
    struct ursa_cl_kernel *kernel =
        pool_kernel(device, "pool2d_grad", args->kind, args->dx.dtype, &args->winners, lanes);
    return ursa_cl_launch(device, kernel, ursa_cl_items(device, count / lanes), ursa_cl_array(&args->dy),
                          ursa_cl_array(&args->winners), ursa_cl_array(&args->dx), ursa_cl_struct(&shape));
}
