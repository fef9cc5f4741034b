/* gradcheck.c — the gradients of gradients.def against differences in double.
 *
 * On the reference device every number is a double, so a difference of fourth
 * order over steps of 5e-4 is right to about 1e-11 of the gradients' size.
 * What the library computes may be off by the rounding of parameters that an
 * operator takes as floats (1 / n, eps: 6e-8 relative); the bound is 1e-6 of
 * the largest gradient of the input. A derivative that is wrong is wrong by
 * more.
 *
 * Every function is checked with contiguous inputs, with permuted ones and
 * with backwards steps through every other element; with all inputs requiring
 * a gradient and with one at a time.
 */
#include "../unit.h"
#include "reference64.h"
#include "tensor/tensor.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_INPUTS = 3 };
static const double STEP = 5e-4;
static const double BOUND = 1e-6;

enum values { ANY_VALUE, POSITIVE_VALUE, SMALL_VALUE, APART_VALUE };

struct input {
    enum values values;
    ursa_dims shape;
};
#define ANY(...)                                                                                                       \
    {                                                                                                                  \
        ANY_VALUE, ursa_shape(__VA_ARGS__)                                                                             \
    }
#define POSITIVE(...)                                                                                                  \
    {                                                                                                                  \
        POSITIVE_VALUE, ursa_shape(__VA_ARGS__)                                                                        \
    }
#define SMALL(...)                                                                                                     \
    {                                                                                                                  \
        SMALL_VALUE, ursa_shape(__VA_ARGS__)                                                                           \
    }
#define APART(...)                                                                                                     \
    {                                                                                                                  \
        APART_VALUE, ursa_shape(__VA_ARGS__)                                                                           \
    }

typedef ursa_tensor *function(ursa_tensor *const *inputs);

/* ---- what expressions use ------------------------------------------------------------------------ */

static ursa_device *device(void)
{
    return reference64_open();
}

/* By the moments that the convolution has found. */
static ursa_tensor *of_conv(ursa_tensor *x, ursa_tensor *w)
{
    ursa_channel_moments moments;
    ursa_tensor *y = ursa_conv2d_moments(x, w, &(ursa_conv_options){.padding = {1, 0}}, &moments);
    return ursa_batch_norm_known(y, &moments, NULL, NULL, NULL, NULL, NULL, NULL, true, 0.1, 1e-3);
}

static ursa_tensor *zero(void)
{
    return ursa_zeros(ursa_shape(), .device = device());
}

/* 1, -1, 1, … */
static ursa_tensor *alternating(int64_t count)
{
    ursa_tensor *odd =
        ursa_sub(ursa_arange(count, .device = device()),
                 ursa_mul_scalar(ursa_floor(ursa_mul_scalar(ursa_arange(count, .device = device()), 0.5)), 2));
    return ursa_add_scalar(ursa_mul_scalar(odd, -2), 1);
}

/* 0.5, 1, 1.5, … */
static ursa_tensor *ramp(int64_t count)
{
    return ursa_arange(count, .start = 0.5, .step = 0.5, .device = device());
}

/* An index [rows, columns] below `limit`, with repetitions. */
static ursa_tensor *places(int64_t rows, int64_t columns, int64_t limit)
{
    int64_t index[64];
    for (int64_t i = 0; i < rows * columns; i++)
        index[i] = (3 * i + i / 4 + 1) % limit;
    return ursa_from(index, ursa_shape(rows, columns), .dtype = URSA_I64, .device = device());
}

/* Targets 0, 0.5 and 1. */
static ursa_tensor *halves(int64_t rows, int64_t columns)
{
    return ursa_mul_scalar(ursa_cast(places(rows, columns, 3), URSA_F32), 0.5);
}

/* The same numbers every time. */
static ursa_rng *stream(void)
{
    static ursa_rng rng;
    rng = ursa_rng_new(7, URSA_PURPOSE_DROPOUT, 0);
    return &rng;
}

static ursa_tensor *sorted(ursa_tensor *x, int axis, bool descending)
{
    ursa_tensor *values = NULL;
    ursa_sort(x, axis, descending, &values, NULL);
    return values;
}

