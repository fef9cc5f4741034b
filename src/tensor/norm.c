/* norm.c — batch, layer and group normalisation. */
#include "tensor.h"
#include "base/error.h"
#include "device/backend.h"
#include <inttypes.h>

/* ---- what they share --------------------------------------------------------------------------- */

static const ursa_array absent;

static const ursa_array *array_or_absent(const ursa_tensor *tensor)
{
    return tensor ? &tensor->array : &absent;
}

static bool check_channels(const char *name, const char *argument, const ursa_tensor *tensor, const ursa_tensor *x)
{
    if (!tensor)
        return true;
    int64_t channels = x->array.shape[x->array.ndim - 1];
    if (!ursa_same_device(name, x, tensor, argument))
        return false;
    return (tensor->array.ndim == 1 && tensor->array.shape[0] == channels) ||
           ursa_fail(URSA_ERROR_SHAPE, "%s: %s is %s, expected [%" PRId64 "] as x, which is %s", name, argument,
                     ursa_shape_text(tensor->array.ndim, tensor->array.shape).text, channels,
                     ursa_shape_text(x->array.ndim, x->array.shape).text);
}

static bool check_image(const char *name, const ursa_tensor *x, int least)
{
    return x->array.ndim >= least ||
           ursa_fail(URSA_ERROR_SHAPE, "%s: x is %s, expected %s", name,
                     ursa_shape_text(x->array.ndim, x->array.shape).text, least == 1 ? "[..., C]" : "[N, …, C]");
}

/* A new tensor for a gradient that is wanted. */
static ursa_tensor *wanted(const ursa_node *node, int input, ursa_tensor *like, ursa_dims shape, bool *failed)
{
    if (!ursa_node_wants(node, input))
        return NULL;
    ursa_tensor *out = ursa_tensor_new(ursa_device_of(like), URSA_F32, shape);
    *failed |= !out;
    return out;
}

/* ---- batch norm ------------------------------------------------------------------------------------ */

/* What stands behind a batch norm and is computed with it. */
struct batch_norm_node {
    bool training;
    ursa_activation activation;
};

/* Inputs x, scale, shift, residual. Saved: 0 x, 1 scale, 2 mean, 3 inv_std; with an activation 4 shift or, where
 * that is not enough to know the output by, 5 the output. */
static bool batch_norm_step(const ursa_node *node, ursa_tensor *dy, ursa_tensor **dx)
{
    const struct batch_norm_node *norm = ursa_node_extra(node);
    bool failed = false;
    ursa_tensor *x = ursa_node_saved(node, 0), *scale = ursa_node_saved(node, 1), *shift = ursa_node_saved(node, 4);
    ursa_tensor *mean = ursa_node_saved(node, 2), *inv_std = ursa_node_saved(node, 3), *y = ursa_node_saved(node, 5);
    dy = ursa_dense(dy);
    if (!x || !mean || !inv_std || !dy)
        return false;
    ursa_dims channels = ursa_dims_of(mean);
    bool residual = ursa_node_wants(node, 3), passes = residual && norm->activation.used;
    if (residual)
        dx[3] = passes ? ursa_reuse(dy) : dy;
    if (ursa_node_wants(node, 0))
        dx[0] = residual ? ursa_empty_like(dy) : ursa_reuse(dy);
    dx[1] = wanted(node, 1, x, channels, &failed);
    dx[2] = wanted(node, 2, x, channels, &failed);
    struct ursa_batch_norm_grad_args args = {
        .x = x->array,
        .dy = dy->array,
        .y = *array_or_absent(y),
        .activation = norm->activation,
        .scale = *array_or_absent(scale),
        .shift = *array_or_absent(shift),
        .mean = mean->array,
        .inv_std = inv_std->array,
        .dx = *array_or_absent(dx[0]),
        .dresidual = *array_or_absent(passes ? dx[3] : NULL),
        .dscale = *array_or_absent(dx[1]),
        .dshift = *array_or_absent(dx[2]),
        .training = norm->training,
    };
    failed |= (residual && !dx[3]) || (ursa_node_wants(node, 0) && !dx[0]);
    return !failed && ursa_op_batch_norm_grad(ursa_device_of(x), &args);
}

/* Statistics and operands of one call: x and the residual of one float type, the others f32. */
struct batch_norm {
    ursa_tensor *x, *scale, *shift, *running_mean, *running_var, *mean, *inv_std, *residual;
    ursa_channel_moments known; /* of x, or NULLs */
    ursa_activation activation;
    bool training;
    double momentum, eps;
};

