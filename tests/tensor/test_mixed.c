/* Mixed precision: layers take the type of their activations, weights and their gradients stay f32. */
#include "helpers.h"
#include <math.h>
#include <stdlib.h>

static const ursa_dtype halves[] = {URSA_F16, URSA_BF16};

static ursa_tensor *weight(ursa_dims shape, double scale)
{
    ursa_tensor *w = ursa_normal(shape, .std = scale);
    return ursa_requires_grad(w, true);
}

/* Half an ulp, relative, of numbers of a type. */
static double rounding(ursa_dtype dtype)
{
    return dtype == URSA_F16 ? 0x1p-11 : 0x1p-8;
}

/* `found` is `expected`, but for `roundings` roundings to the half type, relative to the largest element: elements are
 * sums of terms of that size. */
static void assert_rounded(ursa_tensor *found, ursa_tensor *expected, ursa_dtype half, double roundings)
{
    int64_t count = ursa_count(expected);
    float *a = malloc((size_t)count * sizeof *a), *b = malloc((size_t)count * sizeof *b), largest = 0;
    assert_int_equal(ursa_count(found), count);
    assert_true(ursa_read(found, URSA_F32, a, count) && ursa_read(expected, URSA_F32, b, count));
    for (int64_t i = 0; i < count; i++)
        largest = fmaxf(largest, fabsf(b[i]));
    for (int64_t i = 0; i < count; i++)
        if (!(fabs((double)a[i] - (double)b[i]) <= roundings * rounding(half) * (double)largest))
            fail_msg("element %lld is %g, not %g", (long long)i, (double)a[i], (double)b[i]);
    free(a);
    free(b);
}

/* ---- layers ----------------------------------------------------------------------------------------- */

typedef ursa_tensor *layer(ursa_tensor *x, ursa_tensor *w, ursa_tensor *bias);

static ursa_tensor *conv(ursa_tensor *x, ursa_tensor *w, ursa_tensor *bias)
{
    return ursa_conv2d(x, w, .bias = bias, .padding = {1, 1});
}

static ursa_tensor *conv_transpose(ursa_tensor *x, ursa_tensor *w, ursa_tensor *bias)
{
    return ursa_conv_transpose2d(x, w, .bias = bias, .padding = {1, 1});
}

static ursa_tensor *linear(ursa_tensor *x, ursa_tensor *w, ursa_tensor *bias)
{
    return ursa_linear(x, ursa_select(ursa_select(w, 2, 0), 1, 0), bias);
}

static ursa_tensor *norm(ursa_tensor *x, ursa_tensor *w, ursa_tensor *bias)
{
    ursa_tensor *scale = ursa_slice(ursa_add_scalar(ursa_reshape(w, ursa_shape(-1)), 1), 0, 0, 6, 1);
    return ursa_batch_norm(x, scale, bias, NULL, NULL, true, 0.1, 1e-5);
}

static ursa_tensor *norm_of_groups(ursa_tensor *x, ursa_tensor *w, ursa_tensor *bias)
{
    ursa_tensor *scale = ursa_slice(ursa_add_scalar(ursa_reshape(w, ursa_shape(-1)), 1), 0, 0, 6, 1);
    return ursa_group_norm(x, 2, scale, bias, 1e-5);
}

/* The largest are chosen first, among the same numbers in either type. */
static ursa_tensor *pooled(ursa_tensor *x, ursa_tensor *w, ursa_tensor *bias)
{
    ursa_tensor *small = ursa_avg_pool2d(ursa_max_pool2d(x, 2, 2, .stride = {1, 1}), 2, 2);
    return conv(ursa_resize2d(small, 5, 5, URSA_BILINEAR, false), w, bias);
}