static ursa_tensor *top(ursa_tensor *x, int axis, int64_t k)
{
    ursa_tensor *values = NULL, *indices = NULL;
    ursa_topk(x, axis, k, true, &values, &indices);
    return values;
}

static ursa_tensor *halves_multiplied(ursa_tensor *x)
{
    ursa_tensor *part[3] = {NULL};
    if (ursa_split(x, 1, 2, part, 3) != 3)
        return NULL;
    return ursa_mul(ursa_mul(part[0], part[1]), part[2]);
}

/* Paths of different lengths that meet again. */
static ursa_tensor *diamond(ursa_tensor *x)
{
    ursa_tensor *shared = ursa_mul(x, x), *left = shared, *right = ursa_sin(shared);
    for (int i = 0; i < 5; i++)
        left = ursa_add(ursa_mul(left, right), shared);
    return ursa_mul(left, ursa_sum(right, ursa_axes(0), true));
}

/* The gradient of y reaches `left` and, through a view of the same memory,
 * `right`, which has more to add to it before `left` is through. */
static ursa_tensor *aliased(ursa_tensor *x, ursa_tensor *y)
{
    ursa_tensor *left = ursa_sin(x), *right = ursa_cos(y), *more = ursa_exp(right);
    ursa_tensor *sum = ursa_add(left, ursa_reshape(right, ursa_shape(2, 3)));
    return ursa_add(sum, ursa_sum(more, ursa_axes(), false));
}

/* ---- values ------------------------------------------------------------------------------------------ */

static void make_values(enum values values, int input, int64_t count, ursa_rng *rng, double *out)
{
    int64_t *order = malloc((size_t)(count + 1) * sizeof *order);
    for (int64_t i = 0; i < count; i++)
        order[i] = i;
    ursa_rng_shuffle(rng, order, count);
    for (int64_t i = 0; i < count; i++) {
        double u = ursa_rng_uniform(rng);
        switch (values) {
        case ANY_VALUE:
            out[i] = 4 * u - 2;
            break;
        case POSITIVE_VALUE:
            out[i] = 0.5 + 2 * u;
            break;
        case SMALL_VALUE:
            out[i] = 1.8 * u - 0.9;
            break;
        case APART_VALUE: /* never near a multiple of 1/10, nor near the values of the other inputs */
            out[i] = 0.1 * (double)(order[i] - count / 2) + 0.025 + 0.05 * (input % 2) + 0.016 * (u - 0.5);
            break;
        }
    }
    free(order);
}

/* ---- layouts ------------------------------------------------------------------------------------------- */

enum layout { CONTIGUOUS, PERMUTED, BACKWARDS, LAYOUTS };

/* The shape of the leaf whose view in the layout has `shape`. */
static ursa_dims leaf_shape(ursa_dims shape, enum layout layout)
{
    ursa_dims leaf = shape;
    if (layout == PERMUTED)
        for (int i = 0; i < shape.ndim; i++)
            leaf.dim[i] = shape.dim[shape.ndim - 1 - i];
    if (layout == BACKWARDS && shape.ndim > 0)
        leaf.dim[shape.ndim - 1] *= 2;
    return leaf;
}

static ursa_tensor *view_of(ursa_tensor *leaf, enum layout layout)
{
    int ndim = ursa_ndim(leaf);
    if (layout == PERMUTED) {
        ursa_dims order = {.ndim = ndim};
        for (int i = 0; i < ndim; i++)
            order.dim[i] = ndim - 1 - i;
        return ursa_permute(leaf, order);
    }
    if (layout == BACKWARDS && ndim > 0)
        return ursa_flip(ursa_slice(leaf, -1, 1, INT64_MAX, 2), -1);
    return leaf;
}

/* ---- the check -------------------------------------------------------------------------------------------- */

struct check {
    const char *name;
    function *call;
    int count;
    enum layout layout;
    ursa_tensor *leaf[MOST_INPUTS];
    double *values[MOST_INPUTS];
    double *numeric[MOST_INPUTS];
    int64_t elements[MOST_INPUTS];
    double *weight; /* of the outputs, in the number whose gradient is taken */
    int64_t outputs;
    ursa_dims output_shape;
};

