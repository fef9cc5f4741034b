/* winograd.c — convolutions with windows of 3 × 3 and stride 1 by Winograd's
 * method, in rounds of some images: what is transformed takes several times the
 * memory of the images themselves.
 */
#include "device/opencl/winograd.h"

/* The twin of winograd_shape in cl/winograd.cl, where the fields are explained. */
struct winograd_shape {
    cl_int images, source[2], depth;
    cl_int out[2], width;
    cl_int start[2];
    cl_int tiles[2];
    cl_int factor;
};

/* Results of a tile along an axis, planes, channels of a work item, and the floats that a
 * round's planes may take. */
enum { OUT = 4, PLANES = 36, LANES = 2, ROUND_FLOATS = 16 << 20 };

static ursa_array planes(ursa_buffer *buffer, int64_t rows, int64_t columns)
{
    return (ursa_array){
        .buffer = buffer, .ndim = 3, .shape = {PLANES, rows, columns}, .stride = {rows * columns, columns, 1}};
}

static bool transform_weights(struct ursa_cl_device *device, const struct ursa_winograd_conv *conv,
                              const struct winograd_shape *s, const ursa_buffer *out)
{
    struct ursa_cl_kernel *kernel = ursa_cl_kernel(device, "winograd", "winograd_weights", "-DLANES=%d", LANES);
    return ursa_cl_launch(device, kernel, ursa_cl_items(device, (int64_t)s->depth * s->width), ursa_cl_array(conv->w),
                          ursa_cl_buffer(out), ursa_cl_struct(s), ursa_cl_int((cl_int)conv->w->dtype),
                          ursa_cl_int(conv->w_start), ursa_cl_int(conv->w_tap[0]), ursa_cl_int(conv->w_tap[1]),
                          ursa_cl_int(conv->w_row), ursa_cl_int(conv->w_column));
}

/* The images of x and out that start at `first`. */
static ursa_array images_from(const ursa_array *a, int64_t first)
{
    ursa_array part = *a;
    part.offset += first * a->stride[0];
    return part;
}

static bool run_round(struct ursa_cl_device *device, const struct ursa_winograd_conv *conv,
                      const struct winograd_shape *s, int64_t first, ursa_buffer *weights, ursa_buffer *patches,
                      ursa_buffer *products)
{
    int64_t tiles = (int64_t)s->images * s->tiles[0] * s->tiles[1];
    ursa_array x = images_from(conv->x, first), out = images_from(conv->out, first);
    struct ursa_cl_kernel *input = ursa_cl_kernel(device, "winograd", "winograd_input", "-DLANES=%d", LANES);
    struct ursa_cl_kernel *output = ursa_cl_kernel(device, "winograd", "winograd_output", "-DLANES=%d", LANES);
    struct ursa_gemm_args product = {.x = planes(patches, tiles, s->depth),
                                     .y = planes(weights, s->depth, s->width),
                                     .out = planes(products, tiles, s->width),
                                     .alpha = 1};
    return ursa_cl_launch(device, input, ursa_cl_items(device, tiles * (s->depth / LANES)), ursa_cl_array(&x),
                          ursa_cl_buffer(patches), ursa_cl_struct(s), ursa_cl_int((cl_int)x.dtype)) &&
           ursa_opencl_gemm(&device->base, &product) &&
           ursa_cl_launch(device, output, ursa_cl_items(device, tiles * (s->width / LANES)), ursa_cl_buffer(products),
                          ursa_cl_array(conv->bias), ursa_cl_array(&out), ursa_cl_struct(s),
                          ursa_cl_int((cl_int)out.dtype), ursa_cl_int(conv->relu));
}

bool ursa_cl_winograd_takes(int64_t depth, int64_t width)
{
    return depth % LANES == 0 && width % LANES == 0;
}

bool ursa_cl_winograd(struct ursa_cl_device *device, const struct ursa_winograd_conv *conv)
{
    int64_t images = conv->x->shape[0];
    struct winograd_shape s = {.depth = (cl_int)conv->x->shape[3],
                               .width = (cl_int)conv->out->shape[3],
                               .factor = (cl_int)ursa_cl_factor(conv->x, conv->w)};
    for (int axis = 0; axis < 2; axis++) {
        s.source[axis] = (cl_int)conv->x->shape[1 + axis];
        s.out[axis] = (cl_int)conv->out->shape[1 + axis];
        s.start[axis] = conv->start[axis];
        s.tiles[axis] = (cl_int)ursa_cl_tiles(s.out[axis], OUT);
    }
    int64_t tiles = (int64_t)s.tiles[0] * s.tiles[1], widest = s.depth > s.width ? s.depth : s.width;
    int64_t round = ROUND_FLOATS / (PLANES * tiles * widest);
    round = round < 1 ? 1 : round < images ? round : images;
    ursa_buffer *weights = ursa_buffer_new(&device->base, URSA_F32, (int64_t)PLANES * s.depth * s.width);
    ursa_buffer *patches = ursa_buffer_new(&device->base, URSA_F32, PLANES * round * tiles * s.depth);
    ursa_buffer *products = ursa_buffer_new(&device->base, URSA_F32, PLANES * round * tiles * s.width);
    bool ok = weights && patches && products && transform_weights(device, conv, &s, weights);
    for (int64_t first = 0; ok && first < images; first += round) {
        s.images = (cl_int)(round < images - first ? round : images - first);
        ok = run_round(device, conv, &s, first, weights, patches, products);
    }
    ursa_buffer_release(weights);
    ursa_buffer_release(patches);
    ursa_buffer_release(products);
    return ok;
}
