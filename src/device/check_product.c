/* check_product.c — arguments of the matrix product and the convolutions. */
#include "check.h"
#include "base/error.h"
#include <inttypes.h>

/* A matrix of a batched product: one of its two strides must be 1. */
static bool check_matrix(const struct ursa_check *check, const char *name, const ursa_array *array)
{
    if (!ursa_check_array(check, name, array, URSA_STRIDED) || !ursa_check_rank(check, name, array, 3))
        return false;
    bool rows = array->stride[1] == 1 || array->shape[1] <= 1;
    bool columns = array->stride[2] == 1 || array->shape[2] <= 1;
    return rows || columns ||
           ursa_fail(URSA_ERROR_ARGUMENT, "%s: %s has strides %s, expected 1 in one of the last two", check->op, name,
                     ursa_shape_text(3, array->stride).text);
}

static bool is_half(const ursa_array *array)
{
    return array->dtype == URSA_F16 || array->dtype == URSA_BF16;
}

/* One half type in a call, beside f32; `names` are those of the arrays. */
static bool check_mix(const struct ursa_check *check, const char *const names[3], const ursa_array *const arrays[3])
{
    for (int i = 1; i < 3; i++)
        for (int j = 0; j < i; j++)
            if (is_half(arrays[i]) && is_half(arrays[j]) && arrays[i]->dtype != arrays[j]->dtype)
                return ursa_fail(URSA_ERROR_TYPE, "%s: %s is %s, expected f32 or %s as %s", check->op, names[i],
                                 ursa_dtype_name(arrays[i]->dtype), ursa_dtype_name(arrays[j]->dtype), names[j]);
    return true;
}
#define CHECK_MIX(check, x, y, z)                                                                                      \
    check_mix(check, (const char *const[]){#x, #y, #z}, (const ursa_array *const[]){&args->x, &args->y, &args->z})

static bool check_activation(const struct ursa_check *check, const ursa_activation *activation)
{
    return !activation->used || (unsigned)activation->kind < URSA_UNARY_COUNT ||
           ursa_fail(URSA_ERROR_ARGUMENT, "%s: there is no activation %d", check->op, (int)activation->kind);
}

int64_t ursa_check_gemm(const struct ursa_check *check, const struct ursa_gemm_args *args)
{
    const ursa_array *x = &args->x, *y = &args->y, *out = &args->out;
    if (!check_matrix(check, "x", x) || !check_matrix(check, "y", y) ||
        !ursa_check_array(check, "out", out, URSA_OUTPUT) ||
        !ursa_check_array(check, "bias", &args->bias, URSA_ONLY_F32 | URSA_OPTIONAL) || !CHECK_MIX(check, x, y, out))
        return -1;
    if (x->shape[2] != y->shape[1]) {
        ursa_fail(URSA_ERROR_SHAPE, "gemm: y is %s, expected %" PRId64 " rows as x has columns, which is %s",
                  ursa_shape_text(3, y->shape).text, x->shape[2], ursa_shape_text(3, x->shape).text);
        return -1;
    }
    if (x->shape[0] != y->shape[0]) {
        ursa_fail(URSA_ERROR_SHAPE, "gemm: y has a batch of %" PRId64 ", expected %" PRId64 " as x", y->shape[0],
                  x->shape[0]);
        return -1;
    }
    bool ok =
        URSA_CHECK_SHAPE(check, "out", out, x->shape[0], x->shape[1], y->shape[2]) &&
        URSA_CHECK_SHAPE(check, "bias", &args->bias, y->shape[2]) &&
        ursa_check_apart(check, "out", out, "x", x, false) && ursa_check_apart(check, "out", out, "y", y, false) &&
        ursa_check_apart(check, "out", out, "bias", &args->bias, false) && check_activation(check, &args->activation);
    return ok ? ursa_array_count(out) : -1;
}

static bool check_geometry(const struct ursa_check *check, const ursa_conv_geometry *geometry)
{
    for (int i = 0; i < 2; i++)
        if (!ursa_check_number(check, "stride", geometry->stride[i], 1, INT32_MAX) ||
            !ursa_check_number(check, "dilation", geometry->dilation[i], 1, INT32_MAX) ||
            !ursa_check_number(check, "padding", geometry->pad[i], 0, INT32_MAX))
            return false;
    return ursa_check_number(check, "groups", geometry->groups, 1, INT32_MAX);
}

/* That image [N, H, W, C], weights [O, KH, KW, C / groups] and result
 * [N, OH, OW, O] go together; the names are those of the operator. */
static bool check_conv_shapes(const struct ursa_check *check, const ursa_conv_geometry *geometry,
                              const char *image_name, const ursa_array *image, const char *w_name, const ursa_array *w,
                              const char *result_name, const ursa_array *result)
{
    if (!check_geometry(check, geometry) || !ursa_check_rank(check, image_name, image, 4) ||
        !ursa_check_rank(check, w_name, w, 4) || !ursa_check_rank(check, result_name, result, 4))
        return false;
    int64_t groups = geometry->groups;
    if (w->shape[3] * groups != image->shape[3])
        return ursa_fail(URSA_ERROR_SHAPE,
                         "%s: %s has %" PRId64 " input channels in each of %" PRId64 " groups, %s has %" PRId64,
                         check->op, w_name, w->shape[3], groups, image_name, image->shape[3]);
    if (w->shape[0] % groups)
        return ursa_fail(URSA_ERROR_SHAPE,
                         "%s: %s has %" PRId64 " output channels, expected a multiple of %" PRId64 " groups", check->op,
                         w_name, w->shape[0], groups);
    if (result->shape[0] != image->shape[0] || result->shape[3] != w->shape[0])
        return ursa_fail(URSA_ERROR_SHAPE, "%s: %s is %s, expected [%" PRId64 ", …, %" PRId64 "]", check->op,
                         result_name, ursa_shape_text(4, result->shape).text, image->shape[0], w->shape[0]);
    return true;
}

/* The statistics of the result: both or neither, and of the sums themselves. */
static bool check_moments(const struct ursa_check *check, const struct ursa_conv2d_args *args)
{
    const ursa_array *mean = &args->mean, *var = &args->var;
    unsigned expected = URSA_ONLY_F32 | URSA_OUTPUT | URSA_OPTIONAL;
    if (!ursa_check_array(check, "mean", mean, expected) || !ursa_check_array(check, "var", var, expected) ||
        !URSA_CHECK_SHAPE(check, "mean", mean, args->w.shape[0]) ||
        !URSA_CHECK_SHAPE(check, "var", var, args->w.shape[0]) || !ursa_check_together(check, "mean", mean, "var", var))
        return false;
    return !ursa_is_present(mean) || !args->activation.used ||
           ursa_fail(URSA_ERROR_ARGUMENT, "%s: mean and var are wanted of a result with an activation", check->op);
}

int64_t ursa_check_conv2d(const struct ursa_check *check, const struct ursa_conv2d_args *args)
{
    bool ok = ursa_check_array(check, "x", &args->x, 0) && ursa_check_array(check, "w", &args->w, 0) &&
              ursa_check_array(check, "bias", &args->bias, URSA_ONLY_F32 | URSA_OPTIONAL) &&
              ursa_check_array(check, "out", &args->out, URSA_OUTPUT) && CHECK_MIX(check, x, w, out) &&
              check_conv_shapes(check, &args->geometry, "x", &args->x, "w", &args->w, "out", &args->out) &&
              URSA_CHECK_SHAPE(check, "bias", &args->bias, args->w.shape[0]) &&
              ursa_check_apart(check, "out", &args->out, "x", &args->x, false) &&
              ursa_check_apart(check, "out", &args->out, "w", &args->w, false) &&
              ursa_check_apart(check, "out", &args->out, "bias", &args->bias, false) &&
              check_activation(check, &args->activation) && check_moments(check, args);
    return ok ? ursa_array_count(&args->out) : -1;
}

int64_t ursa_check_conv2d_grad_input(const struct ursa_check *check, const struct ursa_conv2d_grad_input_args *args)
{
    bool ok = ursa_check_array(check, "dy", &args->dy, 0) && ursa_check_array(check, "w", &args->w, 0) &&
              ursa_check_array(check, "dx", &args->dx, URSA_OUTPUT) && CHECK_MIX(check, dy, w, dx) &&
              check_conv_shapes(check, &args->geometry, "dx", &args->dx, "w", &args->w, "dy", &args->dy) &&
              ursa_check_apart(check, "dx", &args->dx, "dy", &args->dy, false) &&
              ursa_check_apart(check, "dx", &args->dx, "w", &args->w, false);
    return ok ? ursa_array_count(&args->dx) : -1;
}

int64_t ursa_check_conv2d_grad_weight(const struct ursa_check *check, const struct ursa_conv2d_grad_weight_args *args)
{
    bool ok = ursa_check_array(check, "x", &args->x, 0) && ursa_check_array(check, "dy", &args->dy, 0) &&
              ursa_check_array(check, "dw", &args->dw, URSA_OUTPUT) && CHECK_MIX(check, x, dy, dw) &&
              check_conv_shapes(check, &args->geometry, "x", &args->x, "dw", &args->dw, "dy", &args->dy) &&
              ursa_check_apart(check, "dw", &args->dw, "x", &args->x, false) &&
              ursa_check_apart(check, "dw", &args->dw, "dy", &args->dy, false);
    return ok ? ursa_array_count(&args->dw) : -1;
}
