/* reduce.c — reductions, moments, positions of extremes, running sums,
 * sorting and softmax. */
#include "reference64.h"
#include "view.h"
#include <stdlib.h>

/* The row-major number in `out`, whose extents are 1 or those of x, of the
 * element that element i of x is reduced to. */
static int64_t reduced_number(const ursa_array *x, const ursa_array *out, int64_t i)
{
    int64_t number = 0, step = 1;
    for (int axis = x->ndim - 1; axis >= 0; axis--) {
        int64_t index = i % x->shape[axis];
        i /= x->shape[axis];
        if (out->shape[axis] != 1)
            number += index * step;
        step *= out->shape[axis];
    }
    return number;
}

static double neutral(ursa_reduce_kind kind)
{
    switch (kind) {
    case URSA_REDUCE_PROD:
        return 1;
    case URSA_REDUCE_MIN:
        return INFINITY;
    case URSA_REDUCE_MAX:
        return -INFINITY;
    default:
        return 0;
    }
}

static double combine(ursa_reduce_kind kind, double sum, double x)
{
    switch (kind) {
    case URSA_REDUCE_PROD:
        return sum * x;
    case URSA_REDUCE_MIN:
        return isnan(sum) || isnan(x) ? NAN : x < sum ? x : sum;
    case URSA_REDUCE_MAX:
        return isnan(sum) || isnan(x) ? NAN : x > sum ? x : sum;
    case URSA_REDUCE_L1:
        return sum + fabs(x);
    case URSA_REDUCE_L2:
        return sum + x * x;
    default:
        return sum + x;
    }
}

static void reduce_floats(const struct ursa_reduce_args *args)
{
    int64_t count = count_of(&args->x), results = count_of(&args->out);
    for (int64_t i = 0; i < results; i++)
        put(&args->out, i, neutral(args->kind));
    for (int64_t i = 0; i < count; i++) {
        int64_t to = reduced_number(&args->x, &args->out, i);
        put(&args->out, to, combine(args->kind, get(&args->out, to), get(&args->x, i)));
    }
    for (int64_t i = 0; i < results; i++) {
        if (args->kind == URSA_REDUCE_MEAN)
            put(&args->out, i, get(&args->out, i) / (double)(count / results));
        if (args->kind == URSA_REDUCE_L2)
            put(&args->out, i, sqrt(get(&args->out, i)));
    }
}

static void reduce_integers(const struct ursa_reduce_args *args)
{
    int64_t count = count_of(&args->x), results = count_of(&args->out);
    int64_t low = args->x.dtype == URSA_I32 ? INT32_MIN : INT64_MIN;
    int64_t high = args->x.dtype == URSA_I32 ? INT32_MAX : INT64_MAX;
    int64_t first = args->kind == URSA_REDUCE_PROD  ? 1
                    : args->kind == URSA_REDUCE_MIN ? high
                    : args->kind == URSA_REDUCE_MAX ? low
                                                    : 0;
    for (int64_t i = 0; i < results; i++)
        put_integer(&args->out, i, first);
    for (int64_t i = 0; i < count; i++) {
        int64_t to = reduced_number(&args->x, &args->out, i);
        int64_t sum = get_integer(&args->out, to), x = get_integer(&args->x, i);
        if (args->kind == URSA_REDUCE_PROD)
            sum = (int64_t)((uint64_t)sum * (uint64_t)x);
        else if (args->kind == URSA_REDUCE_MIN)
            sum = x < sum ? x : sum;
        else if (args->kind == URSA_REDUCE_MAX)
            sum = x > sum ? x : sum;
        else
            sum = (int64_t)((uint64_t)sum + (uint64_t)x);
        put_integer(&args->out, to, sum);
    }
}

bool reference64_reduce(ursa_device *device, const struct ursa_reduce_args *args)
{
    (void)device;
    if (is_float(args->x.dtype))
        reduce_floats(args);
    else
        reduce_integers(args);
    return true;
}

/* Two passes: the mean, then the squares about it. */
bool reference64_moments(ursa_device *device, const struct ursa_moments_args *args)
{
    (void)device;
    const ursa_array *like = present(&args->mean) ? &args->mean : &args->var;
    int64_t count = count_of(&args->x), results = count_of(like);
    double *mean = calloc((size_t)results + 1, sizeof *mean), *square = calloc((size_t)results + 1, sizeof *square);
    if (!mean || !square) {
        free(mean);
        free(square);
        return ursa_fail(URSA_ERROR_MEMORY, "moments: no memory for %lld results", (long long)results);
    }
    double n = results ? (double)(count / results) : 0;
    for (int64_t i = 0; i < count; i++)
        mean[reduced_number(&args->x, like, i)] += get(&args->x, i);
    for (int64_t i = 0; i < results; i++)
        mean[i] /= n;
    for (int64_t i = 0; i < count; i++) {
        int64_t to = reduced_number(&args->x, like, i);
        double distance = get(&args->x, i) - mean[to];
        square[to] += distance * distance;
    }
    for (int64_t i = 0; i < results; i++) {
        if (present(&args->mean))
            put(&args->mean, i, mean[i]);
        if (present(&args->var))
            put(&args->var, i, square[i] / fmax(n - args->correction, 0));
    }
    free(mean);
    free(square);
    return true;
}

