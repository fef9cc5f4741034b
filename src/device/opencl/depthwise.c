/* depthwise.c — convolution with one channel per group. */
#include "device/opencl/conv.h"
#include "device/opencl/tile.h"

/* The twin of depthwise_shape in cl/depthwise.cl. */
struct depthwise_shape {
    cl_int images, in[2], out[2], vectors;
    cl_int taps[2], stride[2], pad[2], dilation[2];
};

static struct depthwise_shape shape_of(const ursa_conv_geometry *g, const ursa_array *x, const ursa_array *w,
                                       const ursa_array *out, int lanes)
{
    struct depthwise_shape s = {.images = (cl_int)x->shape[0], .vectors = (cl_int)x->shape[3] / lanes};
    for (int axis = 0; axis < 2; axis++) {
        s.in[axis] = (cl_int)x->shape[1 + axis];
        s.out[axis] = (cl_int)out->shape[1 + axis];
        s.taps[axis] = (cl_int)w->shape[1 + axis];
        s.stride[axis] = g->stride[axis];
        s.pad[axis] = g->pad[axis];
        s.dilation[axis] = g->dilation[axis];
    }
    return s;
}

static ursa_buffer *pack(struct ursa_cl_device *device, const ursa_array *w)
{
    return ursa_cl_pack_weights(device, w, 1, (int)(w->shape[1] * w->shape[2]));
}

bool ursa_cl_depthwise(struct ursa_cl_device *device, const struct ursa_conv2d_args *args)
{
    int lanes = ursa_cl_lanes(device, args->x.shape[3]);
    struct depthwise_shape shape = shape_of(&args->geometry, &args->x, &args->w, &args->out, lanes);
    ursa_buffer *w = pack(device, &args->w);
    struct ursa_cl_kernel *kernel =
        ursa_cl_kernel(device, "depthwise", "depthwise", "-DLANES=%d %s", lanes, ursa_cl_fused(&args->activation));
    bool ok = w && ursa_cl_launch(device, kernel, ursa_cl_items(device, ursa_array_count(&args->out) / lanes),
                                  ursa_cl_array(&args->x), ursa_cl_buffer(w), ursa_cl_array(&args->bias),
                                  ursa_cl_array(&args->out), ursa_cl_struct(&shape));
    ok = ok && ursa_cl_finish_unfused(device, &args->activation, &args->out);
    ursa_buffer_release(w);
    return ok;
}

bool ursa_cl_depthwise_grad_input(struct ursa_cl_device *device, const struct ursa_conv2d_grad_input_args *args)
{
    int lanes = ursa_cl_lanes(device, args->dx.shape[3]);
    struct depthwise_shape shape = shape_of(&args->geometry, &args->dx, &args->w, &args->dy, lanes);
    ursa_buffer *w = pack(device, &args->w);
    struct ursa_cl_kernel *kernel = ursa_cl_kernel(device, "depthwise", "depthwise_grad_input", "-DLANES=%d", lanes);
    bool ok = w && ursa_cl_launch(device, kernel, ursa_cl_items(device, ursa_array_count(&args->dx) / lanes),
                                  ursa_cl_array(&args->dy), ursa_cl_buffer(w), ursa_cl_array(&args->dx),
                                  ursa_cl_struct(&shape));
    ursa_buffer_release(w);
    return ok;
}

bool ursa_cl_depthwise_grad_weight(struct ursa_cl_device *device, const struct ursa_conv2d_grad_weight_args *args)
{
    int lanes = ursa_cl_lanes(device, args->x.shape[3]);
    struct depthwise_shape shape = shape_of(&args->geometry, &args->x, &args->dw, &args->dy, lanes);
    int64_t items = ursa_array_count(&args->dw) / lanes;
    int64_t pixels = (int64_t)shape.images * shape.out[0] * shape.out[1];
    int chunk = ursa_cl_part_pixels(device, pixels, ursa_cl_tiles(items, 64));
    int parts = pixels > 0 ? (int)ursa_cl_tiles(pixels, chunk) : 1;
    ursa_buffer *scratch = ursa_buffer_new(&device->base, URSA_F32, parts * ursa_array_count(&args->dw));
    struct ursa_cl_kernel *kernel = ursa_cl_kernel(device, "depthwise", "depthwise_grad_weight", "-DLANES=%d", lanes);
    bool ok = scratch && ursa_cl_launch(device, kernel, ursa_cl_items(device, items * parts), ursa_cl_array(&args->x),
                                        ursa_cl_array(&args->dy), ursa_cl_buffer(scratch), ursa_cl_struct(&shape),
                                        ursa_cl_int(chunk), ursa_cl_int(parts));
    ok = ok && ursa_cl_sum_parts(device, scratch, parts, &args->dw);
    ursa_buffer_release(scratch);
    return ok;
}
