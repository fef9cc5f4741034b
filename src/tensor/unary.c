/* unary.c — elementwise functions of one tensor, and activations. */
#include "tensor.h"
#include "base/error.h"
#include "device/backend.h"
#include <math.h>
#include <string.h>

/* ---- functions of floats ------------------------------------------------------------------------ */

struct function {
    ursa_unary_kind kind;
    float a, b;
};

/* Saved: 0 x or y, as the kind needs. */
static bool unary_step(const ursa_node *node, ursa_tensor *dy, ursa_tensor **dx)
{
    const struct function *f = ursa_node_extra(node);
    ursa_grad_needs needs = ursa_unary_needs(f->kind);
    if (needs == URSA_NEEDS_ZERO) {
        dx[0] = ursa_expand(ursa_scalar_like(dy, 0), ursa_dims_of(dy));
        return dx[0] != NULL;
    }
    ursa_tensor *saved = needs == URSA_NEEDS_NONE ? NULL : ursa_node_saved(node, 0);
    if (needs != URSA_NEEDS_NONE && !saved)
        return false;
    dx[0] = ursa_reuse(dy);
    if (!dx[0])
        return false;
    struct ursa_unary_grad_args args = {.kind = f->kind, .dy = dy->array, .dx = dx[0]->array, .a = f->a, .b = f->b};
    if (saved)
        *(needs == URSA_NEEDS_X ? &args.x : &args.y) = saved->array;
    return ursa_op_unary_grad(ursa_device_of(dy), &args);
}

static ursa_tensor *run(const ursa_tensor *x, struct function f)
{
    ursa_tensor *y = ursa_tensor_new(ursa_device_of(x), x->array.dtype, ursa_array_dims(&x->array));
    if (!y)
        return NULL;
    struct ursa_unary_args args = {.kind = f.kind, .x = x->array, .out = y->array, .a = f.a, .b = f.b};
    return ursa_op_unary(ursa_device_of(x), &args) ? y : NULL;
}

static ursa_tensor *apply(const char *name, ursa_tensor *x, ursa_unary_kind kind, double a, double b)
{
    if (!x)
        return NULL;
    struct function f = {kind, (float)a, (float)b};
    if (!ursa_dtype_is_float(x->array.dtype)) {
        ursa_scope *scope = ursa_scope_begin();
        ursa_tensor *cast = ursa_typed(x, URSA_F32);
        return ursa_leave(scope, cast ? run(cast, f) : NULL);
    }
    ursa_tensor *y = run(x, f);
    ursa_node *node = y ? URSA_RECORD(name, unary_step, 1, sizeof f, x) : NULL;
    if (node) {
        ursa_grad_needs needs = ursa_unary_needs(kind);
        *(struct function *)ursa_node_extra(node) = f;
        if (needs == URSA_NEEDS_X || needs == URSA_NEEDS_Y)
            ursa_node_save(node, 0, needs == URSA_NEEDS_X ? x : y);
    }
    return ursa_node_attach(node, y);
}

