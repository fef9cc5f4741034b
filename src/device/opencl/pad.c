/* pad.c — borders and their gradient. */
#include "base/error.h"
#include "device/opencl/runtime.h"

/* Twin of borders_t in cl/pad.cl. */
struct borders {
    cl_int count;
    cl_int outer[URSA_MAX_DIMS], inner[URSA_MAX_DIMS], stride[URSA_MAX_DIMS], before[URSA_MAX_DIMS];
};

/* The strides are those of the array that is read. */
static bool plan(const char *op, struct borders *borders, const ursa_array *inner, const ursa_array *outer,
                 const int64_t *before, const ursa_array *read, const ursa_array *made)
{
    int64_t reach = 0;
    /* A scalar is one axis of extent 1. */
    *borders = (struct borders){.count = ursa_cl_count(op, made), .outer = {1}, .inner = {1}};
    if (borders->count < 0 || ursa_cl_count(op, read) < 0)
        return false;
    for (int i = 0; i < outer->ndim; i++) {
        int64_t stride = read->stride[i] < 0 ? -read->stride[i] : read->stride[i];
        if (stride > INT32_MAX || outer->shape[i] > INT32_MAX)
            reach = INT64_MAX;
        else if (reach <= INT32_MAX && read->shape[i] > 1)
            reach += stride * (read->shape[i] - 1);
        borders->outer[i] = (cl_int)outer->shape[i];
        borders->inner[i] = (cl_int)inner->shape[i];
        borders->stride[i] = (cl_int)read->stride[i];
        borders->before[i] = (cl_int)before[i];
    }
    return reach <= INT32_MAX || ursa_fail(URSA_ERROR_UNSUPPORTED,
                                           "%s: a view reaches too far; OpenCL kernels take "
                                           "offsets up to 2147483647",
                                           op);
}

static int dims_of(const ursa_array *array)
{
    return array->ndim ? array->ndim : 1;
}

bool ursa_opencl_pad(ursa_device *base, const struct ursa_pad_args *args)
{
    struct ursa_cl_device *device = ursa_cl_device(base);
    struct borders borders;
    if (!plan("pad", &borders, &args->x, &args->out, args->before, &args->x, &args->out))
        return false;
    struct ursa_cl_kernel *kernel =
        ursa_cl_kernel(device, "pad", "pad", "-DMOVE=%s -DKIND=%d -DDIMS=%d", ursa_cl_raw_type(args->x.dtype),
                       (int)args->kind, dims_of(&args->out));
    return ursa_cl_launch(device, kernel, ursa_cl_items(device, borders.count), ursa_cl_array(&args->x),
                          ursa_cl_array(&args->out), ursa_cl_struct(&borders),
                          ursa_cl_long(ursa_cl_bits_of(args->out.dtype, args->value)));
}

bool ursa_opencl_pad_grad(ursa_device *base, const struct ursa_pad_grad_args *args)
{
    struct ursa_cl_device *device = ursa_cl_device(base);
    struct borders borders;
    if (!plan("pad_grad", &borders, &args->dx, &args->dy, args->before, &args->dy, &args->dx))
        return false;
    struct ursa_cl_kernel *kernel = ursa_cl_kernel(device, "pad", "pad_grad", "-DT=%s -DKIND=%d -DDIMS=%d",
                                                   ursa_cl_type(args->dx.dtype), (int)args->kind, dims_of(&args->dx));
    return ursa_cl_launch(device, kernel, ursa_cl_items(device, borders.count), ursa_cl_array(&args->dy),
                          ursa_cl_array(&args->dx), ursa_cl_struct(&borders));
}
