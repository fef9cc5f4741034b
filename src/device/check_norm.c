/* check_norm.c — arguments of pooling and normalisation. */
#include "check.h"
#include "base/error.h"
#include <inttypes.h>

/* The shape and the type of another array. */
static bool check_like(const struct ursa_check *check, const char *name, const ursa_array *array, const char *other,
                       const ursa_array *like)
{
    return ursa_check_same_type(check, name, array, other, like) && ursa_check_same_shape(check, name, array, like);
}

/* ---- pooling ------------------------------------------------------------------ */

/* Every window must see a pixel: there is no maximum of nothing. */
static bool check_windows(const struct ursa_check *check, const ursa_pool_geometry *geometry, const ursa_array *image,
                          const ursa_array *result)
{
    for (int i = 0; i < 2 && !geometry->adaptive; i++) {
        int window = geometry->window[i], stride = geometry->stride[i], pad = geometry->pad[i];
        if (!ursa_check_number(check, "window", window, 1, INT32_MAX) ||
            !ursa_check_number(check, "stride", stride, 1, INT32_MAX) ||
            !ursa_check_number(check, "padding", pad, 0, window - 1))
            return false;
        if ((result->shape[1 + i] - 1) * stride - pad >= image->shape[1 + i])
            return ursa_fail(URSA_ERROR_SHAPE, "%s: the last window of axis %d lies outside of %" PRId64 " pixels",
                             check->op, 1 + i, image->shape[1 + i]);
    }
    return true;
}

static bool check_pool_shapes(const struct ursa_check *check, const ursa_pool_geometry *geometry,
                              const char *image_name, const ursa_array *image, const char *result_name,
                              const ursa_array *result)
{
    if (!ursa_check_rank(check, image_name, image, 4) || !ursa_check_rank(check, result_name, result, 4))
        return false;
    if (image->shape[0] != result->shape[0] || image->shape[3] != result->shape[3])
        return ursa_fail(URSA_ERROR_SHAPE, "%s: %s is %s, expected [%" PRId64 ", …, %" PRId64 "] as %s", check->op,
                         result_name, ursa_shape_text(4, result->shape).text, image->shape[0], image->shape[3],
                         image_name);
    bool empty_image = image->shape[1] == 0 || image->shape[2] == 0;
    if (empty_image && ursa_array_count(result) > 0)
        return ursa_fail(URSA_ERROR_SHAPE, "%s: %s is %s, expected at least one pixel", check->op, image_name,
                         ursa_shape_text(4, image->shape).text);
    return check_windows(check, geometry, image, result);
}

/* Up to which count floats, as which vectors compare them, are exact. */
#define MOST_PIXELS (1 << 24)

static bool check_winners(const struct ursa_check *check, const ursa_pool_geometry *geometry, const ursa_array *winners,
                          unsigned expected, const ursa_array *image, const ursa_array *result)
{
    const int64_t *in = image->shape, *out = result->shape;
    int64_t pixels = ursa_pool_span(geometry, 0, in[1], out[1]) * ursa_pool_span(geometry, 1, in[2], out[2]);
    expected |= 1U << ursa_pool_winner_type(geometry, in, out);
    return ursa_check_array(check, "winners", winners, expected) &&
           ursa_check_same_shape(check, "winners", winners, result) &&
           (!ursa_is_present(winners) ||
            ursa_check_number(check, "pixels of a window", (double)pixels, 0, MOST_PIXELS));
}

int64_t ursa_check_pool2d(const struct ursa_check *check, const struct ursa_pool2d_args *args)
{
    bool ok =
        ursa_check_array(check, "x", &args->x, 0) && ursa_check_array(check, "out", &args->out, URSA_OUTPUT) &&
        ursa_check_same_type(check, "out", &args->out, "x", &args->x) &&
        check_pool_shapes(check, &args->geometry, "x", &args->x, "out", &args->out) &&
        check_winners(check, &args->geometry, &args->winners, URSA_OUTPUT | URSA_OPTIONAL, &args->x, &args->out) &&
        ursa_check_apart(check, "out", &args->out, "x", &args->x, false);
    return ok ? ursa_array_count(&args->out) : -1;
}

int64_t ursa_check_pool2d_grad(const struct ursa_check *check, const struct ursa_pool2d_grad_args *args)
{
    unsigned expected = args->kind == URSA_POOL_MAX ? 0 : URSA_OPTIONAL;
    bool ok = ursa_check_array(check, "dy", &args->dy, 0) && ursa_check_array(check, "dx", &args->dx, URSA_OUTPUT) &&
              ursa_check_same_type(check, "dx", &args->dx, "dy", &args->dy) &&
              check_pool_shapes(check, &args->geometry, "dx", &args->dx, "dy", &args->dy) &&
              check_winners(check, &args->geometry, &args->winners, expected, &args->dx, &args->dy) &&
              ursa_check_apart(check, "dx", &args->dx, "dy", &args->dy, false);
    return ok ? ursa_array_count(&args->dx) : -1;
}

