/* conv.c — convolution and its gradients, on the product kernels of
 * cl/conv.cl; one channel per group goes to depthwise.c.
 */
#include "base/error.h"
#include "device/opencl/conv.h"
#include "device/opencl/tile.h"
#include "device/through_float.h"

/* The twin of conv_shape in cl/conv.cl, where the fields are explained. */
struct conv_shape {
    cl_int images, grid[2];
    cl_int source[2], source_channels, depth;
    cl_int step[2], start[2];
    cl_int taps[2], tap_step[2];
    cl_int out[2], out_channels, width;
    cl_int out_step[2], out_start[2];
    cl_int w_start, w_tap[2], w_depth, w_group;
};

/* Gradients to weights are summed in parts of at least this many pixels, as
 * many parts as give the device this many groups. */
#define PART_PIXELS     256
#define PART_GROUPS_CPU 16
#define PART_GROUPS_GPU 512

static bool fits(const char *op, const ursa_array *x, const ursa_array *w, const ursa_array *out)
{
    return ursa_cl_count(op, x) >= 0 && ursa_cl_count(op, w) >= 0 && ursa_cl_count(op, out) >= 0;
}

static int terms_of(const struct conv_shape *shape)
{
    return shape->taps[0] * shape->taps[1] * shape->depth;
}

/* The shape of the convolution itself, with weights packed as
 * [group, tap, depth, width]. */
static struct conv_shape forward_shape(const ursa_conv_geometry *g, const ursa_array *x, const ursa_array *w,
                                       const ursa_array *out)
{
    struct conv_shape s = {.images = (cl_int)x->shape[0],
                           .source_channels = (cl_int)x->shape[3],
                           .depth = (cl_int)w->shape[3],
                           .out_channels = (cl_int)out->shape[3],
                           .width = (cl_int)(out->shape[3] / g->groups)};
    for (int axis = 0; axis < 2; axis++) {
        s.source[axis] = (cl_int)x->shape[1 + axis];
        s.grid[axis] = s.out[axis] = (cl_int)out->shape[1 + axis];
        s.taps[axis] = (cl_int)w->shape[1 + axis];
        s.step[axis] = g->stride[axis];
        s.start[axis] = -g->pad[axis];
        s.tap_step[axis] = g->dilation[axis];
        s.out_step[axis] = 1;
    }
    s.w_depth = s.width;
    s.w_tap[1] = s.depth * s.width;
    s.w_tap[0] = s.taps[1] * s.w_tap[1];
    s.w_group = s.taps[0] * s.w_tap[0];
    return s;
}

static bool launch_product(struct ursa_cl_device *device, const struct conv_shape *shape, int groups,
                           const ursa_cl_arg *tensors, const ursa_array *bias, const ursa_activation *activation)
{
    int64_t pixels = (int64_t)shape->images * shape->grid[0] * shape->grid[1];
    struct ursa_cl_tile tile = ursa_cl_tile_for(device, pixels, shape->width, true);
    struct ursa_cl_kernel *kernel =
        ursa_cl_kernel(device, "conv", "conv_product", "-DPRODUCT %s -DTERM_LANES=%d %s", tile.options,
                       ursa_cl_lanes(device, shape->depth), ursa_cl_fused(activation));
    ursa_cl_grid grid =
        ursa_cl_tile_grid(&tile, ursa_cl_tiles(pixels, tile.rows), ursa_cl_tiles(shape->width, tile.columns), groups);
    return ursa_cl_launch(device, kernel, grid, tensors[0], tensors[1], ursa_cl_array(bias), tensors[2],
                          ursa_cl_struct(shape));
}

ursa_buffer *ursa_cl_pack_weights(struct ursa_cl_device *device, const ursa_array *w, int groups, int terms)
{
    int64_t count = ursa_array_count(w);
    ursa_buffer *packed = ursa_buffer_new(&device->base, URSA_F32, count);
    struct ursa_cl_kernel *kernel = ursa_cl_kernel(device, "product", "weight_pack", "-DT=f32");
    if (packed && ursa_cl_launch(device, kernel, ursa_cl_items(device, count), ursa_cl_array(w), ursa_cl_buffer(packed),
                                 ursa_cl_int(groups), ursa_cl_int((cl_int)w->shape[0] / groups), ursa_cl_int(terms)))
        return packed;
    ursa_buffer_release(packed);
    return NULL;
}