static ursa_tensor *evaluate(struct check *check)
{
    ursa_tensor *inputs[MOST_INPUTS] = {NULL};
    for (int i = 0; i < check->count; i++)
        inputs[i] = view_of(check->leaf[i], check->layout);
    ursa_tensor *out = check->call(inputs);
    if (!out)
        fail_msg("%s: %s", check->name, ursa_error() ? ursa_error() : "NULL without an error");
    return out;
}

static double weighted_sum(struct check *check)
{
    ursa_scope *scope = ursa_scope_begin();
    ursa_no_grad_begin();
    ursa_tensor *out = evaluate(check);
    double *values = malloc((size_t)check->outputs * sizeof(double)), sum = 0;
    reference64_read(&out->array, values);
    for (int64_t i = 0; i < check->outputs; i++)
        sum += values[i] * check->weight[i];
    free(values);
    ursa_no_grad_end();
    ursa_scope_end(scope);
    return sum;
}

static double shifted(struct check *check, int input, int64_t element, double by)
{
    double *values = check->values[input], kept = values[element];
    values[element] = kept + by;
    reference64_write(&check->leaf[input]->array, values);
    double sum = weighted_sum(check);
    values[element] = kept;
    reference64_write(&check->leaf[input]->array, values);
    return sum;
}

static void differentiate(struct check *check)
{
    for (int input = 0; input < check->count; input++)
        for (int64_t i = 0; i < check->elements[input]; i++) {
            double near = shifted(check, input, i, STEP) - shifted(check, input, i, -STEP);
            double far = shifted(check, input, i, 2 * STEP) - shifted(check, input, i, -2 * STEP);
            check->numeric[input][i] = (8 * near - far) / (12 * STEP);
        }
}

static void compare(const struct check *check, int input)
{
    int64_t count = check->elements[input];
    double *analytic = calloc((size_t)count + 1, sizeof(double)), largest = 1e-3;
    ursa_tensor *grad = ursa_grad(check->leaf[input]);
    if (!grad)
        fail_msg("%s: input %d has no gradient", check->name, input);
    reference64_read(&grad->array, analytic);
    for (int64_t i = 0; i < count; i++)
        largest = fmax(largest, fabs(check->numeric[input][i]));
    for (int64_t i = 0; i < count; i++) {
        double difference = fabs(analytic[i] - check->numeric[input][i]);
        if (!(difference <= BOUND * largest))
            fail_msg("%s: layout %d, input %d, element %lld: gradient %.12g, differences %.12g", check->name,
                     (int)check->layout, input, (long long)i, analytic[i], check->numeric[input][i]);
    }
    free(analytic);
}

/* Plays the tape with the gradients of the inputs in `wanted`, and compares. */
static void play(struct check *check, unsigned wanted)
{
    ursa_scope *scope = ursa_scope_begin();
    for (int i = 0; i < check->count; i++) {
        ursa_requires_grad(check->leaf[i], wanted >> i & 1);
        ursa_zero_grad(check->leaf[i]);
    }
    ursa_tensor *out = evaluate(check), *weight = ursa_empty(check->output_shape, .device = device());
    reference64_write(&weight->array, check->weight);
    weight = ursa_cast(weight, ursa_dtype_of(out));
    if (!ursa_backward_from(out, weight))
        fail_msg("%s: %s", check->name, ursa_error());
    for (int i = 0; i < check->count; i++) {
        if (wanted >> i & 1)
            compare(check, i);
        else
            assert_null(ursa_grad(check->leaf[i]));
        ursa_zero_grad(check->leaf[i]);
    }
    ursa_scope_end(scope);
}