static bool prepare(struct batch_norm *norm)
{
    bool scaled = norm->scale != NULL, shifted = norm->shift != NULL, added = norm->residual != NULL;
    ursa_dtype dtype = ursa_activation_type(norm->x);
    norm->x = ursa_dense_typed(norm->x, dtype);
    norm->scale = ursa_dense_typed(norm->scale, URSA_F32);
    norm->shift = ursa_dense_typed(norm->shift, URSA_F32);
    norm->residual = ursa_dense_typed(norm->residual, dtype);
    if (!norm->x || (scaled && !norm->scale) || (shifted && !norm->shift) || (added && !norm->residual))
        return false;
    ursa_dims channels = ursa_shape(norm->x->array.shape[norm->x->array.ndim - 1]);
    ursa_device *device = ursa_device_of(norm->x);
    if (norm->training) {
        norm->mean = ursa_tensor_new(device, URSA_F32, channels);
        norm->inv_std = ursa_tensor_new(device, URSA_F32, channels);
        return norm->mean && norm->inv_std;
    }
    norm->running_mean = ursa_dense_typed(norm->running_mean, URSA_F32);
    norm->running_var = ursa_dense_typed(norm->running_var, URSA_F32);
    return norm->running_mean && norm->running_var;
}

/* What the gradient of inference needs instead of the batch's statistics. A
 * copy, since the running ones move on. */
static bool save_running(struct batch_norm *norm)
{
    ursa_no_grad_begin();
    norm->mean = ursa_clone(norm->running_mean);
    norm->inv_std = ursa_rsqrt(ursa_add_scalar(norm->running_var, norm->eps));
    ursa_no_grad_end();
    return norm->mean && norm->inv_std;
}

/* The output can be computed again from the batch's own statistics; else it is saved. */
static void save_batch_norm(ursa_node *node, const struct batch_norm *norm, ursa_tensor *out)
{
    if (!node)
        return;
    *(struct batch_norm_node *)ursa_node_extra(node) = (struct batch_norm_node){norm->training, norm->activation};
    ursa_node_save(node, 0, norm->x);
    ursa_node_save(node, 1, norm->scale);
    ursa_node_save(node, 2, norm->mean);
    ursa_node_save(node, 3, norm->inv_std);
    if (norm->activation.used && norm->training && !norm->residual)
        ursa_node_save(node, 4, norm->shift);
    else if (norm->activation.used)
        ursa_node_save(node, 5, out);
}

static ursa_tensor *batch_norm(struct batch_norm norm)
{
    ursa_tensor *inputs[] = {norm.x, norm.scale, norm.shift, norm.residual};
    if (!prepare(&norm))
        return NULL;
    ursa_tensor *out = ursa_empty_like(norm.x);
    if (!out)
        return NULL;
    struct ursa_batch_norm_args args = {
        .x = norm.x->array,
        .residual = *array_or_absent(norm.residual),
        .activation = norm.activation,
        .scale = *array_or_absent(norm.scale),
        .shift = *array_or_absent(norm.shift),
        .batch_mean = *array_or_absent(norm.known.mean),
        .batch_var = *array_or_absent(norm.known.var),
        .running_mean = *array_or_absent(norm.running_mean),
        .running_var = *array_or_absent(norm.running_var),
        .out = out->array,
        .mean = *array_or_absent(norm.mean),
        .inv_std = *array_or_absent(norm.inv_std),
        .training = norm.training,
        .momentum = (float)norm.momentum,
        .eps = (float)norm.eps,
    };
    if (!ursa_op_batch_norm(ursa_device_of(out), &args))
        return NULL;
    if (norm.training) {
        ursa_tensor_changed(norm.running_mean);
        ursa_tensor_changed(norm.running_var);
    } else if (ursa_will_record(4, inputs) && !save_running(&norm)) {
        return NULL;
    }
    ursa_node *node = ursa_node_new("batch_norm", batch_norm_step, 4, inputs, 6, sizeof(struct batch_norm_node));
    save_batch_norm(node, &norm, out);
    return ursa_node_attach(node, out);
}

static bool check_batch_norm(const struct batch_norm *norm)
{
    const char *name = "batch_norm";
    const ursa_tensor *x = norm->x;
    if (!check_image(name, x, 1) || !check_channels(name, "scale", norm->scale, x) ||
        !check_channels(name, "shift", norm->shift, x) ||
        !check_channels(name, "running_mean", norm->running_mean, x) ||
        !check_channels(name, "running_var", norm->running_var, x))
        return false;
    return norm->training || (norm->running_mean && norm->running_var) ||
           ursa_fail(URSA_ERROR_ARGUMENT, "batch_norm: running_mean and running_var are needed in inference");
}