#define FUNCTION(name, kind)                                                                                           \
    ursa_tensor *ursa_##name(ursa_tensor *x)                                                                           \
    {                                                                                                                  \
        return apply(#name, x, URSA_UNARY_##kind, 0, 0);                                                               \
    }
FUNCTION(reciprocal, reciprocal)
FUNCTION(sqrt, sqrt)
FUNCTION(rsqrt, rsqrt)
FUNCTION(exp, exp)
FUNCTION(expm1, expm1)
FUNCTION(log, log)
FUNCTION(log1p, log1p)
FUNCTION(log2, log2)
FUNCTION(sin, sin)
FUNCTION(cos, cos)
FUNCTION(tan, tan)
FUNCTION(asin, asin)
FUNCTION(acos, acos)
FUNCTION(atan, atan)
FUNCTION(sinh, sinh)
FUNCTION(cosh, cosh)
FUNCTION(erf, erf)
FUNCTION(binary_step, step)
FUNCTION(sigmoid, sigmoid)
FUNCTION(log_sigmoid, log_sigmoid)
FUNCTION(tanh, tanh)
FUNCTION(gelu, gelu)
FUNCTION(gelu_tanh, gelu_tanh)
FUNCTION(silu, silu)
FUNCTION(mish, mish)
FUNCTION(hard_sigmoid, hard_sigmoid)
FUNCTION(hard_swish, hard_swish)

ursa_tensor *ursa_leaky_relu(ursa_tensor *x, double slope)
{
    return apply("leaky_relu", x, URSA_UNARY_leaky_relu, slope, 0);
}

ursa_tensor *ursa_elu(ursa_tensor *x, double alpha)
{
    return apply("elu", x, URSA_UNARY_elu, alpha, 0);
}

ursa_tensor *ursa_softplus(ursa_tensor *x, double beta, double threshold)
{
    return apply("softplus", x, URSA_UNARY_softplus, beta, threshold);
}

/* ---- functions that integers have, too ------------------------------------------------------------- */

static bool is_float(const ursa_tensor *x)
{
    return x && ursa_dtype_is_float(x->array.dtype);
}

/* Of an integer: the type arithmetic is done in. */
static ursa_tensor *whole(ursa_tensor *x)
{
    return ursa_typed(x, x->array.dtype == URSA_BOOL ? URSA_I32 : x->array.dtype);
}

static bool is_whole(double value)
{
    return value == floor(value) && fabs(value) < 0x1p53;
}

typedef ursa_tensor *binary_function(ursa_tensor *x, ursa_tensor *y);

/* A function of an integer tensor and a number. */
static ursa_tensor *with_number(binary_function *function, ursa_tensor *x, double value)
{
    ursa_scope *scope = ursa_scope_begin();
    ursa_tensor *number = whole(x);
    return ursa_leave(scope, function(number, ursa_scalar_like(number, value)));
}

ursa_tensor *ursa_add_scalar(ursa_tensor *x, double value)
{
    if (!x || is_float(x) || !is_whole(value))
        return apply("add_scalar", x, URSA_UNARY_affine, 1, value);
    return with_number(ursa_add, x, value);
}

ursa_tensor *ursa_mul_scalar(ursa_tensor *x, double value)
{
    if (!x || is_float(x) || !is_whole(value))
        return apply("mul_scalar", x, URSA_UNARY_affine, value, 0);
    return with_number(ursa_mul, x, value);
}

ursa_tensor *ursa_pow_scalar(ursa_tensor *x, double exponent)
{
    return apply("pow_scalar", x, URSA_UNARY_pow, exponent, 0);
}

ursa_tensor *ursa_clamp(ursa_tensor *x, double low, double high)
{
    bool whole_low = is_whole(low) || low == -INFINITY, whole_high = is_whole(high) || high == INFINITY;
    if (!x || is_float(x) || !whole_low || !whole_high)
        return apply("clamp", x, URSA_UNARY_clamp, low, high);
    ursa_scope *scope = ursa_scope_begin();
    ursa_tensor *out = whole(x);
    if (low != -INFINITY)
        out = with_number(ursa_maximum, out, low);
    if (high != INFINITY)
        out = with_number(ursa_minimum, out, high);
    return ursa_leave(scope, out);
}

ursa_tensor *ursa_neg(ursa_tensor *x)
{
    return ursa_mul_scalar(x, -1);
}

ursa_tensor *ursa_square(ursa_tensor *x)
{
    return !x || is_float(x) ? apply("square", x, URSA_UNARY_square, 0, 0) : ursa_mul(x, x);
}

ursa_tensor *ursa_abs(ursa_tensor *x)
{
    if (!x || is_float(x))
        return apply("abs", x, URSA_UNARY_abs, 0, 0);
    if (x->array.dtype == URSA_U8 || x->array.dtype == URSA_BOOL)
        return x;
    ursa_scope *scope = ursa_scope_begin();
    return ursa_leave(scope, ursa_maximum(x, ursa_neg(x)));
}

ursa_tensor *ursa_relu(ursa_tensor *x)
{
    return !x || is_float(x) ? apply("relu", x, URSA_UNARY_relu, 0, 0) : ursa_clamp(x, 0, INFINITY);
}

ursa_tensor *ursa_relu6(ursa_tensor *x)
{
    return !x || is_float(x) ? apply("relu6", x, URSA_UNARY_relu6, 0, 0) : ursa_clamp(x, 0, 6);
}

ursa_tensor *ursa_sign(ursa_tensor *x)
{
    return !x || is_float(x) ? apply("sign", x, URSA_UNARY_sign, 0, 0) : ursa_clamp(x, -1, 1);
}

/* Whole numbers are their own. */
#define ROUNDING(name)                                                                                                 \
    ursa_tensor *ursa_##name(ursa_tensor *x)                                                                           \
    {                                                                                                                  \
        return !x || is_float(x) ? apply(#name, x, URSA_UNARY_##name, 0, 0) : x;                                       \
    }
ROUNDING(floor)
ROUNDING(ceil)
ROUNDING(round)

/* ---- tests of elements -------------------------------------------------------------------------------- */

ursa_tensor *ursa_logical_not(ursa_tensor *x)
{
    if (!x)
        return NULL;
    ursa_scope *scope = ursa_scope_begin();
    return ursa_leave(scope, ursa_eq(x, ursa_scalar_like(x, 0)));
}

static ursa_tensor *test(ursa_tensor *x, ursa_unary_kind kind)
{
    if (!x)
        return NULL;
    ursa_scope *scope = ursa_scope_begin();
    ursa_tensor *cast = is_float(x) ? x : ursa_typed(x, URSA_F32);
    ursa_tensor *answer = cast ? run(cast, (struct function){kind, 0, 0}) : NULL;
    return ursa_leave(scope, ursa_typed(answer, URSA_BOOL));
}

ursa_tensor *ursa_is_nan(ursa_tensor *x)
{
    return test(x, URSA_UNARY_is_nan);
}

ursa_tensor *ursa_is_finite(ursa_tensor *x)
{
    return test(x, URSA_UNARY_is_finite);
}

/* ---- activations by name --------------------------------------------------------------------------------- */

static ursa_tensor *leaky_relu(ursa_tensor *x)
{
    return ursa_leaky_relu(x, 0.01);
}

static ursa_tensor *elu(ursa_tensor *x)
{
    return ursa_elu(x, 1);
}

static ursa_tensor *softplus(ursa_tensor *x)
{
    return ursa_softplus(x, 1, 20);
}

static ursa_tensor *identity(ursa_tensor *x)
{
    return x;
}

static const struct {
    const char *name;
    ursa_activation_fn *function;
} activations[] = {
    {"binary_step", ursa_binary_step},
    {"logistic", ursa_sigmoid},
    {"sigmoid", ursa_sigmoid},
    {"tanh", ursa_tanh},
    {"arctan", ursa_atan},
    {"atan", ursa_atan},
    {"relu", ursa_relu},
    {"relu6", ursa_relu6},
    {"leaky_relu", leaky_relu},
    {"elu", elu},
    {"gelu", ursa_gelu},
    {"silu", ursa_silu},
    {"mish", ursa_mish},
    {"softplus", softplus},
    {"identity", identity},
};

ursa_activation_fn *ursa_activation_by_name(const char *name)
{
    if (!name)
        return NULL;
    char list[256] = "";
    for (size_t i = 0; i < sizeof activations / sizeof *activations; i++) {
        if (strcmp(activations[i].name, name) == 0)
            return activations[i].function;
        strcat(strcat(list, i ? ", " : ""), activations[i].name);
    }
    ursa_fail(URSA_ERROR_ARGUMENT, "no activation \"%s\"; there are: %s", name, list);
    return NULL;
}
