/* reduce.c — reductions over axes. */
#include "tensor.h"
#include "base/error.h"
#include "device/backend.h"
#include <math.h>

/* ---- what they share ------------------------------------------------------------------------------ */

/* Which axes are reduced, and whether the result keeps them. */
struct plan {
    bool reduced[URSA_MAX_DIMS];
    bool keep;
    int64_t count;  /* elements that go into one */
    ursa_dims kept; /* the shape with 1 on reduced axes */
};

static bool plan_for(const char *name, const ursa_tensor *x, ursa_dims axes, bool keep, struct plan *plan)
{
    if (!ursa_find_axes(name, x, axes, plan->reduced))
        return false;
    plan->keep = keep;
    plan->count = 1;
    plan->kept = ursa_array_dims(&x->array);
    for (int i = 0; i < plan->kept.ndim; i++)
        if (plan->reduced[i]) {
            plan->count *= plan->kept.dim[i];
            plan->kept.dim[i] = 1;
        }
    return true;
}

/* Drops the reduced axes from a result that nobody has seen yet. */
static ursa_tensor *drop_axes(ursa_tensor *out, const struct plan *plan)
{
    if (!out || plan->keep)
        return out;
    ursa_array *array = &out->array;
    int ndim = 0;
    for (int i = 0; i < array->ndim; i++)
        if (!plan->reduced[i]) {
            array->shape[ndim] = array->shape[i];
            array->stride[ndim++] = array->stride[i];
        }
    array->ndim = ndim;
    return out;
}

/* The other way: dy with the reduced axes back, of extent 1. */
static ursa_tensor *restore_axes(ursa_tensor *dy, const struct plan *plan)
{
    if (!dy || plan->keep)
        return dy;
    ursa_array array = dy->array;
    array.ndim = plan->kept.ndim;
    for (int i = 0, from = 0; i < array.ndim; i++) {
        array.shape[i] = plan->reduced[i] ? 1 : dy->array.shape[from];
        array.stride[i] = plan->reduced[i] ? 1 : dy->array.stride[from++];
    }
    return ursa_tensor_of(&array);
}

/* dy stretched over the axes that were reduced. */
static ursa_tensor *spread(const ursa_node *node, ursa_tensor *dy)
{
    return ursa_expand(restore_axes(dy, ursa_node_extra(node)), ursa_node_shape(node, 0));
}

/* x as a type that reductions take; sums and products of small integers are
 * computed in i64. */
static ursa_tensor *number(ursa_tensor *x, bool only_float, bool wide)
{
    ursa_dtype dtype = x->array.dtype;
    if (ursa_dtype_is_float(dtype))
        return x;
    if (only_float)
        return ursa_typed(x, URSA_F32);
    return ursa_typed(x, wide ? URSA_I64 : dtype == URSA_I64 ? URSA_I64 : URSA_I32);
}

static ursa_tensor *run(ursa_reduce_kind kind, const ursa_tensor *x, const struct plan *plan)
{
    ursa_tensor *out = ursa_tensor_new(ursa_device_of(x), x->array.dtype, plan->kept);
    if (!out)
        return NULL;
    struct ursa_reduce_args args = {.kind = kind, .x = x->array, .out = out->array};
    return ursa_op_reduce(ursa_device_of(x), &args) ? out : NULL;
}

/* One reduction. Its step finds the plan as the node's extra, and saved: 0 x
 * and 1 the result with all axes, where `saves`. */
static ursa_tensor *reduce(const char *name, ursa_reduce_kind kind, ursa_backward_step *step, bool saves,
                           ursa_tensor *x, ursa_dims axes, bool keep)
{
    struct plan plan;
    if (!x || !plan_for(name, x, axes, keep, &plan))
        return NULL;
    bool only_float = kind == URSA_REDUCE_MEAN || kind == URSA_REDUCE_L1 || kind == URSA_REDUCE_L2;
    bool wide = kind == URSA_REDUCE_SUM || kind == URSA_REDUCE_PROD;
    bool narrow = !wide && !only_float && (x->array.dtype == URSA_U8 || x->array.dtype == URSA_BOOL);
    ursa_scope *scope = ursa_dtype_is_float(x->array.dtype) ? NULL : ursa_scope_begin();
    ursa_tensor *in = number(x, only_float, wide);
    ursa_tensor *out = in ? run(kind, in, &plan) : NULL;
    ursa_node *node = out && step ? URSA_RECORD(name, step, 2, sizeof plan, x) : NULL;
    if (node) {
        *(struct plan *)ursa_node_extra(node) = plan;
        ursa_node_save(node, 0, saves ? in : NULL);
        ursa_node_save(node, 1, saves ? out : NULL);
    }
    if (narrow)
        out = ursa_typed(out, x->array.dtype);
    ursa_node_attach(node, drop_axes(out, &plan));
    return scope ? ursa_leave(scope, out) : out;
}

/* ---- sums --------------------------------------------------------------------------------------------- */

static bool sum_step(const ursa_node *node, ursa_tensor *dy, ursa_tensor **dx)
{
    dx[0] = spread(node, dy);
    return dx[0] != NULL;
}

ursa_tensor *ursa_sum(ursa_tensor *x, ursa_dims axes, bool keep)
{
    return reduce("sum", URSA_REDUCE_SUM, sum_step, false, x, axes, keep);
}

static bool mean_step(const ursa_node *node, ursa_tensor *dy, ursa_tensor **dx)
{
    const struct plan *plan = ursa_node_extra(node);
    dx[0] = spread(node, ursa_mul_scalar(dy, 1.0 / (double)plan->count));
    return dx[0] != NULL;
}

ursa_tensor *ursa_mean(ursa_tensor *x, ursa_dims axes, bool keep)
{
    return reduce("mean", URSA_REDUCE_MEAN, mean_step, false, x, axes, keep);
}

