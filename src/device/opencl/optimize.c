/* optimize.c — optimizer steps. */
#include "device/opencl/tile.h"

/* The twins of the structs in cl/optimize.cl. */
struct sgd {
    cl_float lr, mu, dampening, l2, decay;
    cl_int nesterov, first;
};

struct adam {
    cl_float lr, beta1, beta2, eps, l2, decay, step_size, denom_scale;
    cl_int no_denom;
};

struct rmsprop {
    cl_float lr, alpha, eps, mu, l2, decay;
};

struct lamb {
    cl_float lr, beta1, beta2, eps, decay, c1, c2, max_ratio;
};

/* Norms are summed in chunks of this many elements. */
#define LAMB_CHUNK 4096

bool ursa_opencl_sgd_step(ursa_device *base, const struct ursa_sgd_step_args *args)
{
    struct ursa_cl_device *device = ursa_cl_device(base);
    cl_int count = ursa_cl_count("sgd_step", &args->param);
    if (count < 0)
        return false;
    struct sgd s = {args->lr, args->mu, args->dampening, args->l2, args->decay, args->nesterov, args->first};
    struct ursa_cl_kernel *kernel = ursa_cl_kernel(device, "optimize", "sgd_step", "-DT=f32");
    return ursa_cl_launch(device, kernel, ursa_cl_items(device, count), ursa_cl_array(&args->param),
                          ursa_cl_array(&args->grad), ursa_cl_array(&args->momentum), ursa_cl_array(&args->skip),
                          ursa_cl_struct(&s), ursa_cl_int(count));
}

bool ursa_opencl_adam_step(ursa_device *base, const struct ursa_adam_step_args *args)
{
    struct ursa_cl_device *device = ursa_cl_device(base);
    cl_int count = ursa_cl_count("adam_step", &args->param);
    if (count < 0)
        return false;
    struct adam s = {args->lr,    args->beta1,     args->beta2,       args->eps,     args->l2,
                     args->decay, args->step_size, args->denom_scale, args->no_denom};
    struct ursa_cl_kernel *kernel = ursa_cl_kernel(device, "optimize", "adam_step", "-DT=f32");
    return ursa_cl_launch(device, kernel, ursa_cl_items(device, count), ursa_cl_array(&args->param),
                          ursa_cl_array(&args->grad), ursa_cl_array(&args->m), ursa_cl_array(&args->v),
                          ursa_cl_array(&args->skip), ursa_cl_struct(&s), ursa_cl_int(count));
}

bool ursa_opencl_rmsprop_step(ursa_device *base, const struct ursa_rmsprop_step_args *args)
{
    struct ursa_cl_device *device = ursa_cl_device(base);
    cl_int count = ursa_cl_count("rmsprop_step", &args->param);
    if (count < 0)
        return false;
    struct rmsprop s = {args->lr, args->alpha, args->eps, args->mu, args->l2, args->decay};
    struct ursa_cl_kernel *kernel = ursa_cl_kernel(device, "optimize", "rmsprop_step", "-DT=f32");
    return ursa_cl_launch(device, kernel, ursa_cl_items(device, count), ursa_cl_array(&args->param),
                          ursa_cl_array(&args->grad), ursa_cl_array(&args->v), ursa_cl_array(&args->mean),
                          ursa_cl_array(&args->momentum), ursa_cl_array(&args->skip), ursa_cl_struct(&s),
                          ursa_cl_int(count));
}

/* The two norms are joined on the device; the ratio stays there. */
bool ursa_opencl_lamb_step(ursa_device *base, const struct ursa_lamb_step_args *args)
{
    struct ursa_cl_device *device = ursa_cl_device(base);
    cl_int count = ursa_cl_count("lamb_step", &args->param);
    if (count <= 0)
        return count == 0;
    struct lamb s = {args->lr, args->beta1, args->beta2, args->eps, args->decay, args->c1, args->c2, args->max_ratio};
    cl_int chunks = (cl_int)ursa_cl_tiles(count, LAMB_CHUNK);
    ursa_buffer *parts = ursa_buffer_new(base, URSA_F32, 2 * (int64_t)chunks),
                *ratio = ursa_buffer_new(base, URSA_F32, 1);
    struct ursa_cl_kernel *update = ursa_cl_kernel(device, "optimize", "lamb_update", "-DT=f32");
    struct ursa_cl_kernel *join = ursa_cl_kernel(device, "optimize", "lamb_ratio", "-DT=f32");
    struct ursa_cl_kernel *apply = ursa_cl_kernel(device, "optimize", "lamb_apply", "-DT=f32");
    size_t update_size = ursa_cl_group_size(update, 256), join_size = ursa_cl_group_size(join, 256);
    bool ok = parts && ratio &&
              ursa_cl_launch(device, update, ursa_cl_groups(chunks, update_size), ursa_cl_array(&args->param),
                             ursa_cl_array(&args->grad), ursa_cl_array(&args->m), ursa_cl_array(&args->v),
                             ursa_cl_array(&args->update), ursa_cl_buffer(parts), ursa_cl_array(&args->skip),
                             ursa_cl_local(update_size * sizeof(cl_float)), ursa_cl_struct(&s), ursa_cl_int(count),
                             ursa_cl_int(LAMB_CHUNK)) &&
              ursa_cl_launch(device, join, ursa_cl_groups(1, join_size), ursa_cl_buffer(parts), ursa_cl_buffer(ratio),
                             ursa_cl_local(join_size * sizeof(cl_float)), ursa_cl_int(chunks), ursa_cl_float(args->lr),
                             ursa_cl_float(args->max_ratio)) &&
              ursa_cl_launch(device, apply, ursa_cl_items(device, count), ursa_cl_array(&args->param),
                             ursa_cl_array(&args->update), ursa_cl_buffer(ratio), ursa_cl_array(&args->skip),
                             ursa_cl_int(count));
    ursa_buffer_release(parts);
    ursa_buffer_release(ratio);
    return ok;
}

/* ---- loss scaling ----------------------------------------------------------- */

bool ursa_opencl_unscale(ursa_device *base, const struct ursa_unscale_args *args)
{
    struct ursa_cl_device *device = ursa_cl_device(base);
    cl_int count = ursa_cl_count("unscale", &args->grad);
    if (count < 0)
        return false;
    struct ursa_cl_kernel *kernel = ursa_cl_kernel(device, "optimize", "unscale", "-DT=f32");
    return ursa_cl_launch(device, kernel, ursa_cl_items(device, count), ursa_cl_array(&args->grad),
                          ursa_cl_array(&args->scaling), ursa_cl_int(count));
}

bool ursa_opencl_update_scale(ursa_device *base, const struct ursa_update_scale_args *args)
{
    struct ursa_cl_device *device = ursa_cl_device(base);
    struct ursa_cl_kernel *kernel = ursa_cl_kernel(device, "optimize", "update_scale", "-DT=f32");
    return ursa_cl_launch(device, kernel, ursa_cl_items(device, 1), ursa_cl_array(&args->scaling),
                          ursa_cl_float(args->growth), ursa_cl_float(args->backoff), ursa_cl_int(args->interval));
}
