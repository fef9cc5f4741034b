/* softmax.c — softmax, log-softmax and their gradients. */
#include "device/opencl/runtime.h"

/* A contiguous array around an axis: [outer, extent, inner]. */
struct around {
    cl_int lines, extent, inner;
    bool by_item;
};

static bool look_around(const char *op, const ursa_array *x, int axis, struct around *around)
{
    int64_t outer = 1, inner = 1;
    for (int i = 0; i < axis; i++)
        outer *= x->shape[i];
    for (int i = axis + 1; i < x->ndim; i++)
        inner *= x->shape[i];
    if (ursa_cl_count(op, x) < 0)
        return false;
    *around = (struct around){(cl_int)(outer * inner), (cl_int)x->shape[axis], (cl_int)inner,
                              inner > 1 || x->shape[axis] < 64};
    return true;
}

static struct ursa_cl_kernel *kernel_for(struct ursa_cl_device *device, const char *name, ursa_dtype dtype, bool log,
                                         const struct around *around, const char *more)
{
    return ursa_cl_kernel(device, "softmax", name, "-DT=%s %s -D%s %s", ursa_cl_type(dtype), log ? "-DLOG" : "",
                          around->by_item ? "BY_ITEM" : "BY_GROUP", more);
}

static ursa_cl_grid grid_for(const struct ursa_cl_device *device, const struct around *around, size_t size)
{
    return around->by_item ? ursa_cl_items(device, around->lines) : ursa_cl_groups(around->lines, size);
}

bool ursa_opencl_softmax(ursa_device *base, const struct ursa_softmax_args *args)
{
    struct ursa_cl_device *device = ursa_cl_device(base);
    struct around around;
    if (!look_around("softmax", &args->x, args->axis, &around))
        return false;
    struct ursa_cl_kernel *kernel = kernel_for(device, "softmax", args->x.dtype, args->log, &around, "");
    size_t size = ursa_cl_group_size(kernel, 256);
    return ursa_cl_launch(device, kernel, grid_for(device, &around, size), ursa_cl_array(&args->x),
                          ursa_cl_array(&args->out), ursa_cl_int(around.lines), ursa_cl_int(around.extent),
                          ursa_cl_int(around.inner), ursa_cl_local(size * sizeof(cl_float)));
}

bool ursa_opencl_softmax_grad(ursa_device *base, const struct ursa_softmax_grad_args *args)
{
    struct ursa_cl_device *device = ursa_cl_device(base);
    struct around around;
    if (!look_around("softmax_grad", &args->y, args->axis, &around))
        return false;
    struct ursa_cl_kernel *kernel = kernel_for(device, "softmax_grad", args->y.dtype, args->log, &around, "-DGRADIENT");
    size_t size = ursa_cl_group_size(kernel, 256);
    return ursa_cl_launch(device, kernel, grid_for(device, &around, size), ursa_cl_array(&args->y),
                          ursa_cl_array(&args->dy), ursa_cl_array(&args->dx), ursa_cl_int(around.lines),
                          ursa_cl_int(around.extent), ursa_cl_int(around.inner),
                          ursa_cl_local(size * sizeof(cl_float)));
}
