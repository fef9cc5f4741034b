/* check_reduce.c — arguments of the reductions, scans and sorts. */
#include "check.h"
#include "base/error.h"
#include <inttypes.h>

enum { ANY_NUMBER = URSA_ANY_FLOAT | URSA_ONLY_I32 | URSA_ONLY_I64 };

/* The result has the type of x; or f32, so that a long sum of a half type keeps what it has. */
static bool check_sum_type(const struct ursa_check *check, const ursa_array *out, const ursa_array *x)
{
    return (out->dtype == URSA_F32 && ursa_dtype_is_float(x->dtype)) || ursa_check_same_type(check, "out", out, "x", x);
}

int64_t ursa_check_reduce(const struct ursa_check *check, const struct ursa_reduce_args *args)
{
    bool only_float = args->kind == URSA_REDUCE_MEAN || args->kind == URSA_REDUCE_L1 || args->kind == URSA_REDUCE_L2;
    unsigned types = only_float ? URSA_ANY_FLOAT : ANY_NUMBER;
    bool ok = ((unsigned)args->kind < URSA_REDUCE_COUNT ||
               ursa_fail(URSA_ERROR_ARGUMENT, "reduce: there is no kind %d", (int)args->kind)) &&
              ursa_check_array(check, "x", &args->x, types | URSA_STRIDED) &&
              ursa_check_array(check, "out", &args->out, types | URSA_OUTPUT) &&
              check_sum_type(check, &args->out, &args->x) && ursa_check_reduced(check, "out", &args->out, &args->x) &&
              ursa_check_apart(check, "out", &args->out, "x", &args->x, false);
    return ok ? ursa_array_count(&args->out) : -1;
}

int64_t ursa_check_moments(const struct ursa_check *check, const struct ursa_moments_args *args)
{
    bool ok = ursa_check_array(check, "x", &args->x, URSA_STRIDED) &&
              ursa_check_array(check, "mean", &args->mean, URSA_OUTPUT | URSA_OPTIONAL) &&
              ursa_check_array(check, "var", &args->var, URSA_OUTPUT | URSA_OPTIONAL) &&
              ursa_check_same_type(check, "mean", &args->mean, "x", &args->x) &&
              ursa_check_same_type(check, "var", &args->var, "x", &args->x) &&
              ursa_check_reduced(check, "mean", &args->mean, &args->x) &&
              ursa_check_reduced(check, "var", &args->var, &args->x) &&
              ursa_check_apart(check, "mean", &args->mean, "x", &args->x, false) &&
              ursa_check_apart(check, "var", &args->var, "x", &args->x, false) &&
              ursa_check_apart(check, "var", &args->var, "mean", &args->mean, false);
    if (ok && ursa_is_present(&args->mean) && ursa_is_present(&args->var))
        ok = ursa_check_same_shape(check, "var", &args->var, &args->mean);
    if (!ok)
        return -1;
    if (!ursa_is_present(&args->mean) && !ursa_is_present(&args->var))
        return 0;
    return ursa_array_count(ursa_is_present(&args->mean) ? &args->mean : &args->var);
}

int64_t ursa_check_arg_reduce(const struct ursa_check *check, const struct ursa_arg_reduce_args *args)
{
    bool ok = ursa_check_array(check, "x", &args->x, URSA_STRIDED) &&
              ursa_check_array(check, "out", &args->out, URSA_ONLY_I64 | URSA_OUTPUT) &&
              ursa_check_axis(check, &args->x, args->axis) &&
              ursa_check_apart(check, "out", &args->out, "x", &args->x, false);
    if (!ok)
        return -1;
    ursa_array expected = args->x;
    expected.shape[args->axis] = 1;
    if (!ursa_check_same_shape(check, "out", &args->out, &expected))
        return -1;
    int64_t count = ursa_array_count(&args->out);
    if (count && args->x.shape[args->axis] == 0) {
        ursa_fail(URSA_ERROR_SHAPE, "arg_reduce: x is %s, expected an element along axis %d",
                  ursa_shape_text(args->x.ndim, args->x.shape).text, args->axis);
        return -1;
    }
    return count;
}

