/* conv.c — convolution and its transpose. */
#include "tensor.h"
#include "base/error.h"
#include "device/backend.h"
#include <inttypes.h>

/* ---- geometry --------------------------------------------------------------------------------- */

static bool read_options(const char *name, const ursa_conv_options *options, ursa_conv_geometry *geometry)
{
    *geometry = (ursa_conv_geometry){.groups = options->groups ? options->groups : 1};
    for (int i = 0; i < 2; i++) {
        geometry->stride[i] = options->stride[i] ? options->stride[i] : 1;
        geometry->dilation[i] = options->dilation[i] ? options->dilation[i] : 1;
        geometry->pad[i] = options->padding[i];
        if (geometry->stride[i] < 1 || geometry->dilation[i] < 1 || geometry->pad[i] < 0)
            return ursa_fail(URSA_ERROR_ARGUMENT, "%s: stride %d, dilation %d, padding %d; expected 1, 1 and 0 or more",
                             name, geometry->stride[i], geometry->dilation[i], geometry->pad[i]);
    }
    return geometry->groups > 0 ||
           ursa_fail(URSA_ERROR_ARGUMENT, "%s: %d groups, expected 1 or more", name, geometry->groups);
}

/* Rows that a kernel of `taps` spans. */
static int64_t span_of(const ursa_conv_geometry *geometry, int i, int64_t taps)
{
    return (taps - 1) * geometry->dilation[i] + 1;
}

static bool check_bias(const char *name, const ursa_tensor *bias, const ursa_tensor *x, int64_t outputs)
{
    if (!bias)
        return true;
    if (!ursa_same_device(name, x, bias, "bias"))
        return false;
    return (bias->array.ndim == 1 && bias->array.shape[0] == outputs) ||
           ursa_fail(URSA_ERROR_SHAPE, "%s: bias is %s, expected [%" PRId64 "]", name,
                     ursa_shape_text(bias->array.ndim, bias->array.shape).text, outputs);
}

static bool check_ranks(const char *name, const ursa_tensor *x, const ursa_tensor *w)
{
    if (!ursa_same_device(name, x, w, "w"))
        return false;
    if (x->array.ndim != 4)
        return ursa_fail(URSA_ERROR_SHAPE, "%s: x is %s, expected [N, H, W, C]", name,
                         ursa_shape_text(x->array.ndim, x->array.shape).text);
    if (w->array.ndim != 4 || w->array.shape[1] < 1 || w->array.shape[2] < 1)
        return ursa_fail(URSA_ERROR_SHAPE, "%s: w is %s, expected [O, KH, KW, I / groups]", name,
                         ursa_shape_text(w->array.ndim, w->array.shape).text);
    return true;
}

/* ---- the operators, unrecorded ------------------------------------------------------------------- */

static ursa_tensor *forward(ursa_tensor *x, ursa_tensor *w, ursa_tensor *bias, const ursa_conv_geometry *geometry,
                            ursa_activation activation, ursa_dims shape, const ursa_channel_moments *moments)
{
    ursa_tensor *out = x && w ? ursa_tensor_new(ursa_device_of(x), x->array.dtype, shape) : NULL;
    if (!out)
        return NULL;
    struct ursa_conv2d_args args = {
        .geometry = *geometry, .x = x->array, .w = w->array, .out = out->array, .activation = activation};
    if (bias)
        args.bias = bias->array;
    if (moments) {
        args.mean = moments->mean->array;
        args.var = moments->var->array;
    }
    return ursa_op_conv2d(ursa_device_of(x), &args) ? out : NULL;
}

static ursa_tensor *grad_input(ursa_tensor *dy, ursa_tensor *w, const ursa_conv_geometry *geometry, ursa_dims shape)
{
    ursa_tensor *dx = dy && w ? ursa_tensor_new(ursa_device_of(dy), dy->array.dtype, shape) : NULL;
    if (!dx)
        return NULL;
    struct ursa_conv2d_grad_input_args args = {.geometry = *geometry, .dy = dy->array, .w = w->array, .dx = dx->array};
    return ursa_op_conv2d_grad_input(ursa_device_of(dy), &args) ? dx : NULL;
}

static ursa_tensor *grad_weight(ursa_tensor *x, ursa_tensor *dy, const ursa_conv_geometry *geometry, ursa_dims shape,
                                ursa_dtype dtype)
{
    ursa_tensor *dw = x && dy ? ursa_tensor_new(ursa_device_of(dy), dtype, shape) : NULL;
    if (!dw)
        return NULL;
    struct ursa_conv2d_grad_weight_args args = {.geometry = *geometry, .x = x->array, .dy = dy->array, .dw = dw->array};
    return ursa_op_conv2d_grad_weight(ursa_device_of(dy), &args) ? dw : NULL;
}

/* ---- convolution ------------------------------------------------------------------------------------ */