bool ursa_cl_sum_parts(struct ursa_cl_device *device, const ursa_buffer *parts, int count, const ursa_array *out)
{
    cl_int n = (cl_int)ursa_array_count(out);
    struct ursa_cl_kernel *kernel = ursa_cl_kernel(device, "product", "weight_sum", "-DT=f32");
    return ursa_cl_launch(device, kernel, ursa_cl_items(device, n), ursa_cl_buffer(parts), ursa_cl_array(out),
                          ursa_cl_int(count), ursa_cl_int(n));
}

static bool is_depthwise(const ursa_conv_geometry *g, const ursa_array *w)
{
    return w->shape[3] == 1 && w->shape[0] == g->groups;
}

bool ursa_opencl_conv2d(ursa_device *base, const struct ursa_conv2d_args *args)
{
    struct ursa_cl_device *device = ursa_cl_device(base);
    if (ursa_half_type(&args->x, &args->w, &args->out) != URSA_F32)
        return ursa_conv2d_through_float(base, args);
    if (!fits("conv2d", &args->x, &args->w, &args->out))
        return false;
    if (is_depthwise(&args->geometry, &args->w))
        return ursa_cl_depthwise(device, args);
    struct conv_shape shape = forward_shape(&args->geometry, &args->x, &args->w, &args->out);
    ursa_buffer *w = ursa_cl_pack_weights(device, &args->w, args->geometry.groups, terms_of(&shape));
    const ursa_cl_arg tensors[] = {ursa_cl_array(&args->x), ursa_cl_buffer(w), ursa_cl_array(&args->out)};
    bool ok = w && launch_product(device, &shape, args->geometry.groups, tensors, &args->bias, &args->activation) &&
              ursa_cl_finish_unfused(device, &args->activation, &args->out);
    ursa_buffer_release(w);
    return ok;
}

/* ---- the gradient to the input ------------------------------------------- */

static int common_divisor(int a, int b)
{
    return b == 0 ? a : common_divisor(b, a % b);
}

/* Along one axis, the pixels first, first + stride, … of dx. They meet the taps
 * first_tap, first_tap + tap_stride, …, of which there are `taps`. */
struct phase {
    int pixels;
    int taps, first_tap, tap_stride;
    int start, tap_step; /* the row of dy that tap 0 of pixel 0 meets, and the change from tap to tap */
};

static struct phase phase_of(int first, int extent, int taps, int stride, int pad, int dilation)
{
    struct phase p = {.pixels = (extent - first + stride - 1) / stride};
    p.tap_stride = stride / common_divisor(stride, dilation);
    while (p.first_tap < p.tap_stride && (first + pad - p.first_tap * dilation) % stride != 0)
        p.first_tap++;
    if (p.first_tap < p.tap_stride && p.first_tap < taps)
        p.taps = (taps - p.first_tap + p.tap_stride - 1) / p.tap_stride;
    p.start = p.taps > 0 ? (first + pad - p.first_tap * dilation) / stride : 0;
    p.tap_step = -(p.tap_stride * dilation / stride);
    return p;
}

/* The pixels of dx whose row and column leave the rests `first` when divided by
 * the strides: for them the gradient is a convolution of dy with stride 1. */
static bool grad_input_phase(struct ursa_cl_device *device, const struct ursa_conv2d_grad_input_args *args,
                             const int *first)
{
    static const ursa_array no_bias;
    static const ursa_activation no_activation;
    const ursa_conv_geometry *g = &args->geometry;
    const ursa_array *dy = &args->dy, *w = &args->w, *dx = &args->dx;
    int w_tap[2] = {(int)(w->shape[2] * w->shape[3]), (int)w->shape[3]};
    struct conv_shape s = {.images = (cl_int)dx->shape[0],
                           .source_channels = (cl_int)dy->shape[3],
                           .depth = (cl_int)(dy->shape[3] / g->groups),
                           .out_channels = (cl_int)dx->shape[3],
                           .width = (cl_int)w->shape[3],
                           .w_depth = (cl_int)(w->shape[1] * w->shape[2] * w->shape[3])};
    s.w_group = s.depth * s.w_depth;
    for (int axis = 0; axis < 2; axis++) {
        struct phase p = phase_of(first[axis], (int)dx->shape[1 + axis], (int)w->shape[1 + axis], g->stride[axis],
                                  g->pad[axis], g->dilation[axis]);
        s.source[axis] = (cl_int)dy->shape[1 + axis];
        s.out[axis] = (cl_int)dx->shape[1 + axis];
        s.grid[axis] = p.pixels;
        s.step[axis] = 1;
        s.start[axis] = p.start;
        s.taps[axis] = p.taps;
        s.tap_step[axis] = p.tap_step;
        s.out_step[axis] = g->stride[axis];
        s.out_start[axis] = first[axis];
        s.w_start += p.first_tap * w_tap[axis];
        s.w_tap[axis] = p.tap_stride * w_tap[axis];
    }
    const ursa_cl_arg tensors[] = {ursa_cl_array(dy), ursa_cl_array(w), ursa_cl_array(dx)};
    return launch_product(device, &s, g->groups, tensors, &no_bias, &no_activation);
}