/* The gradients to w and bias, after y, in f32 and with x in a half type. */
static void check_layer(layer *run, ursa_dtype half)
{
    ursa_scope *scope = ursa_scope_begin();
    ursa_tensor *x = ursa_cast(ursa_cast(ursa_normal(ursa_shape(3, 7, 7, 6)), half), URSA_F32);
    ursa_tensor *w[2], *bias[2], *input[2], *y[2], *dy = NULL;
    for (int mixed = 0; mixed < 2; mixed++) {
        w[mixed] = mixed ? ursa_detach(ursa_clone(w[0])) : weight(ursa_shape(6, 3, 3, 6), 0.2);
        bias[mixed] = mixed ? ursa_detach(ursa_clone(bias[0])) : weight(ursa_shape(6), 1);
        input[mixed] = ursa_clone(mixed ? ursa_cast(x, half) : x);
        for (ursa_tensor **leaf = (ursa_tensor *[]){w[mixed], bias[mixed], input[mixed], NULL}; *leaf; leaf++)
            ursa_requires_grad(*leaf, true);
        y[mixed] = run(input[mixed], w[mixed], bias[mixed]);
        assert_int_equal(ursa_dtype_of(y[mixed]), mixed ? half : URSA_F32);
        dy = mixed ? dy : ursa_cast(ursa_cast(ursa_normal(ursa_dims_of(y[0])), half), URSA_F32);
        assert_true(ursa_backward_from(y[mixed], ursa_cast(dy, mixed ? half : URSA_F32)));
    }
    assert_int_equal(ursa_dtype_of(ursa_grad(w[1])), URSA_F32);
    assert_int_equal(ursa_dtype_of(ursa_grad(bias[1])), URSA_F32);
    assert_int_equal(ursa_dtype_of(ursa_grad(input[1])), half);
    /* Up to four layers behind one another: a rounding of the weight and of the result each, terms of mixed signs. */
    assert_rounded(y[1], y[0], half, 8);
    assert_rounded(ursa_grad(input[1]), ursa_grad(input[0]), half, 8);
    assert_rounded(ursa_grad(w[1]), ursa_grad(w[0]), half, 8);
    assert_rounded(ursa_grad(bias[1]), ursa_grad(bias[0]), half, 8);
    ursa_scope_end(scope);
}

static void layers_take_the_type_of_their_activations(void **state)
{
    (void)state;
    layer *const layers[] = {conv, conv_transpose, linear, norm, norm_of_groups, pooled};
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++)
        for (int h = 0; h < 2; h++)
            check_layer(layers[i], halves[h]);
}

static void a_product_has_the_half_type_of_either_factor(void **state)
{
    (void)state;
    ursa_tensor *x = ursa_ones(ursa_shape(2, 3)), *y = ursa_ones(ursa_shape(3, 2));
    ursa_tensor *half = ursa_cast(y, URSA_BF16), *other = ursa_cast(x, URSA_F16);
    assert_int_equal(ursa_dtype_of(ursa_matmul(x, y)), URSA_F32);
    assert_int_equal(ursa_dtype_of(ursa_matmul(x, half)), URSA_BF16);
    assert_int_equal(ursa_dtype_of(ursa_matmul(other, y)), URSA_F16);
    assert_int_equal(ursa_dtype_of(ursa_matmul(other, half)), URSA_F32);
    assert_elements(ursa_matmul(other, half), 3, 3, 3, 3);
}

/* Sixty-five thousand ones are no f16, and 300 of them no bf16: the gradient to a bias is summed in f32. */
static void sums_to_f32_keep_what_they_have(void **state)
{
    (void)state;
    for (int h = 0; h < 2; h++) {
        ursa_tensor *x = ursa_ones(ursa_shape(70001, 1), .dtype = halves[h]), *w = weight(ursa_shape(1, 1), 1);
        ursa_tensor *bias = weight(ursa_shape(1), 1), *y = ursa_linear(x, w, bias);
        assert_true(ursa_backward_from(y, ursa_ones(ursa_dims_of(y), .dtype = halves[h])));
        assert_elements(ursa_grad(bias), 70001);
        assert_elements(ursa_grad(w), 70001);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layers_take_the_type_of_their_activations),
        cmocka_unit_test(a_product_has_the_half_type_of_either_factor),
        cmocka_unit_test(sums_to_f32_keep_what_they_have),
    };
    return run_unit_tests("mixed", tests);
}