static ursa_tensor *checked_batch_norm(struct batch_norm norm)
{
    if (!norm.x || !check_batch_norm(&norm))
        return NULL;
    ursa_scope *scope = ursa_scope_begin();
    return ursa_leave(scope, batch_norm(norm));
}

ursa_tensor *ursa_batch_norm(ursa_tensor *x, ursa_tensor *scale, ursa_tensor *shift, ursa_tensor *running_mean,
                             ursa_tensor *running_var, bool training, double momentum, double eps)
{
    return checked_batch_norm((struct batch_norm){.x = x,
                                                  .scale = scale,
                                                  .shift = shift,
                                                  .running_mean = running_mean,
                                                  .running_var = running_var,
                                                  .training = training,
                                                  .momentum = momentum,
                                                  .eps = eps});
}

/* Whether what follows a batch norm gives the same numbers when it is computed with it. */
static bool fuses(const ursa_tensor *x, const ursa_tensor *residual, ursa_activation_fn *activation)
{
    if (activation && activation != ursa_relu && activation != ursa_relu6)
        return false;
    if (!x || !ursa_dtype_is_float(x->array.dtype) || !residual)
        return x && ursa_dtype_is_float(x->array.dtype);
    ursa_dims shape = ursa_dims_of(x), added = ursa_dims_of(residual);
    return residual->array.dtype == x->array.dtype && ursa_same_dims(&shape, &added) &&
           ursa_device_of(x) == ursa_device_of(residual);
}

ursa_tensor *ursa_batch_norm_known(ursa_tensor *x, const ursa_channel_moments *known, ursa_tensor *scale,
                                   ursa_tensor *shift, ursa_tensor *running_mean, ursa_tensor *running_var,
                                   ursa_tensor *residual, ursa_activation_fn *activation, bool training,
                                   double momentum, double eps)
{
    struct batch_norm norm = {.x = x,
                              .known = known ? *known : (ursa_channel_moments){0},
                              .scale = scale,
                              .shift = shift,
                              .running_mean = running_mean,
                              .running_var = running_var,
                              .training = training,
                              .momentum = momentum,
                              .eps = eps};
    if (fuses(x, residual, activation)) {
        ursa_unary_kind kind = activation == ursa_relu6 ? URSA_UNARY_relu6 : URSA_UNARY_relu;
        norm.residual = residual;
        norm.activation = (ursa_activation){.used = activation != NULL, .kind = kind};
        return checked_batch_norm(norm);
    }
    ursa_scope *scope = ursa_scope_begin();
    ursa_tensor *y = checked_batch_norm(norm);
    y = residual ? ursa_add(y, residual) : y;
    return ursa_leave(scope, activation ? activation(y) : y);
}

ursa_tensor *ursa_batch_norm_then(ursa_tensor *x, ursa_tensor *scale, ursa_tensor *shift, ursa_tensor *running_mean,
                                  ursa_tensor *running_var, ursa_tensor *residual, ursa_activation_fn *activation,
                                  bool training, double momentum, double eps)
{
    return ursa_batch_norm_known(x, NULL, scale, shift, running_mean, running_var, residual, activation, training,
                                 momentum, eps);
}

/* ---- group and layer norm -------------------------------------------------------------------------------- */

/* Inputs and saved as of batch_norm; x is saved as [N, S, C]. Extra: the groups. */
static bool group_norm_step(const ursa_node *node, ursa_tensor *dy, ursa_tensor **dx)
{
    bool failed = false;
    ursa_tensor *x = ursa_node_saved(node, 0), *scale = ursa_node_saved(node, 1);
    ursa_tensor *mean = ursa_node_saved(node, 2), *inv_std = ursa_node_saved(node, 3);
    if (!x || !mean || !inv_std)
        return false;
    ursa_dims shape = ursa_dims_of(x), channels = ursa_shape(shape.dim[2]);
    dy = ursa_reshape(ursa_dense(dy), shape);
    ursa_tensor *grad = ursa_empty_like(x); /* the operator always computes it */
    dx[1] = wanted(node, 1, x, channels, &failed);
    dx[2] = wanted(node, 2, x, channels, &failed);
    if (!dy || !grad || failed)
        return false;
    struct ursa_group_norm_grad_args args = {
        .x = x->array,
        .dy = dy->array,
        .scale = *array_or_absent(scale),
        .mean = mean->array,
        .inv_std = inv_std->array,
        .dx = grad->array,
        .dscale = *array_or_absent(dx[1]),
        .dshift = *array_or_absent(dx[2]),
        .groups = *(int *)ursa_node_extra(node),
    };
    if (!ursa_op_group_norm_grad(ursa_device_of(x), &args))
        return false;
    if (ursa_node_wants(node, 0))
        dx[0] = ursa_reshape(grad, ursa_node_shape(node, 0));
    return true;
}