int64_t ursa_check_cumsum(const struct ursa_check *check, const struct ursa_cumsum_args *args)
{
    bool ok = ursa_check_array(check, "x", &args->x, URSA_STRIDED) &&
              ursa_check_array(check, "out", &args->out, URSA_OUTPUT) && ursa_check_axis(check, &args->x, args->axis) &&
              ursa_check_same_shape(check, "out", &args->out, &args->x) &&
              ursa_check_same_type(check, "out", &args->out, "x", &args->x) &&
              ursa_check_apart(check, "out", &args->out, "x", &args->x, false);
    return ok ? ursa_array_count(&args->out) : -1;
}

static bool check_sorted(const struct ursa_check *check, const char *name, const ursa_array *out,
                         const struct ursa_sort_args *args)
{
    if (!ursa_is_present(out))
        return true;
    int64_t k = out->ndim == args->x.ndim ? out->shape[args->axis] : 0;
    ursa_array expected = args->x;
    expected.shape[args->axis] = k;
    if (k > args->x.shape[args->axis])
        return ursa_fail(URSA_ERROR_SHAPE, "sort: %s has %" PRId64 " elements along axis %d, expected up to %" PRId64,
                         name, k, args->axis, args->x.shape[args->axis]);
    return ursa_check_same_shape(check, name, out, &expected) &&
           ursa_check_apart(check, name, out, "x", &args->x, false);
}

int64_t ursa_check_sort(const struct ursa_check *check, const struct ursa_sort_args *args)
{
    const ursa_array *values = &args->values, *indices = &args->indices;
    bool ok = ursa_check_array(check, "x", &args->x, URSA_STRIDED) && ursa_check_axis(check, &args->x, args->axis) &&
              ursa_check_array(check, "values", values, URSA_OUTPUT | URSA_OPTIONAL) &&
              ursa_check_array(check, "indices", indices, URSA_ONLY_I64 | URSA_OUTPUT | URSA_OPTIONAL) &&
              ursa_check_same_type(check, "values", values, "x", &args->x) &&
              check_sorted(check, "values", values, args) && check_sorted(check, "indices", indices, args);
    if (ok && ursa_is_present(values) && ursa_is_present(indices))
        ok = ursa_check_same_shape(check, "indices", indices, values);
    if (!ok)
        return -1;
    if (!ursa_is_present(values) && !ursa_is_present(indices))
        return 0;
    return ursa_array_count(ursa_is_present(values) ? values : indices);
}

int64_t ursa_check_softmax(const struct ursa_check *check, const struct ursa_softmax_args *args)
{
    bool ok = ursa_check_array(check, "x", &args->x, 0) && ursa_check_array(check, "out", &args->out, URSA_OUTPUT) &&
              ursa_check_axis(check, &args->x, args->axis) &&
              ursa_check_same_shape(check, "out", &args->out, &args->x) &&
              ursa_check_same_type(check, "out", &args->out, "x", &args->x) &&
              ursa_check_apart(check, "out", &args->out, "x", &args->x, true);
    return ok ? ursa_array_count(&args->out) : -1;
}

int64_t ursa_check_softmax_grad(const struct ursa_check *check, const struct ursa_softmax_grad_args *args)
{
    bool ok = ursa_check_array(check, "y", &args->y, 0) && ursa_check_array(check, "dy", &args->dy, 0) &&
              ursa_check_array(check, "dx", &args->dx, URSA_OUTPUT) && ursa_check_axis(check, &args->y, args->axis) &&
              ursa_check_same_shape(check, "dy", &args->dy, &args->y) &&
              ursa_check_same_shape(check, "dx", &args->dx, &args->y) &&
              ursa_check_same_type(check, "dy", &args->dy, "y", &args->y) &&
              ursa_check_same_type(check, "dx", &args->dx, "y", &args->y) &&
              ursa_check_apart(check, "dx", &args->dx, "y", &args->y, false) &&
              ursa_check_apart(check, "dx", &args->dx, "dy", &args->dy, true);
    return ok ? ursa_array_count(&args->dx) : -1;
}
