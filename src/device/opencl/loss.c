/* loss.c — cross-entropy and the elementwise losses. */
#include "device/opencl/runtime.h"

static const char *const loss_names[URSA_LOSS_COUNT] = {
#define URSA_LOSS(name, text) #name,
#include "device/loss.def"
#undef URSA_LOSS
};

/* Work items for a row of n classes. */
static size_t row_items(const struct ursa_cl_kernel *kernel, int64_t n)
{
    size_t size = ursa_cl_group_size(kernel, 256);
    while (size > 8 && (int64_t)size / 2 >= n)
        size /= 2;
    return size;
}

bool ursa_opencl_cross_entropy(ursa_device *base, const struct ursa_cross_entropy_args *args)
{
    struct ursa_cl_device *device = ursa_cl_device(base);
    if (ursa_cl_count("cross_entropy", &args->x) < 0)
        return false;
    cl_int n = (cl_int)args->x.shape[1];
    struct ursa_cl_kernel *kernel = ursa_cl_kernel(device, "loss", "cross_entropy", "-DCROSS_ENTROPY");
    size_t size = row_items(kernel, n);
    return ursa_cl_launch(device, kernel, ursa_cl_groups(args->x.shape[0], size), ursa_cl_array(&args->x),
                          ursa_cl_array(&args->classes), ursa_cl_array(&args->weight), ursa_cl_array(&args->loss),
                          ursa_cl_array(&args->row_weight), ursa_cl_array(&args->log_sum),
                          ursa_cl_local(size * sizeof(cl_float)), ursa_cl_int(n), ursa_cl_float(args->smoothing),
                          ursa_cl_long(args->ignore), ursa_cl_fault("cross_entropy", n));
}

bool ursa_opencl_cross_entropy_grad(ursa_device *base, const struct ursa_cross_entropy_grad_args *args)
{
    struct ursa_cl_device *device = ursa_cl_device(base);
    if (ursa_cl_count("cross_entropy_grad", &args->x) < 0)
        return false;
    cl_int n = (cl_int)args->x.shape[1];
    struct ursa_cl_kernel *kernel = ursa_cl_kernel(device, "loss", "cross_entropy_grad", "-DCROSS_ENTROPY");
    size_t size = row_items(kernel, n);
    int64_t rows = n > 0 ? args->x.shape[0] : 0;
    return ursa_cl_launch(device, kernel, ursa_cl_groups(rows, size), ursa_cl_array(&args->x),
                          ursa_cl_array(&args->classes), ursa_cl_array(&args->weight), ursa_cl_array(&args->log_sum),
                          ursa_cl_array(&args->dloss), ursa_cl_array(&args->dx), ursa_cl_local(size * sizeof(cl_float)),
                          ursa_cl_int(n), ursa_cl_float(args->smoothing), ursa_cl_long(args->ignore),
                          ursa_cl_fault("cross_entropy_grad", n));
}

bool ursa_opencl_loss(ursa_device *base, const struct ursa_loss_args *args)
{
    struct ursa_cl_device *device = ursa_cl_device(base);
    struct ursa_cl_loop loop;
    if (!ursa_cl_loop_plan("loss", &loop, 3, (const ursa_array *const[]){&args->x, &args->target, &args->out}))
        return false;
    struct ursa_cl_kernel *kernel =
        ursa_cl_kernel(device, "loss", "loss", "-DLOSS=%s -DNDIM=%d", loss_names[args->kind], loop.ndim);
    return ursa_cl_launch(device, kernel, ursa_cl_items(device, loop.axes.count), ursa_cl_array(&args->x),
                          ursa_cl_array(&args->target), ursa_cl_array(&args->out), ursa_cl_struct(&loop.axes),
                          ursa_cl_float(args->a), ursa_cl_float(args->b));
}

bool ursa_opencl_loss_grad(ursa_device *base, const struct ursa_loss_grad_args *args)
{
    struct ursa_cl_device *device = ursa_cl_device(base);
    struct ursa_cl_loop loop;
    if (!ursa_cl_loop_plan("loss_grad", &loop, 4,
                           (const ursa_array *const[]){&args->x, &args->target, &args->dout, &args->dx}))
        return false;
    struct ursa_cl_kernel *kernel =
        ursa_cl_kernel(device, "loss", "loss_grad", "-DLOSS=%s -DNDIM=%d", loss_names[args->kind], loop.ndim);
    return ursa_cl_launch(device, kernel, ursa_cl_items(device, loop.axes.count), ursa_cl_array(&args->x),
                          ursa_cl_array(&args->target), ursa_cl_array(&args->dout), ursa_cl_array(&args->dx),
                          ursa_cl_struct(&loop.axes), ursa_cl_float(args->a), ursa_cl_float(args->b));
}