/* ---- batch norm ----------------------------------------------------------------- */

static bool check_features(const struct ursa_check *check, const ursa_array *x)
{
    return x->ndim >= 1 || ursa_fail(URSA_ERROR_SHAPE, "%s: x is a scalar, expected [..., C]", check->op);
}

/* An array with one number per channel, which is f32 whatever x is. */
static bool check_channels(const struct ursa_check *check, const char *name, const ursa_array *array, int64_t channels,
                           unsigned expected)
{
    return ursa_check_array(check, name, array, expected | URSA_ONLY_F32) &&
           URSA_CHECK_SHAPE(check, name, array, channels);
}

/* Those whose gradient the operator has. */
static bool check_activation(const struct ursa_check *check, const ursa_activation *activation)
{
    return !activation->used || activation->kind == URSA_UNARY_relu || activation->kind == URSA_UNARY_relu6 ||
           ursa_fail(URSA_ERROR_ARGUMENT, "%s: activation %d, expected relu or relu6", check->op,
                     (int)activation->kind);
}

static bool check_known(const struct ursa_check *check, const struct ursa_batch_norm_args *args, int64_t channels)
{
    const ursa_array *mean = &args->batch_mean, *var = &args->batch_var;
    if (!check_channels(check, "batch_mean", mean, channels, URSA_OPTIONAL) ||
        !check_channels(check, "batch_var", var, channels, URSA_OPTIONAL) ||
        !ursa_check_together(check, "batch_mean", mean, "batch_var", var))
        return false;
    return args->training || !ursa_is_present(mean) ||
           ursa_fail(URSA_ERROR_ARGUMENT, "%s: batch_mean is given in inference", check->op);
}

int64_t ursa_check_batch_norm(const struct ursa_check *check, const struct ursa_batch_norm_args *args)
{
    if (!ursa_check_array(check, "x", &args->x, 0) || !check_features(check, &args->x))
        return -1;
    int64_t channels = args->x.shape[args->x.ndim - 1];
    unsigned running = args->training ? URSA_OUTPUT | URSA_OPTIONAL : 0;
    unsigned saved = URSA_OUTPUT | (args->training ? 0 : URSA_OPTIONAL);
    bool ok = check_channels(check, "scale", &args->scale, channels, URSA_OPTIONAL) &&
              check_channels(check, "shift", &args->shift, channels, URSA_OPTIONAL) &&
              check_known(check, args, channels) &&
              check_channels(check, "running_mean", &args->running_mean, channels, running) &&
              check_channels(check, "running_var", &args->running_var, channels, running) &&
              check_channels(check, "mean", &args->mean, channels, saved) &&
              check_channels(check, "inv_std", &args->inv_std, channels, saved) &&
              ursa_check_array(check, "residual", &args->residual, URSA_OPTIONAL) &&
              check_like(check, "residual", &args->residual, "x", &args->x) &&
              check_activation(check, &args->activation) && ursa_check_array(check, "out", &args->out, URSA_OUTPUT) &&
              check_like(check, "out", &args->out, "x", &args->x) &&
              ursa_check_apart(check, "out", &args->out, "x", &args->x, true) &&
              ursa_check_apart(check, "out", &args->out, "residual", &args->residual, true);
    return ok ? ursa_array_count(&args->out) : -1;
}

