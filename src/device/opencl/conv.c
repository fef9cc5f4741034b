/* conv.c — convolution and its gradients, on the product kernels of
 * cl/conv.cl; one channel per group goes to depthwise.c.
 */
#include "device/opencl/conv.h"
#include "base/error.h"
#include "device/opencl/moments.h"
#include "device/opencl/winograd.h"

/* The twin of conv_shape in cl/conv_shape.cl, where the fields are explained. */
struct conv_shape {
    cl_int images, grid[2];
    cl_int source[2], source_channels, depth;
    cl_int step[2], start[2];
    cl_int taps[2], tap_step[2];
    cl_int out[2], out_channels, width;
    cl_int out_step[2], out_start[2];
    cl_int w_tile, w_group;
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

static int64_t pixels_of(const struct conv_shape *shape)
{
    return (int64_t)shape->images * shape->grid[0] * shape->grid[1];
}

/* The shape of the convolution itself. */
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
    return s;
}

/* The weights of the convolution itself: columns are output channels. */
static struct ursa_cl_pack forward_pack(const struct conv_shape *s, int groups)
{
    struct ursa_cl_pack p = {.groups = groups,
                             .columns = s->width,
                             .taps = {s->taps[0], s->taps[1]},
                             .depth = s->depth,
                             .tap = {s->taps[1] * s->depth, s->depth},
                             .row = 1,
                             .column = terms_of(s)};
    p.group = s->width * p.column;
    return p;
}

/* How the kernels of GPUs read the channels of a group, and write them. */
static struct ursa_cl_side side_of(const ursa_array *a, int64_t channels)
{
    return (struct ursa_cl_side){.type = a->dtype,
                                 .lanes = ursa_cl_vector(a->dtype, 16, a->offset, channels, a->shape[3], 0)};
}

/* 3 × 3 taps side by side, for every pixel of the result: along each axis they may go backward. */
static bool is_window_of_3(const struct conv_shape *s)
{
    for (int axis = 0; axis < 2; axis++)
        if (s->taps[axis] != 3 || (s->tap_step[axis] != 1 && s->tap_step[axis] != -1) || s->step[axis] != 1 ||
            s->out_step[axis] != 1)
            return false;
    return true;
}

static bool by_winograd(struct ursa_cl_device *device, const struct conv_shape *s, const struct ursa_cl_pack *pack,
                        const struct ursa_conv2d_args *args)
{
    struct ursa_winograd_conv conv = {.x = &args->x,
                                      .w = &args->w,
                                      .bias = &args->bias,
                                      .out = &args->out,
                                      .w_start = pack->start,
                                      .w_row = pack->row,
                                      .w_column = pack->column,
                                      .relu = args->activation.used};
    for (int axis = 0; axis < 2; axis++) { /* the taps in the order of the pixels that they meet */
        bool backward = s->tap_step[axis] < 0;
        conv.start[axis] = s->start[axis] - (backward ? 2 : 0);
        conv.w_start += backward ? 2 * pack->tap[axis] : 0;
        conv.w_tap[axis] = backward ? -pack->tap[axis] : pack->tap[axis];
    }
    return ursa_cl_winograd(device, &conv);
}

/* The moments of the result, where they are wanted, by a method that does not find them itself. */
static bool in_a_pass(struct ursa_cl_device *device, const struct ursa_conv2d_args *args)
{
    return !args->mean.buffer || ursa_cl_channel_moments(device, &args->out, &args->mean, &args->var);
}