/* Saved: 0 x where dw is wanted, 1 w where dx is. Inputs: x, w, bias. */
static bool conv_step(const ursa_node *node, ursa_tensor *dy, ursa_tensor **dx)
{
    const ursa_conv_geometry *geometry = ursa_node_extra(node);
    bool wants_x = ursa_node_wants(node, 0), wants_w = ursa_node_wants(node, 1), wants_bias = ursa_node_wants(node, 2);
    dy = ursa_dense(dy);
    if (wants_bias)
        dx[2] = ursa_sum_to(dy, ursa_node_shape(node, 2), URSA_F32);
    if (wants_w && dy)
        dx[1] =
            grad_weight(ursa_node_saved(node, 0), dy, geometry, ursa_node_shape(node, 1), ursa_node_type(node, 1, dy));
    if (wants_x)
        dx[0] = grad_input(dy, ursa_node_saved(node, 1), geometry, ursa_node_shape(node, 0));
    return (dx[0] || !wants_x) && (dx[1] || !wants_w) && (dx[2] || !wants_bias);
}

static bool conv_shape(const ursa_tensor *x, const ursa_tensor *w, const ursa_conv_geometry *geometry, ursa_dims *shape)
{
    const int64_t *a = x->array.shape, *b = w->array.shape;
    if (b[3] * geometry->groups != a[3] || b[0] % geometry->groups)
        return ursa_fail(URSA_ERROR_SHAPE,
                         "conv2d: w is %s, expected [O, KH, KW, %" PRId64 " / %d] with O a multiple of the %d groups, "
                         "as x is %s",
                         ursa_shape_text(4, b).text, a[3], geometry->groups, geometry->groups,
                         ursa_shape_text(4, a).text);
    *shape = ursa_shape(a[0], 0, 0, b[0]);
    for (int i = 0; i < 2; i++) {
        int64_t room = a[1 + i] + 2 * geometry->pad[i] - span_of(geometry, i, b[1 + i]);
        if (room < 0)
            return ursa_fail(URSA_ERROR_SHAPE,
                             "conv2d: the kernel spans %" PRId64 " pixels, x %s with padding %d has fewer",
                             span_of(geometry, i, b[1 + i]), ursa_shape_text(4, a).text, geometry->pad[i]);
        shape->dim[1 + i] = room / geometry->stride[i] + 1;
    }
    return true;
}

/* The activation that the operator computes with the product: where its gradient will not be asked for. */
static ursa_activation fused(ursa_tensor *x, ursa_tensor *w, const ursa_conv_options *options, bool apart)
{
    bool known = options->activation == ursa_relu || options->activation == ursa_relu6;
    return (ursa_activation){
        .used = known && !apart && !ursa_will_record(3, (ursa_tensor *[]){x, w, options->bias}),
        .kind = options->activation == ursa_relu6 ? URSA_UNARY_relu6 : URSA_UNARY_relu,
    };
}

static ursa_tensor *conv2d(ursa_tensor *x, ursa_tensor *w, ursa_tensor *bias, const ursa_conv_geometry *geometry,
                           ursa_activation activation, const ursa_channel_moments *moments)
{
    ursa_dims shape;
    if (!conv_shape(x, w, geometry, &shape) || !check_bias("conv2d", bias, x, w->array.shape[0]))
        return NULL;
    ursa_dtype dtype = ursa_activation_type(x);
    ursa_tensor *image = ursa_dense_typed(x, dtype), *kernel = ursa_dense(ursa_factor(w, dtype));
    ursa_tensor *added = ursa_dense_typed(bias, URSA_F32);
    if (bias && !added)
        return NULL;
    ursa_tensor *out = forward(image, kernel, added, geometry, activation, shape, moments);
    ursa_node *node = out ? URSA_RECORD("conv2d", conv_step, 2, sizeof *geometry, x, w, bias) : NULL;
    if (node) {
        *(ursa_conv_geometry *)ursa_node_extra(node) = *geometry;
        ursa_node_save(node, 0, ursa_node_wants(node, 1) ? image : NULL);
        ursa_node_save(node, 1, ursa_node_wants(node, 0) ? kernel : NULL);
    }
    return ursa_node_attach(node, out);
}

static bool new_moments(ursa_tensor *w, ursa_channel_moments *moments)
{
    ursa_dims channels = ursa_shape(w->array.shape[0]);
    moments->mean = ursa_tensor_new(ursa_device_of(w), URSA_F32, channels);
    moments->var = ursa_tensor_new(ursa_device_of(w), URSA_F32, channels);
    return moments->mean && moments->var;
}