ursa_tensor *ursa_prod(ursa_tensor *x, ursa_dims axes, bool keep)
{
    return reduce("prod", URSA_REDUCE_PROD, NULL, false, x, axes, keep);
}

/* ---- extremes ------------------------------------------------------------------------------------------- */

/* Each of the equals gets its share. */
static bool extreme_step(const ursa_node *node, ursa_tensor *dy, ursa_tensor **dx)
{
    const struct plan *plan = ursa_node_extra(node);
    ursa_tensor *x = ursa_node_saved(node, 0), *winner = ursa_node_saved(node, 1);
    ursa_tensor *equal = ursa_eq(x, winner);
    ursa_tensor *winners = ursa_sum_to(ursa_cast(equal, dy->array.dtype), plan->kept, dy->array.dtype);
    ursa_tensor *part = ursa_div(restore_axes(dy, plan), winners);
    dx[0] = ursa_where(equal, part, ursa_scalar_like(dy, 0));
    return dx[0] != NULL;
}

static ursa_tensor *extreme(const char *name, ursa_reduce_kind kind, ursa_tensor *x, ursa_dims axes, bool keep)
{
    return reduce(name, kind, extreme_step, true, x, axes, keep);
}

ursa_tensor *ursa_max(ursa_tensor *x, ursa_dims axes, bool keep)
{
    return extreme("max", URSA_REDUCE_MAX, x, axes, keep);
}

ursa_tensor *ursa_min(ursa_tensor *x, ursa_dims axes, bool keep)
{
    return extreme("min", URSA_REDUCE_MIN, x, axes, keep);
}

/* ---- norms ------------------------------------------------------------------------------------------------ */

static bool norm1_step(const ursa_node *node, ursa_tensor *dy, ursa_tensor **dx)
{
    dx[0] = ursa_mul(ursa_sign(ursa_node_saved(node, 0)), restore_axes(dy, ursa_node_extra(node)));
    return dx[0] != NULL;
}

/* x / |x|, and 0 at the origin. */
static bool norm2_step(const ursa_node *node, ursa_tensor *dy, ursa_tensor **dx)
{
    ursa_tensor *norm = ursa_node_saved(node, 1), *zero = ursa_scalar_like(dy, 0);
    ursa_tensor *scale = ursa_div(restore_axes(dy, ursa_node_extra(node)), norm);
    scale = ursa_where(ursa_eq(norm, zero), zero, scale);
    dx[0] = ursa_mul(ursa_node_saved(node, 0), scale);
    return dx[0] != NULL;
}

ursa_tensor *ursa_norm(ursa_tensor *x, double p, ursa_dims axes, bool keep)
{
    if (p == 1)
        return reduce("norm", URSA_REDUCE_L1, norm1_step, true, x, axes, keep);
    if (p == 2)
        return reduce("norm", URSA_REDUCE_L2, norm2_step, true, x, axes, keep);
    if (x && p != INFINITY) {
        ursa_fail(URSA_ERROR_ARGUMENT, "norm: p is %g, expected 1, 2 or INFINITY", p);
        return NULL;
    }
    ursa_scope *scope = ursa_scope_begin();
    return ursa_leave(scope, ursa_max(ursa_abs(x), axes, keep));
}

/* ---- variance ------------------------------------------------------------------------------------------------ */

struct variance {
    struct plan plan; /* first, for spread() */
    int correction;
};

/* Saved: 0 x, 1 the mean with all axes. */
static bool var_step(const ursa_node *node, ursa_tensor *dy, ursa_tensor **dx)
{
    const struct variance *variance = ursa_node_extra(node);
    double scale = 2.0 / (double)(variance->plan.count - variance->correction);
    ursa_tensor *centred = ursa_sub(ursa_node_saved(node, 0), ursa_node_saved(node, 1));
    dx[0] = ursa_mul(centred, ursa_mul_scalar(restore_axes(dy, &variance->plan), scale));
    return dx[0] != NULL;
}

static ursa_tensor *var(const char *name, ursa_tensor *x, ursa_dims axes, int correction, bool keep)
{
    struct variance variance = {.correction = correction};
    if (!x || !plan_for(name, x, axes, keep, &variance.plan))
        return NULL;
    ursa_scope *scope = ursa_scope_begin();
    ursa_device *device = ursa_device_of(x);
    ursa_tensor *in = number(x, true, false);
    ursa_tensor *mean = in ? ursa_tensor_new(device, in->array.dtype, variance.plan.kept) : NULL;
    ursa_tensor *out = mean ? ursa_tensor_new(device, in->array.dtype, variance.plan.kept) : NULL;
    if (!out)
        return ursa_leave(scope, NULL);
    struct ursa_moments_args args = {.x = in->array, .mean = mean->array, .var = out->array, .correction = correction};
    if (!ursa_op_moments(device, &args))
        return ursa_leave(scope, NULL);
    ursa_node *node = URSA_RECORD(name, var_step, 2, sizeof variance, x);
    if (node) {
        *(struct variance *)ursa_node_extra(node) = variance;
        ursa_node_save(node, 0, in);
        ursa_node_save(node, 1, mean);
    }
    return ursa_leave(scope, ursa_node_attach(node, drop_axes(out, &variance.plan)));
}

ursa_tensor *ursa_var(ursa_tensor *x, ursa_dims axes, int correction, bool keep)
{
    return var("var", x, axes, correction, keep);
}

ursa_tensor *ursa_std(ursa_tensor *x, ursa_dims axes, int correction, bool keep)
{
    ursa_scope *scope = ursa_scope_begin();
    return ursa_leave(scope, ursa_sqrt(var("std", x, axes, correction, keep)));
}
