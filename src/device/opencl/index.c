/* index.c — gather and scatter_add. */
#include "device/opencl/runtime.h"

static cl_int product(const ursa_array *array, int from, int to)
{
    int64_t count = 1;
    for (int i = from; i < to; i++)
        count *= array->shape[i];
    return (cl_int)count;
}

bool ursa_opencl_gather(ursa_device *base, const struct ursa_gather_args *args)
{
    struct ursa_cl_device *device = ursa_cl_device(base);
    cl_int count = ursa_cl_count("gather", &args->out);
    if (count < 0 || ursa_cl_count("gather", &args->x) < 0)
        return false;
    cl_int picked = args->along ? (cl_int)args->index.shape[args->axis] : product(&args->index, 0, args->index.ndim);
    struct ursa_cl_kernel *kernel = ursa_cl_kernel(device, "index", "gather", "-DMOVE=%s %s",
                                                   ursa_cl_raw_type(args->x.dtype), args->along ? "-DINDEX_ALONG" : "");
    return ursa_cl_launch(device, kernel, ursa_cl_items(device, count), ursa_cl_array(&args->x),
                          ursa_cl_array(&args->index), ursa_cl_array(&args->out), ursa_cl_int(count),
                          ursa_cl_int(picked), ursa_cl_int(product(&args->x, args->axis + 1, args->x.ndim)),
                          ursa_cl_fault("gather", args->x.shape[args->axis]));
}

/* Into how many parts the places of a column are dealt, to keep a device busy
 * whose columns are few; every part reads the whole index. */
static cl_int parts_for(const struct ursa_cl_device *device, cl_int columns, int64_t extent)
{
    int64_t busy = (int64_t)device->units * (device->is_cpu ? 2 : 256), parts = columns ? busy / columns : 1;
    parts = parts > 64 ? 64 : parts > extent ? extent : parts;
    return parts < 1 ? 1 : (cl_int)parts;
}

static bool scatter(struct ursa_cl_device *device, const struct ursa_scatter_add_args *args, const ursa_array *out)
{
    int axis = args->axis;
    cl_int picked = args->along ? (cl_int)args->index.shape[axis] : product(&args->index, 0, args->index.ndim);
    cl_int inner = product(out, axis + 1, out->ndim), columns = product(out, 0, axis) * inner;
    cl_int parts = parts_for(device, columns, out->shape[axis]);
    struct ursa_cl_kernel *kernel = ursa_cl_kernel(
        device, "index", "scatter_add", "-DADD=%s -DX=%s %s %s", ursa_cl_type(out->dtype), ursa_cl_type(args->x.dtype),
        ursa_dtype_is_float(out->dtype) ? "-DADD_IS_FLOAT" : "", args->along ? "-DINDEX_ALONG" : "");
    return ursa_cl_launch(device, kernel, ursa_cl_items2(device, columns, parts), ursa_cl_array(&args->x),
                          ursa_cl_array(&args->index), ursa_cl_array(out), ursa_cl_int(columns), ursa_cl_int(picked),
                          ursa_cl_int(inner), ursa_cl_int(parts), ursa_cl_fault("scatter_add", out->shape[args->axis]));
}

/* Halves are added up in float, and rounded once. */
static bool scatter_halves(ursa_device *base, const struct ursa_scatter_add_args *args)
{
    ursa_array sums = args->out;
    sums.dtype = URSA_F32;
    sums.offset = 0;
    sums.buffer = ursa_buffer_new(base, URSA_F32, ursa_array_count(&args->out));
    bool ok = sums.buffer && ursa_opencl_copy(base, &(struct ursa_copy_args){.x = args->out, .out = sums}) &&
              scatter(ursa_cl_device(base), args, &sums) &&
              ursa_opencl_copy(base, &(struct ursa_copy_args){.x = sums, .out = args->out});
    ursa_buffer_release(sums.buffer);
    return ok;
}

bool ursa_opencl_scatter_add(ursa_device *base, const struct ursa_scatter_add_args *args)
{
    if (ursa_cl_count("scatter_add", &args->out) < 0 || ursa_cl_count("scatter_add", &args->x) < 0)
        return false;
    if (args->out.dtype == URSA_F16 || args->out.dtype == URSA_BF16)
        return scatter_halves(base, args);
    return scatter(ursa_cl_device(base), args, &args->out);
}