/* Whether x goes before y in ascending order, what is not a number last. */
static bool before(const ursa_array *array, int64_t x, int64_t y)
{
    if (!is_float(array->dtype))
        return get_integer(array, x) < get_integer(array, y);
    double a = get(array, x), b = get(array, y);
    return isnan(a) ? false : isnan(b) ? true : a < b;
}

/* Whether element x is a strictly better extreme than element y. */
static bool beats(const struct ursa_arg_reduce_args *args, int64_t x, int64_t y)
{
    if (is_float(args->x.dtype) && (isnan(get(&args->x, x)) || isnan(get(&args->x, y))))
        return isnan(get(&args->x, x)) && !isnan(get(&args->x, y));
    return args->max ? before(&args->x, y, x) : before(&args->x, x, y);
}

bool reference64_arg_reduce(ursa_device *device, const struct ursa_arg_reduce_args *args)
{
    (void)device;
    around a = around_axis(&args->x, args->axis);
    for (int64_t o = 0; o < a.outer; o++)
        for (int64_t n = 0; n < a.inner; n++) {
            int64_t best = 0;
            for (int64_t i = 1; i < a.extent; i++)
                if (beats(args, number_of(a, o, i, n), number_of(a, o, best, n)))
                    best = i;
            put_integer(&args->out, o * a.inner + n, best);
        }
    return true;
}

bool reference64_cumsum(ursa_device *device, const struct ursa_cumsum_args *args)
{
    (void)device;
    around a = around_axis(&args->x, args->axis);
    for (int64_t o = 0; o < a.outer; o++)
        for (int64_t n = 0; n < a.inner; n++) {
            double sum = 0;
            uint64_t integer_sum = 0;
            for (int64_t step = 0; step < a.extent; step++) {
                int64_t i = number_of(a, o, args->reverse ? a.extent - 1 - step : step, n);
                if (is_float(args->x.dtype)) {
                    sum += get(&args->x, i);
                    put(&args->out, i, sum);
                } else {
                    integer_sum += (uint64_t)get_integer(&args->x, i);
                    put_integer(&args->out, i, (int64_t)integer_sum);
                }
            }
        }
    return true;
}

/* Insertion sort of positions: stable because an element only moves past
 * those it must stand before. */
static void sort_line(const struct ursa_sort_args *args, around a, int64_t o, int64_t n, int64_t *order)
{
    for (int64_t i = 0; i < a.extent; i++) {
        int64_t at = i;
        for (; at > 0; at--) {
            int64_t x = number_of(a, o, i, n), y = number_of(a, o, order[at - 1], n);
            if (!(args->descending ? before(&args->x, y, x) : before(&args->x, x, y)))
                break;
            order[at] = order[at - 1];
        }
        order[at] = i;
    }
}

bool reference64_sort(ursa_device *device, const struct ursa_sort_args *args)
{
    (void)device;
    around a = around_axis(&args->x, args->axis);
    const ursa_array *like = present(&args->values) ? &args->values : &args->indices;
    around to = around_axis(like, args->axis);
    int64_t *order = calloc((size_t)a.extent + 1, sizeof *order);
    if (!order)
        return ursa_fail(URSA_ERROR_MEMORY, "sort: no memory for %lld positions", (long long)a.extent);
    for (int64_t o = 0; o < a.outer; o++)
        for (int64_t n = 0; n < a.inner; n++) {
            sort_line(args, a, o, n, order);
            for (int64_t i = 0; i < to.extent; i++) {
                int64_t from = number_of(a, o, order[i], n), place = number_of(to, o, i, n);
                if (present(&args->indices))
                    put_integer(&args->indices, place, order[i]);
                if (!present(&args->values))
                    continue;
                if (is_float(args->x.dtype))
                    put(&args->values, place, get(&args->x, from));
                else
                    put_integer(&args->values, place, get_integer(&args->x, from));
            }
        }
    free(order);
    return true;
}

bool reference64_softmax(ursa_device *device, const struct ursa_softmax_args *args)
{
    (void)device;
    around a = around_axis(&args->x, args->axis);
    for (int64_t o = 0; o < a.outer; o++)
        for (int64_t n = 0; n < a.inner; n++) {
            double largest = -INFINITY, sum = 0;
            for (int64_t i = 0; i < a.extent; i++)
                largest = fmax(largest, get(&args->x, number_of(a, o, i, n)));
            for (int64_t i = 0; i < a.extent; i++)
                sum += exp(get(&args->x, number_of(a, o, i, n)) - largest);
            for (int64_t i = 0; i < a.extent; i++) {
                int64_t at = number_of(a, o, i, n);
                double x = get(&args->x, at) - largest;
                put(&args->out, at, args->log ? x - log(sum) : exp(x) / sum);
            }
        }
    return true;
}

bool reference64_softmax_grad(ursa_device *device, const struct ursa_softmax_grad_args *args)
{
    (void)device;
    around a = around_axis(&args->y, args->axis);
    for (int64_t o = 0; o < a.outer; o++)
        for (int64_t n = 0; n < a.inner; n++) {
            double sum = 0;
            for (int64_t i = 0; i < a.extent; i++) {
                int64_t at = number_of(a, o, i, n);
                sum += get(&args->dy, at) * (args->log ? 1 : get(&args->y, at));
            }
            for (int64_t i = 0; i < a.extent; i++) {
                int64_t at = number_of(a, o, i, n);
                double y = get(&args->y, at), dy = get(&args->dy, at);
                put(&args->dx, at, args->log ? dy - exp(y) * sum : y * (dy - sum));
            }
        }
    return true;
}
