/* resample.c — resizing, grid sampling and their gradients. */
#include "base/error.h"
#include "device/opencl/tile.h"

/* The twin of resample_shape in cl/resample.cl. */
struct resample_shape {
    cl_int images, in[2], out[2], vectors;
};

static const char *const kinds[] = {
    [URSA_RESIZE_NEAREST] = "NEAREST", [URSA_RESIZE_BILINEAR] = "BILINEAR", [URSA_RESIZE_BICUBIC] = "BICUBIC"};
static const char *const borders[] = {
    [URSA_BORDER_ZEROS] = "ZEROS", [URSA_BORDER_CLAMP] = "CLAMP", [URSA_BORDER_REFLECT] = "REFLECT"};

static struct resample_shape shape_of(const ursa_array *x, const ursa_array *out, int lanes)
{
    return (struct resample_shape){.images = (cl_int)x->shape[0],
                                   .in = {(cl_int)x->shape[1], (cl_int)x->shape[2]},
                                   .out = {(cl_int)out->shape[1], (cl_int)out->shape[2]},
                                   .vectors = (cl_int)x->shape[3] / lanes};
}

static bool fits(const char *op, const ursa_array *x, const ursa_array *out)
{
    return ursa_cl_count(op, x) >= 0 && ursa_cl_count(op, out) >= 0;
}

/* Positions are fractions of integers below 2 in out. */
static bool positions_fit(const char *op, const ursa_array *x, const ursa_array *out)
{
    for (int axis = 1; axis < 3; axis++)
        if (2 * x->shape[axis] * (out->shape[axis] + 1) > INT32_MAX)
            return ursa_fail(URSA_ERROR_UNSUPPORTED,
                             "%s: %lld to %lld pixels; OpenCL kernels take products of both up to 1073741823", op,
                             (long long)x->shape[axis], (long long)out->shape[axis]);
    return true;
}

bool ursa_opencl_resize(ursa_device *base, const struct ursa_resize_args *args)
{
    struct ursa_cl_device *device = ursa_cl_device(base);
    if (!fits("resize", &args->x, &args->out) || !positions_fit("resize", &args->x, &args->out))
        return false;
    int lanes = ursa_cl_lanes(device, args->x.shape[3], &args->x, &args->out);
    struct resample_shape shape = shape_of(&args->x, &args->out, lanes);
    struct ursa_cl_kernel *kernel =
        ursa_cl_kernel(device, "resample", "resize", "-DRESIZE -DT=%s -DLANES=%d -DKIND=%s -DALIGN=%d",
                       ursa_cl_type(args->x.dtype), lanes, kinds[args->kind], args->align_corners);
    return ursa_cl_launch(device, kernel, ursa_cl_items(device, ursa_array_count(&args->out) / lanes),
                          ursa_cl_array(&args->x), ursa_cl_array(&args->out), ursa_cl_struct(&shape));
}

bool ursa_opencl_resize_grad(ursa_device *base, const struct ursa_resize_grad_args *args)
{
    struct ursa_cl_device *device = ursa_cl_device(base);
    if (!fits("resize_grad", &args->dx, &args->dy) || !positions_fit("resize_grad", &args->dx, &args->dy))
        return false;
    int lanes = ursa_cl_lanes(device, args->dx.shape[3], &args->dx, &args->dy);
    struct resample_shape shape = shape_of(&args->dx, &args->dy, lanes);
    struct ursa_cl_kernel *kernel =
        ursa_cl_kernel(device, "resample", "resize_grad", "-DRESIZE -DT=%s -DLANES=%d -DKIND=%s -DALIGN=%d",
                       ursa_cl_type(args->dx.dtype), lanes, kinds[args->kind], args->align_corners);
    return ursa_cl_launch(device, kernel, ursa_cl_items(device, ursa_array_count(&args->dx) / lanes),
                          ursa_cl_array(&args->dy), ursa_cl_array(&args->dx), ursa_cl_struct(&shape));
}

