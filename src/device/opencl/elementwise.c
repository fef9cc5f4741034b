/* elementwise.c — unary and binary functions, gradients, where, dropout. */
#include "base/error.h"
#include "device/opencl/runtime.h"

static const char *const unary_names[URSA_UNARY_COUNT] = {
#define URSA_UNARY(name, needs, text) #name,
#include "device/unary.def"
#undef URSA_UNARY
};

static const char *const binary_names[URSA_BINARY_COUNT] = {
#define URSA_BINARY(name, result, types, text) #name,
#include "device/binary.def"
#undef URSA_BINARY
};

const char *ursa_cl_unary_name(ursa_unary_kind kind)
{
    return (unsigned)kind < URSA_UNARY_COUNT ? unary_names[kind] : "unknown";
}

bool ursa_opencl_unary(ursa_device *base, const struct ursa_unary_args *args)
{
    struct ursa_cl_device *device = ursa_cl_device(base);
    struct ursa_cl_loop loop;
    if (!ursa_cl_loop_plan("unary", &loop, 2, (const ursa_array *const[]){&args->x, &args->out}))
        return false;
    struct ursa_cl_kernel *kernel = ursa_cl_kernel(device, "unary", "unary", "-DT=%s -DFUNCTION=unary_%s -DNDIM=%d",
                                                   ursa_cl_type(args->x.dtype), unary_names[args->kind], loop.ndim);
    return ursa_cl_launch(device, kernel, ursa_cl_items(device, loop.axes.count), ursa_cl_array(&args->x),
                          ursa_cl_array(&args->out), ursa_cl_struct(&loop.axes), ursa_cl_float(args->a),
                          ursa_cl_float(args->b));
}

bool ursa_opencl_unary_grad(ursa_device *base, const struct ursa_unary_grad_args *args)
{
    static const ursa_array none;
    struct ursa_cl_device *device = ursa_cl_device(base);
    ursa_grad_needs needs = ursa_unary_needs(args->kind);
    const ursa_array *saved = needs == URSA_NEEDS_X ? &args->x : needs == URSA_NEEDS_Y ? &args->y : &none;
    struct ursa_cl_loop loop;
    if (!ursa_cl_loop_plan("unary_grad", &loop, 3, (const ursa_array *const[]){saved, &args->dy, &args->dx}))
        return false;
    struct ursa_cl_kernel *kernel = ursa_cl_kernel(device, "unary", "unary_grad",
                                                   "-DT=%s -DSLOPE=slope_%s -DNDIM=%d %s", ursa_cl_type(args->dy.dtype),
                                                   unary_names[args->kind], loop.ndim, saved == &none ? "" : "-DSAVED");
    return ursa_cl_launch(device, kernel, ursa_cl_items(device, loop.axes.count), ursa_cl_array(saved),
                          ursa_cl_array(&args->dy), ursa_cl_array(&args->dx), ursa_cl_struct(&loop.axes),
                          ursa_cl_float(args->a), ursa_cl_float(args->b));
}

bool ursa_opencl_binary(ursa_device *base, const struct ursa_binary_args *args)
{
    struct ursa_cl_device *device = ursa_cl_device(base);
    struct ursa_cl_loop loop;
    if (!ursa_cl_loop_plan("binary", &loop, 3, (const ursa_array *const[]){&args->x, &args->y, &args->out}))
        return false;
    struct ursa_cl_kernel *kernel =
        ursa_cl_kernel(device, "binary", "binary", "-DT=%s -DOUT=%s -DFUNCTION=binary_%s -DNDIM=%d %s",
                       ursa_cl_type(args->x.dtype), ursa_cl_type(args->out.dtype), binary_names[args->kind], loop.ndim,
                       ursa_dtype_is_float(args->x.dtype) ? "-DT_IS_FLOAT" : "");
    return ursa_cl_launch(device, kernel, ursa_cl_items(device, loop.axes.count), ursa_cl_array(&args->x),
                          ursa_cl_array(&args->y), ursa_cl_array(&args->out), ursa_cl_struct(&loop.axes),
                          ursa_cl_float(args->a), ursa_cl_float(args->b));
}

bool ursa_opencl_where(ursa_device *base, const struct ursa_where_args *args)
{
    struct ursa_cl_device *device = ursa_cl_device(base);
    struct ursa_cl_loop loop;
    if (!ursa_cl_loop_plan("where", &loop, 4,
                           (const ursa_array *const[]){&args->condition, &args->x, &args->y, &args->out}))
        return false;
    struct ursa_cl_kernel *kernel = ursa_cl_kernel(device, "binary", "choose", "-DCHOOSE=%s -DNDIM=%d",
                                                   ursa_cl_raw_type(args->out.dtype), loop.ndim);
    return ursa_cl_launch(device, kernel, ursa_cl_items(device, loop.axes.count), ursa_cl_array(&args->condition),
                          ursa_cl_array(&args->x), ursa_cl_array(&args->y), ursa_cl_array(&args->out),
                          ursa_cl_struct(&loop.axes));
}

bool ursa_opencl_dropout(ursa_device *base, const struct ursa_dropout_args *args)
{
    struct ursa_cl_device *device = ursa_cl_device(base);
    cl_int count = ursa_cl_count("dropout", &args->x);
    if (count < 0)
        return false;
    struct ursa_cl_kernel *kernel =
        ursa_cl_kernel(device, "binary", "dropout", "-DDROPOUT=%s", ursa_cl_type(args->x.dtype));
    return ursa_cl_launch(device, kernel, ursa_cl_items(device, ((int64_t)count + 3) / 4), ursa_cl_array(&args->x),
                          ursa_cl_array(&args->out), ursa_cl_int(count), ursa_cl_long((cl_long)args->key),
                          ursa_cl_long((cl_long)args->counter), ursa_cl_float(args->p));
}