ursa_tensor *ursa_conv2d_moments(ursa_tensor *x, ursa_tensor *w, const ursa_conv_options *options,
                                 ursa_channel_moments *moments)
{
    ursa_conv_geometry geometry;
    if (!x || !w || !check_ranks("conv2d", x, w) || !read_options("conv2d", options, &geometry) ||
        (moments && !new_moments(w, moments)))
        return NULL;
    ursa_scope *scope = ursa_scope_begin();
    ursa_activation activation = fused(x, w, options, moments != NULL);
    ursa_tensor *out = conv2d(x, w, options->bias, &geometry, activation, moments);
    return ursa_leave(scope, options->activation && !activation.used ? options->activation(out) : out);
}

ursa_tensor *ursa_conv2d_opt(ursa_tensor *x, ursa_tensor *w, const ursa_conv_options *options)
{
    return ursa_conv2d_moments(x, w, options, NULL);
}

/* ---- transposed convolution -------------------------------------------------------------------------- */

/* Saved: 0 x where dw is wanted, 1 w where dx is. */
static bool transpose_step(const ursa_node *node, ursa_tensor *dy, ursa_tensor **dx)
{
    const ursa_conv_geometry *geometry = ursa_node_extra(node);
    bool wants_x = ursa_node_wants(node, 0), wants_w = ursa_node_wants(node, 1);
    dy = ursa_dense(dy);
    if (wants_w)
        dx[1] = dy ? grad_weight(dy, ursa_node_saved(node, 0), geometry, ursa_node_shape(node, 1),
                                 ursa_node_type(node, 1, dy))
                   : NULL;
    if (wants_x)
        dx[0] =
            forward(dy, ursa_node_saved(node, 1), NULL, geometry, (ursa_activation){0}, ursa_node_shape(node, 0), NULL);
    return (dx[0] || !wants_x) && (dx[1] || !wants_w);
}

static bool transpose_shape(const ursa_tensor *x, const ursa_tensor *w, const ursa_conv_geometry *geometry,
                            const int output_padding[2], ursa_dims *shape)
{
    const int64_t *a = x->array.shape, *b = w->array.shape;
    if (b[0] != a[3] || b[0] % geometry->groups)
        return ursa_fail(URSA_ERROR_SHAPE,
                         "conv_transpose2d: w is %s, expected [%" PRId64 ", KH, KW, O / groups], a multiple of the %d "
                         "groups, as x is %s",
                         ursa_shape_text(4, b).text, a[3], geometry->groups, ursa_shape_text(4, a).text);
    *shape = ursa_shape(a[0], 0, 0, b[3] * geometry->groups);
    for (int i = 0; i < 2; i++) {
        int extra = output_padding[i],
            limit = geometry->stride[i] > geometry->dilation[i] ? geometry->stride[i] : geometry->dilation[i];
        if (extra < 0 || extra >= limit)
            return ursa_fail(URSA_ERROR_ARGUMENT, "conv_transpose2d: output padding %d, expected 0 … %d", extra,
                             limit - 1);
        shape->dim[1 + i] =
            (a[1 + i] - 1) * geometry->stride[i] - 2 * geometry->pad[i] + span_of(geometry, i, b[1 + i]) + extra;
        if (shape->dim[1 + i] < 0 || a[1 + i] < 1)
            return ursa_fail(URSA_ERROR_SHAPE, "conv_transpose2d: x is %s, which with padding %d leaves nothing",
                             ursa_shape_text(4, a).text, geometry->pad[i]);
    }
    return true;
}

static ursa_tensor *transposed(ursa_tensor *x, ursa_tensor *w, const ursa_conv_geometry *geometry, ursa_dims shape)
{
    ursa_dtype dtype = ursa_activation_type(x);
    ursa_tensor *image = ursa_dense_typed(x, dtype), *kernel = ursa_dense(ursa_factor(w, dtype));
    ursa_tensor *out = grad_input(image, kernel, geometry, shape);
    ursa_node *node = out ? URSA_RECORD("conv_transpose2d", transpose_step, 2, sizeof *geometry, x, w) : NULL;
    if (node) {
        *(ursa_conv_geometry *)ursa_node_extra(node) = *geometry;
        ursa_node_save(node, 0, ursa_node_wants(node, 1) ? image : NULL);
        ursa_node_save(node, 1, ursa_node_wants(node, 0) ? kernel : NULL);
    }
    return ursa_node_attach(node, out);
}

ursa_tensor *ursa_conv_transpose2d_opt(ursa_tensor *x, ursa_tensor *w, const ursa_conv_options *options)
{
    const char *name = "conv_transpose2d";
    ursa_conv_geometry geometry;
    ursa_dims shape;
    if (!x || !w || !check_ranks(name, x, w) || !read_options(name, options, &geometry) ||
        !transpose_shape(x, w, &geometry, options->output_padding, &shape) ||
        !check_bias(name, options->bias, x, shape.dim[3]))
        return NULL;
    ursa_scope *scope = ursa_scope_begin();
    ursa_tensor *out = transposed(x, w, &geometry, shape);
    if (options->bias)
        out = ursa_cast(ursa_add(out, options->bias), ursa_activation_type(x));
    return ursa_leave(scope, out);
}
