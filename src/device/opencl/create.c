/* create.c — fill, arange, random, copy. */
#include "base/error.h"
#include "device/opencl/runtime.h"
#include <math.h>

/* ---- numbers as a type stores them ---------------------------------------- */

static cl_long saturated(double value, double low, double high)
{
    if (isnan(value))
        return 0;
    if (value <= low)
        return (cl_long)low;
    return value >= high ? (high >= 0x1p63 ? INT64_MAX : (cl_long)high) : (cl_long)value;
}

cl_long ursa_cl_bits_of(ursa_dtype dtype, double value)
{
    union {
        float f;
        uint32_t bits;
    } single = {(float)value};
    switch (dtype) {
    case URSA_F32:
        return single.bits;
    case URSA_F16:
        return ursa_f16_from_f32(single.f);
    case URSA_BF16:
        return ursa_bf16_from_f32(single.f);
    case URSA_I32:
        return saturated(value, INT32_MIN, INT32_MAX);
    case URSA_I64:
        return saturated(value, -0x1p63, 0x1p63);
    case URSA_U8:
        return saturated(value, 0, UINT8_MAX);
    default:
        return value != 0;
    }
}

const char *ursa_cl_raw_type(ursa_dtype dtype)
{
    switch (ursa_dtype_size(dtype)) {
    case 1:
        return "u8";
    case 2:
        return "f16";
    case 4:
        return "i32";
    default:
        return "i64";
    }
}

/* ---- operators -------------------------------------------------------------- */

bool ursa_opencl_fill(ursa_device *base, const struct ursa_fill_args *args)
{
    struct ursa_cl_device *device = ursa_cl_device(base);
    struct ursa_cl_loop loop;
    if (!ursa_cl_loop_plan("fill", &loop, 1, (const ursa_array *const[]){&args->out}))
        return false;
    struct ursa_cl_kernel *kernel =
        ursa_cl_kernel(device, "create", "fill", "-DFILL=%s -DNDIM=%d", ursa_cl_raw_type(args->out.dtype), loop.ndim);
    return ursa_cl_launch(device, kernel, ursa_cl_items(device, loop.axes.count), ursa_cl_array(&args->out),
                          ursa_cl_struct(&loop.axes), ursa_cl_long(ursa_cl_bits_of(args->out.dtype, args->value)));
}

/* Whole starts and steps of an integer array stay exact; others are added up
 * in float, since a device need not have double. */
bool ursa_opencl_arange(ursa_device *base, const struct ursa_arange_args *args)
{
    struct ursa_cl_device *device = ursa_cl_device(base);
    cl_int count = ursa_cl_count("arange", &args->out);
    bool whole = floor(args->start) == args->start && floor(args->step) == args->step && fabs(args->start) < 0x1p53 &&
                 fabs(args->step) < 0x1p53;
    bool exact = whole && !ursa_dtype_is_float(args->out.dtype);
    if (count < 0)
        return false;
    struct ursa_cl_kernel *kernel = ursa_cl_kernel(device, "create", exact ? "arange_integer" : "arange_float",
                                                   "-DARANGE=%s", ursa_cl_type(args->out.dtype));
    return ursa_cl_launch(device, kernel, ursa_cl_items(device, count), ursa_cl_array(&args->out), ursa_cl_int(count),
                          exact ? ursa_cl_long((cl_long)args->start) : ursa_cl_float((float)args->start),
                          exact ? ursa_cl_long((cl_long)args->step) : ursa_cl_float((float)args->step));
}

bool ursa_opencl_random(ursa_device *base, const struct ursa_random_args *args)
{
    static const char *const names[] = {
        [URSA_RANDOM_UNIFORM] = "uniform", [URSA_RANDOM_NORMAL] = "normal", [URSA_RANDOM_BERNOULLI] = "bernoulli"};
    struct ursa_cl_device *device = ursa_cl_device(base);
    cl_int count = ursa_cl_count("random", &args->out);
    if (count < 0)
        return false;
    struct ursa_cl_kernel *kernel = ursa_cl_kernel(device, "create", "random", "-DRANDOM=%s -DDISTRIBUTION=%s",
                                                   ursa_cl_type(args->out.dtype), names[args->kind]);
    return ursa_cl_launch(device, kernel, ursa_cl_items(device, ((int64_t)count + 15) / 16), ursa_cl_array(&args->out),
                          ursa_cl_int(count), ursa_cl_long((cl_long)args->key), ursa_cl_long((cl_long)args->counter),
                          ursa_cl_float((float)args->a), ursa_cl_float((float)args->b));
}

bool ursa_opencl_copy(ursa_device *base, const struct ursa_copy_args *args)
{
    struct ursa_cl_device *device = ursa_cl_device(base);
    struct ursa_cl_loop loop;
    if (!ursa_cl_loop_plan("copy", &loop, 2, (const ursa_array *const[]){&args->x, &args->out}))
        return false;
    bool raw = args->x.dtype == args->out.dtype;
    struct ursa_cl_kernel *kernel =
        ursa_cl_kernel(device, "create", raw ? "move" : "copy", "-D%s=%s -DTO=%s -DNDIM=%d %s", raw ? "MOVE" : "FROM",
                       raw ? ursa_cl_raw_type(args->x.dtype) : ursa_cl_type(args->x.dtype),
                       raw ? "itself" : ursa_cl_type(args->out.dtype), loop.ndim,
                       !raw && ursa_dtype_is_float(args->x.dtype) ? "-DFROM_IS_FLOAT" : "");
    return ursa_cl_launch(device, kernel, ursa_cl_items(device, loop.axes.count), ursa_cl_array(&args->x),
                          ursa_cl_array(&args->out), ursa_cl_struct(&loop.axes));
}