static bool launch_product(struct ursa_cl_device *device, struct conv_shape *shape, struct ursa_cl_pack *pack,
                           const struct ursa_conv2d_args *args)
{
    const ursa_dtype factor = ursa_cl_factor(&args->x, &args->w);
    const ursa_activation *activation = &args->activation;
    int64_t pixels = pixels_of(shape);
    if (pixels == 0 || shape->width == 0)
        return true;
    struct ursa_cl_product product = {.kind = URSA_CL_CONV,
                                      .type = factor,
                                      .batch = pack->groups,
                                      .m = pixels,
                                      .n = shape->width,
                                      .k = terms_of(shape),
                                      .by_element = shape->depth % 4 != 0,
                                      .window = is_window_of_3(shape) ? 3 : 0};
    struct ursa_cl_choice choice = ursa_cl_choose(device, &product);
    const struct ursa_cl_tile *tile = &choice.tile;
    if (choice.method == URSA_CL_WINOGRAD)
        return by_winograd(device, shape, pack, args) && in_a_pass(device, args);

    bool is_cpu = ursa_cl_family(device) == URSA_CL_CPU, matrix = choice.method == URSA_CL_MATRIX;
    bool with_moments = args->mean.buffer && !matrix; /* whose registers only its own code knows */
    ursa_dtype packed_type = is_cpu ? URSA_F32 : factor;
    pack->tile = ursa_cl_pack_columns(device, tile);
    pack->terms = ursa_cl_pack_terms(device, tile, terms_of(shape));
    pack->run = matrix ? tile->depth : 0;
    pack->factor = (cl_int)factor;
    shape->w_tile = pack->tile * pack->terms;
    shape->w_group = (cl_int)ursa_cl_tiles(shape->width, pack->tile) * shape->w_tile;

    struct ursa_cl_side left = side_of(&args->x, shape->depth), out = side_of(&args->out, shape->width);
    struct ursa_cl_side right = {.type = packed_type, .lanes = factor == URSA_F32 ? 4 : 8, .along_k = matrix};
    left.along_k = true;
    out.lanes = out.lanes >= 4 ? 4 : 1;
    struct ursa_cl_kernel *kernel =
        ursa_cl_product_kernel(device, "conv", "conv_product", with_moments ? "-DPRODUCT -DMOMENTS" : "-DPRODUCT",
                               &choice, &left, &right, &out, factor);
    ursa_buffer *w = kernel ? ursa_cl_pack(device, &args->w, pack, packed_type) : NULL;
    struct ursa_cl_moments moments = {.rows = (cl_int)pixels,
                                      .channels = shape->out_channels,
                                      .part_rows = tile->rows,
                                      .parts = (cl_int)ursa_cl_tiles(pixels, tile->rows)};
    struct ursa_cl_types types = {(cl_int)left.type, (cl_int)packed_type, (cl_int)out.type, (cl_int)factor};
    bool ok = w && (!with_moments || ursa_cl_new_moments(device, &moments));
    ursa_cl_arg all[8] = {ursa_cl_array(&args->x),   ursa_cl_buffer(w),     ursa_cl_array(&args->bias),
                          ursa_cl_array(&args->out), ursa_cl_struct(shape), ursa_cl_int(activation->used)};
    int count = 6;
    if (with_moments)
        all[count++] = ursa_cl_buffer(moments.sums);
    all[count++] = ursa_cl_struct(&types);
    ok = ok &&
         ursa_cl_product_launch(device, kernel, tile, ursa_cl_tiles(pixels, tile->rows),
                                ursa_cl_tiles(shape->width, tile->columns), pack->groups, count, all) &&
         (with_moments ? ursa_cl_join_moments(device, &moments, &args->mean, &args->var) : in_a_pass(device, args));
    ursa_buffer_release(w);
    ursa_buffer_release(moments.sums);
    return ok;
}

bool ursa_cl_sum_parts(struct ursa_cl_device *device, const ursa_buffer *parts, int count, const ursa_array *out)
{
    cl_int n = (cl_int)ursa_array_count(out);
    struct ursa_cl_kernel *kernel = ursa_cl_kernel(device, "product", "weight_sum", "%s", "");
    return ursa_cl_launch(device, kernel, ursa_cl_items(device, n), ursa_cl_buffer(parts), ursa_cl_array(out),
                          ursa_cl_int((cl_int)out->dtype), ursa_cl_int(count), ursa_cl_int(n));
}

static bool is_depthwise(const ursa_conv_geometry *g, const ursa_array *w)
{
    return w->shape[3] == 1 && w->shape[0] == g->groups;
}

/* With the activations that the kernels know. */
static bool convolve(struct ursa_cl_device *device, const struct ursa_conv2d_args *args)
{
    if (is_depthwise(&args->geometry, &args->w))
        return ursa_cl_depthwise(device, args) && in_a_pass(device, args);
    struct conv_shape shape = forward_shape(&args->geometry, &args->x, &args->w, &args->out);
    struct ursa_cl_pack pack = forward_pack(&shape, args->geometry.groups);
    return launch_product(device, &shape, &pack, args);
}