static ursa_tensor *group_norm(const char *name, ursa_tensor *x, ursa_dims shape, int groups, ursa_tensor *scale,
                               ursa_tensor *shift, double eps)
{
    ursa_no_grad_begin();
    ursa_dtype dtype = ursa_activation_type(x);
    ursa_tensor *in = ursa_reshape(ursa_dense_typed(x, dtype), shape);
    ursa_no_grad_end();
    ursa_tensor *factor = ursa_dense_typed(scale, URSA_F32), *added = ursa_dense_typed(shift, URSA_F32);
    ursa_tensor *out = in ? ursa_tensor_new(ursa_device_of(x), dtype, ursa_dims_of(x)) : NULL;
    ursa_dims statistics = ursa_shape(shape.dim[0], groups);
    ursa_tensor *mean = out ? ursa_tensor_new(ursa_device_of(x), URSA_F32, statistics) : NULL;
    ursa_tensor *inv_std = mean ? ursa_tensor_new(ursa_device_of(x), URSA_F32, statistics) : NULL;
    if (!inv_std || (scale && !factor) || (shift && !added))
        return NULL;
    struct ursa_group_norm_args args = {
        .x = in->array,
        .scale = *array_or_absent(factor),
        .shift = *array_or_absent(added),
        .out = in->array,
        .mean = mean->array,
        .inv_std = inv_std->array,
        .groups = groups,
        .eps = (float)eps,
    };
    args.out.buffer = out->array.buffer;
    args.out.offset = 0;
    if (!ursa_op_group_norm(ursa_device_of(x), &args))
        return NULL;
    ursa_node *node = URSA_RECORD(name, group_norm_step, 4, sizeof groups, x, scale, shift);
    if (node)
        *(int *)ursa_node_extra(node) = groups;
    ursa_node_save(node, 0, in);
    ursa_node_save(node, 1, factor);
    ursa_node_save(node, 2, mean);
    ursa_node_save(node, 3, inv_std);
    return ursa_node_attach(node, out);
}

/* Rows of the last axis, and what groups they form. */
static ursa_tensor *normalise(const char *name, ursa_tensor *x, ursa_dims shape, int groups, ursa_tensor *scale,
                              ursa_tensor *shift, double eps)
{
    if (!check_channels(name, "scale", scale, x) || !check_channels(name, "shift", shift, x))
        return NULL;
    ursa_scope *scope = ursa_scope_begin();
    return ursa_leave(scope, group_norm(name, x, shape, groups, scale, shift, eps));
}

/* Product of the extents from `first` up to the last axis, not included. */
static int64_t extent_between(const ursa_tensor *x, int first)
{
    int64_t count = 1;
    for (int i = first; i < x->array.ndim - 1; i++)
        count *= x->array.shape[i];
    return count;
}

ursa_tensor *ursa_layer_norm(ursa_tensor *x, ursa_tensor *scale, ursa_tensor *shift, double eps)
{
    if (!x || !check_image("layer_norm", x, 1))
        return NULL;
    ursa_dims shape = ursa_shape(extent_between(x, 0), 1, x->array.shape[x->array.ndim - 1]);
    return normalise("layer_norm", x, shape, 1, scale, shift, eps);
}

ursa_tensor *ursa_group_norm(ursa_tensor *x, int groups, ursa_tensor *scale, ursa_tensor *shift, double eps)
{
    if (!x || !check_image("group_norm", x, 2))
        return NULL;
    int64_t channels = x->array.shape[x->array.ndim - 1];
    if (groups < 1 || channels % groups) {
        ursa_fail(URSA_ERROR_ARGUMENT, "group_norm: %d groups, expected a divisor of the %" PRId64 " channels", groups,
                  channels);
        return NULL;
    }
    ursa_dims shape = ursa_shape(x->array.shape[0], extent_between(x, 1), channels);
    return normalise("group_norm", x, shape, groups, scale, shift, eps);
}