static void prepare(struct check *check, const struct input *inputs)
{
    ursa_rng rng = ursa_rng_new(1, URSA_PURPOSE_USER, (uint64_t)check->layout);
    for (int i = 0; i < check->count; i++) {
        check->leaf[i] = ursa_empty(leaf_shape(inputs[i].shape, check->layout), .device = device());
        int64_t count = check->elements[i] = ursa_count(check->leaf[i]);
        check->values[i] = malloc((size_t)count * sizeof(double));
        check->numeric[i] = malloc((size_t)count * sizeof(double));
        make_values(inputs[i].values, i, count, &rng, check->values[i]);
        reference64_write(&check->leaf[i]->array, check->values[i]);
    }
    ursa_scope *scope = ursa_scope_begin();
    ursa_tensor *out = evaluate(check);
    check->output_shape = ursa_dims_of(out);
    check->outputs = ursa_count(out);
    ursa_scope_end(scope);
    check->weight = malloc((size_t)check->outputs * sizeof(double));
    for (int64_t i = 0; i < check->outputs; i++)
        check->weight[i] = 0.25 + ursa_rng_uniform(&rng);
}

static void discard(struct check *check)
{
    for (int i = 0; i < check->count; i++) {
        free(check->values[i]);
        free(check->numeric[i]);
    }
    free(check->weight);
}

static void check_layout(const char *name, function *call, const struct input *inputs, int count, enum layout layout)
{
    uint64_t used = ursa_device_memory(device()).used;
    ursa_scope *scope = ursa_scope_begin();
    struct check check = {.name = name, .call = call, .count = count, .layout = layout};
    prepare(&check, inputs);
    differentiate(&check);
    play(&check, (1u << count) - 1);
    for (int i = 0; i < count && count > 1; i++)
        play(&check, 1u << i);
    discard(&check);
    ursa_scope_end(scope);
    if (ursa_device_memory(device()).used != used)
        fail_msg("%s: %llu bytes were left behind", name,
                 (unsigned long long)(ursa_device_memory(device()).used - used));
}

static void check_gradient(const char *name, function *call, const struct input *inputs, int count)
{
    for (int layout = 0; layout < LAYOUTS; layout++)
        check_layout(name, call, inputs, count, (enum layout)layout);
    if (ursa_error())
        fail_msg("%s: %s", name, ursa_error());
}

#define GRADIENT(name, expression, ...)                                                                                \
    static ursa_tensor *call_##name(ursa_tensor *const *inputs)                                                        \
    {                                                                                                                  \
        ursa_tensor *a = inputs[0], *b = inputs[1], *c = inputs[2];                                                    \
        (void)b, (void)c;                                                                                              \
        return expression;                                                                                             \
    }                                                                                                                  \
    static void test_##name(void **state)                                                                              \
    {                                                                                                                  \
        (void)state;                                                                                                   \
        const struct input inputs[] = {__VA_ARGS__};                                                                   \
        check_gradient(#name, call_##name, inputs, (int)(sizeof inputs / sizeof *inputs));                             \
    }
#include "gradients.def"
#undef GRADIENT

/* Between devices the gradient goes back the way the tensor came. */
static void test_to_device(void **state)
{
    (void)state;
    ursa_scope *scope = ursa_scope_begin();
    ursa_tensor *x = ursa_arange(3, .requires_grad = true, .device = ursa_device_open("cpu"));
    ursa_tensor *there = ursa_square(ursa_to_device(x, device()));
    assert_ptr_equal(ursa_device_of(there), device());
    assert_true(ursa_backward(ursa_sum(there, ursa_axes(), false)));
    assert_ptr_equal(ursa_device_of(ursa_grad(x)), ursa_device_of(x));
    float gradient[3];
    assert_true(ursa_read(ursa_grad(x), URSA_F32, gradient, 3));
    for (int i = 0; i < 3; i++)
        assert_true(gradient[i] == (float)(2 * i));
    assert_null(ursa_add(x, there));
    assert_string_equal(ursa_error(), "add: y is on reference64, expected cpu");
    ursa_clear_error();
    ursa_scope_end(scope);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_to_device),
#define GRADIENT(name, expression, ...) cmocka_unit_test(test_##name),
#include "gradients.def"
#undef GRADIENT
    };
    return run_unit_tests("gradients", tests);
}