int64_t ursa_check_batch_norm_grad(const struct ursa_check *check, const struct ursa_batch_norm_grad_args *args)
{
    if (!ursa_check_array(check, "x", &args->x, 0) || !check_features(check, &args->x))
        return -1;
    int64_t channels = args->x.shape[args->x.ndim - 1];
    bool ok = ursa_check_array(check, "dy", &args->dy, 0) && check_like(check, "dy", &args->dy, "x", &args->x) &&
              ursa_check_array(check, "y", &args->y, URSA_OPTIONAL) &&
              check_like(check, "y", &args->y, "x", &args->x) && check_activation(check, &args->activation) &&
              ursa_check_array(check, "dresidual", &args->dresidual, URSA_OUTPUT | URSA_OPTIONAL) &&
              check_like(check, "dresidual", &args->dresidual, "x", &args->x) &&
              ursa_check_apart(check, "dresidual", &args->dresidual, "dy", &args->dy, true) &&
              ursa_check_apart(check, "dresidual", &args->dresidual, "x", &args->x, false) &&
              ursa_check_apart(check, "dresidual", &args->dresidual, "y", &args->y, false) &&
              check_channels(check, "scale", &args->scale, channels, URSA_OPTIONAL) &&
              check_channels(check, "shift", &args->shift, channels, URSA_OPTIONAL) &&
              check_channels(check, "mean", &args->mean, channels, 0) &&
              check_channels(check, "inv_std", &args->inv_std, channels, 0) &&
              check_channels(check, "dscale", &args->dscale, channels, URSA_OUTPUT | URSA_OPTIONAL) &&
              check_channels(check, "dshift", &args->dshift, channels, URSA_OUTPUT | URSA_OPTIONAL) &&
              ursa_check_array(check, "dx", &args->dx, URSA_OUTPUT | URSA_OPTIONAL) &&
              check_like(check, "dx", &args->dx, "x", &args->x) &&
              ursa_check_apart(check, "dx", &args->dx, "x", &args->x, false) &&
              ursa_check_apart(check, "dx", &args->dx, "dy", &args->dy, true) &&
              ursa_check_apart(check, "dx", &args->dx, "y", &args->y, false) &&
              ursa_check_apart(check, "dx", &args->dx, "dresidual", &args->dresidual, false);
    return ok ? channels : -1;
}

/* ---- group norm ------------------------------------------------------------------- */

static bool check_groups(const struct ursa_check *check, const ursa_array *x, int groups)
{
    if (!ursa_check_rank(check, "x", x, 3) || !ursa_check_number(check, "groups", groups, 1, INT32_MAX))
        return false;
    return x->shape[2] % groups == 0 ||
           ursa_fail(URSA_ERROR_SHAPE, "%s: x has %" PRId64 " channels, expected a multiple of %d groups", check->op,
                     x->shape[2], groups);
}

int64_t ursa_check_group_norm(const struct ursa_check *check, const struct ursa_group_norm_args *args)
{
    if (!ursa_check_array(check, "x", &args->x, 0) || !check_groups(check, &args->x, args->groups))
        return -1;
    int64_t channels = args->x.shape[2], images = args->x.shape[0];
    bool ok = check_channels(check, "scale", &args->scale, channels, URSA_OPTIONAL) &&
              check_channels(check, "shift", &args->shift, channels, URSA_OPTIONAL) &&
              ursa_check_array(check, "mean", &args->mean, URSA_OUTPUT | URSA_ONLY_F32) &&
              URSA_CHECK_SHAPE(check, "mean", &args->mean, images, args->groups) &&
              ursa_check_array(check, "inv_std", &args->inv_std, URSA_OUTPUT | URSA_ONLY_F32) &&
              URSA_CHECK_SHAPE(check, "inv_std", &args->inv_std, images, args->groups) &&
              ursa_check_array(check, "out", &args->out, URSA_OUTPUT) &&
              check_like(check, "out", &args->out, "x", &args->x) &&
              ursa_check_apart(check, "out", &args->out, "x", &args->x, false);
    return ok ? ursa_array_count(&args->out) : -1;
}

int64_t ursa_check_group_norm_grad(const struct ursa_check *check, const struct ursa_group_norm_grad_args *args)
{
    if (!ursa_check_array(check, "x", &args->x, 0) || !check_groups(check, &args->x, args->groups))
        return -1;
    int64_t channels = args->x.shape[2], images = args->x.shape[0];
    bool ok = ursa_check_array(check, "dy", &args->dy, 0) && check_like(check, "dy", &args->dy, "x", &args->x) &&
              check_channels(check, "scale", &args->scale, channels, URSA_OPTIONAL) &&
              ursa_check_array(check, "mean", &args->mean, URSA_ONLY_F32) &&
              URSA_CHECK_SHAPE(check, "mean", &args->mean, images, args->groups) &&
              ursa_check_array(check, "inv_std", &args->inv_std, URSA_ONLY_F32) &&
              URSA_CHECK_SHAPE(check, "inv_std", &args->inv_std, images, args->groups) &&
              check_channels(check, "dscale", &args->dscale, channels, URSA_OUTPUT | URSA_OPTIONAL) &&
              check_channels(check, "dshift", &args->dshift, channels, URSA_OUTPUT | URSA_OPTIONAL) &&
              ursa_check_array(check, "dx", &args->dx, URSA_OUTPUT) &&
              check_like(check, "dx", &args->dx, "x", &args->x) &&
              ursa_check_apart(check, "dx", &args->dx, "x", &args->x, false) &&
              ursa_check_apart(check, "dx", &args->dx, "dy", &args->dy, false);
    return ok ? channels : -1;
}