bool ursa_opencl_conv2d(ursa_device *base, const struct ursa_conv2d_args *args)
{
    static const ursa_array no_bias;
    struct ursa_cl_device *device = ursa_cl_device(base);
    if (!fits("conv2d", &args->x, &args->w, &args->out))
        return false;
    if (ursa_cl_is_fused(&args->activation))
        return convolve(device, args);
    struct ursa_cl_target target;
    struct ursa_conv2d_args sums = *args;
    if (!ursa_cl_target(device, &args->out, false, &target))
        return false;
    sums.out = target.sums;
    sums.activation.used = false;
    bool ok = convolve(device, &sums);
    return ursa_cl_finish(device, &target, &no_bias, &args->activation, &args->out, ok);
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
    const ursa_conv_geometry *g = &args->geometry;
    const ursa_array *dy = &args->dy, *w = &args->w, *dx = &args->dx;
    int w_tap[2] = {(int)(w->shape[2] * w->shape[3]), (int)w->shape[3]};
    struct conv_shape s = {.images = (cl_int)dx->shape[0],
                           .source_channels = (cl_int)dy->shape[3],
                           .depth = (cl_int)(dy->shape[3] / g->groups),
                           .out_channels = (cl_int)dx->shape[3],
                           .width = (cl_int)w->shape[3]};
    /* Columns are input channels: the weights transposed. */
    struct ursa_cl_pack pack = {.groups = g->groups,
                                .columns = s.width,
                                .depth = s.depth,
                                .row = (cl_int)(w->shape[1] * w->shape[2] * w->shape[3]),
                                .column = 1};
    pack.group = s.depth * pack.row;
    for (int axis = 0; axis < 2; axis++) {
        struct phase p = phase_of(first[axis], (int)dx->shape[1 + axis], (int)w->shape[1 + axis], g->stride[axis],
                                  g->pad[axis], g->dilation[axis]);
        s.source[axis] = (cl_int)dy->shape[1 + axis];
        s.out[axis] = (cl_int)dx->shape[1 + axis];
        s.grid[axis] = p.pixels;
        s.step[axis] = 1;
        s.start[axis] = p.start;
        s.taps[axis] = pack.taps[axis] = p.taps;
        s.tap_step[axis] = p.tap_step;
        s.out_step[axis] = g->stride[axis];
        s.out_start[axis] = first[axis];
        pack.start += p.first_tap * w_tap[axis];
        pack.tap[axis] = p.tap_stride * w_tap[axis];
    }
    const struct ursa_conv2d_args product = {.x = *dy, .w = *w, .out = *dx};
    return launch_product(device, &s, &pack, &product);
}

bool ursa_opencl_conv2d_grad_input(ursa_device *base, const struct ursa_conv2d_grad_input_args *args)
{
    struct ursa_cl_device *device = ursa_cl_device(base);
    const ursa_conv_geometry *g = &args->geometry;
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
    if (!fits("conv2d_grad_weight", &args->x, &args->dw, &args->dy))
        return false;
    if (is_depthwise(g, &args->dw))
        return ursa_cl_depthwise_grad_weight(device, args);

    struct conv_shape shape = forward_shape(g, &args->x, &args->dw, &args->dy);
    int terms = terms_of(&shape);
    int64_t pixels = pixels_of(&shape);
    ursa_dtype factor = ursa_cl_factor(&args->x, &args->dy);
    if (shape.width == 0 || terms == 0)
        return true;
    struct ursa_cl_product product = {.kind = URSA_CL_CONV_WEIGHT,
                                      .type = factor,
                                      .batch = g->groups,
                                      .m = shape.width,
                                      .n = terms,
                                      .k = pixels,
                                      .by_element = shape.depth % 4 != 0 || shape.width % 4 != 0};
    struct ursa_cl_choice choice = ursa_cl_choose(device, &product);
    const struct ursa_cl_tile *tile = &choice.tile;
    int64_t tiles = ursa_cl_tiles(shape.width, tile->rows) * ursa_cl_tiles(terms, tile->columns);
    int chunk = ursa_cl_part_pixels(device, pixels, tiles * g->groups);
    int parts = pixels > 0 ? (int)ursa_cl_tiles(pixels, chunk) : 1;
    ursa_array sums = args->dw;
    ursa_buffer *scratch = NULL;
    if (parts > 1) {
        if (!(scratch = ursa_buffer_new(base, URSA_F32, parts * ursa_array_count(&args->dw))))
            return false;
        sums.buffer = scratch, sums.dtype = URSA_F32, sums.offset = 0;
    }

    struct ursa_cl_side left = side_of(&args->dy, shape.width), right = side_of(&args->x, shape.depth);
    struct ursa_cl_side out = {.type = sums.dtype, .lanes = ursa_cl_vector(URSA_F32, 16, sums.offset, terms, 0, 0)};
    struct ursa_cl_kernel *kernel = ursa_cl_product_kernel(device, "conv", "conv_grad_weight", "-DGRAD_WEIGHT", &choice,
                                                           &left, &right, &out, factor);
    struct ursa_cl_types types = {(cl_int)right.type, (cl_int)left.type, (cl_int)out.type, (cl_int)factor};
    const ursa_cl_arg all[] = {ursa_cl_array(&args->x), ursa_cl_array(&args->dy), ursa_cl_array(&sums),
                               ursa_cl_struct(&shape),  ursa_cl_int(chunk),       ursa_cl_struct(&types)};
    bool ok = ursa_cl_product_launch(device, kernel, tile, tiles, parts, g->groups, 6, all);
    ok = ok && (!scratch || ursa_cl_sum_parts(device, scratch, parts, &args->dw));
    ursa_buffer_release(scratch);
    return ok;
}