bool ursa_opencl_grid_sample(ursa_device *base, const struct ursa_grid_sample_args *args)
{
    struct ursa_cl_device *device = ursa_cl_device(base);
    if (!fits("grid_sample", &args->x, &args->out))
        return false;
    int lanes = ursa_cl_lanes(device, args->x.shape[3], &args->x, &args->out);
    struct resample_shape shape = shape_of(&args->x, &args->out, lanes);
    struct ursa_cl_kernel *kernel = ursa_cl_kernel(
        device, "resample", "grid_sample", "-DT=%s -DLANES=%d -DKIND=%s -DALIGN=%d -DBORDER=%s",
        ursa_cl_type(args->x.dtype), lanes, kinds[args->kind], args->align_corners, borders[args->border]);
    return ursa_cl_launch(device, kernel, ursa_cl_items(device, ursa_array_count(&args->out) / lanes),
                          ursa_cl_array(&args->x), ursa_cl_array(&args->grid), ursa_cl_array(&args->out),
                          ursa_cl_struct(&shape));
}

static struct ursa_cl_kernel *grad_kernel(struct ursa_cl_device *device, const struct ursa_grid_sample_grad_args *args,
                                          const char *name, int lanes)
{
    return ursa_cl_kernel(device, "resample", name, "-DT=%s -DLANES=%d -DKIND=%s -DALIGN=%d -DBORDER=%s",
                          ursa_cl_type(args->x.dtype), lanes, kinds[args->kind], args->align_corners,
                          borders[args->border]);
}

/* Sums of the gradient to the image are floats; `sums` is where they go. */
static bool grad_image(struct ursa_cl_device *device, const struct ursa_grid_sample_grad_args *args,
                       const ursa_array *sums)
{
    int lanes = ursa_cl_lanes(device, args->x.shape[3], &args->dy, sums);
    struct resample_shape shape = shape_of(&args->x, &args->dy, lanes);
    struct ursa_cl_kernel *kernel = grad_kernel(device, args, "grid_sample_grad_image", lanes);
    return ursa_cl_launch(device, kernel, ursa_cl_items(device, (int64_t)shape.images * shape.vectors),
                          ursa_cl_array(&args->grid), ursa_cl_array(&args->dy), ursa_cl_array(sums),
                          ursa_cl_struct(&shape));
}

static bool grad_half_image(struct ursa_cl_device *device, const struct ursa_grid_sample_grad_args *args)
{
    ursa_array sums = args->dx;
    sums.dtype = URSA_F32;
    sums.offset = 0;
    sums.buffer = ursa_buffer_new(&device->base, URSA_F32, ursa_array_count(&sums));
    bool done = sums.buffer && grad_image(device, args, &sums) &&
                ursa_opencl_copy(&device->base, &(struct ursa_copy_args){.x = sums, .out = args->dx});
    ursa_buffer_release(sums.buffer);
    return done;
}

bool ursa_opencl_grid_sample_grad(ursa_device *base, const struct ursa_grid_sample_grad_args *args)
{
    struct ursa_cl_device *device = ursa_cl_device(base);
    if (!fits("grid_sample_grad", &args->x, &args->dy))
        return false;
    bool half = args->dx.dtype != URSA_F32;
    if (args->dx.buffer && !(half ? grad_half_image(device, args) : grad_image(device, args, &args->dx)))
        return false;
    if (!args->dgrid.buffer)
        return true;
    struct resample_shape shape = shape_of(&args->x, &args->dy, 1);
    struct ursa_cl_kernel *kernel = grad_kernel(device, args, "grid_sample_grad_grid", 1);
    return ursa_cl_launch(device, kernel, ursa_cl_items(device, ursa_array_count(&args->dgrid) / 2),
                          ursa_cl_array(&args->x), ursa_cl_array(&args->grid), ursa_cl_array(&args->dy),
                          ursa_cl_array(&args->dgrid), ursa_cl_struct(&shape));
}