bool ursa_opencl_conv2d_grad_input(ursa_device *base, const struct ursa_conv2d_grad_input_args *args)
{
    struct ursa_cl_device *device = ursa_cl_device(base);
    const ursa_conv_geometry *g = &args->geometry;
    if (ursa_half_type(&args->dy, &args->w, &args->dx) != URSA_F32)
        return ursa_conv2d_grad_input_through_float(base, args);
    if (!fits("conv2d_grad_input", &args->dy, &args->w, &args->dx))
        return false;
    if (is_depthwise(g, &args->w))
        return ursa_cl_depthwise_grad_input(device, args);
    for (int first[2] = {0, 0}; first[0] < g->stride[0] && first[0] < args->dx.shape[1]; first[0]++)
        for (first[1] = 0; first[1] < g->stride[1] && first[1] < args->dx.shape[2]; first[1]++)
            if (!grad_input_phase(device, args, first))
                return false;
    return true;
}

/* ---- the gradient to the weights ----------------------------------------- */

int ursa_cl_part_pixels(const struct ursa_cl_device *device, int64_t pixels, int64_t groups)
{
    int64_t wanted = device->is_cpu ? PART_GROUPS_CPU : PART_GROUPS_GPU;
    int64_t parts = groups > 0 && groups < wanted ? ursa_cl_tiles(wanted, groups) : 1;
    int64_t size = ursa_cl_tiles(pixels, parts);
    return (int)(size > PART_PIXELS ? size : PART_PIXELS);
}

bool ursa_opencl_conv2d_grad_weight(ursa_device *base, const struct ursa_conv2d_grad_weight_args *args)
{
    struct ursa_cl_device *device = ursa_cl_device(base);
    const ursa_conv_geometry *g = &args->geometry;
    if (ursa_half_type(&args->x, &args->dy, &args->dw) != URSA_F32)
        return ursa_conv2d_grad_weight_through_float(base, args);
    if (!fits("conv2d_grad_weight", &args->x, &args->dw, &args->dy))
        return false;
    if (is_depthwise(g, &args->dw))
        return ursa_cl_depthwise_grad_weight(device, args);

    struct conv_shape shape = forward_shape(g, &args->x, &args->dw, &args->dy);
    int terms = terms_of(&shape);
    int64_t pixels = (int64_t)shape.images * shape.grid[0] * shape.grid[1];
    struct ursa_cl_tile tile = ursa_cl_tile_for(device, shape.width, terms, false);
    int64_t tiles = ursa_cl_tiles(shape.width, tile.rows) * ursa_cl_tiles(terms, tile.columns);
    int chunk = ursa_cl_part_pixels(device, pixels, tiles * g->groups);
    int parts = pixels > 0 ? (int)ursa_cl_tiles(pixels, chunk) : 1;
    ursa_buffer *scratch = NULL;
    if (parts > 1 && !(scratch = ursa_buffer_new(base, URSA_F32, parts * ursa_array_count(&args->dw))))
        return false;

    struct ursa_cl_kernel *kernel =
        ursa_cl_kernel(device, "conv", "conv_grad_weight", "-DGRAD_WEIGHT %s -DTERM_LANES=%d", tile.options,
                       ursa_cl_lanes(device, shape.depth));
    bool ok = ursa_cl_launch(device, kernel, ursa_cl_tile_grid(&tile, tiles, parts, g->groups), ursa_cl_array(&args->x),
                             ursa_cl_array(&args->dy), scratch ? ursa_cl_buffer(scratch) : ursa_cl_array(&args->dw),
                             ursa_cl_struct(&shape), ursa_cl_int(chunk));
    ok = ok && (!scratch || ursa_cl_sum_parts(device, scratch, parts, &args->dw));
    ursa_buffer_release(scratch);
    return ok;
}
