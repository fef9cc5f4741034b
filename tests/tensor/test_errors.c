/* What functions of tensors say about arguments that do not fit. */
#include "helpers.h"
#include <string.h>

static ursa_tensor *image(void)
{
    return count_up(ursa_shape(1, 4, 4, 3), 0);
}

static ursa_tensor *matrix(int64_t rows, int64_t columns)
{
    return count_up(ursa_shape(rows, columns), 0);
}

static ursa_tensor *whole(int64_t count)
{
    return ursa_cast(count_up(ursa_shape(count), 0), URSA_I64);
}

/* EXPECT(call, kind, message): the call gives NULL and this error. */
#define EXPECT(call, kind, message)                                                                                    \
    do {                                                                                                               \
        assert_null(call);                                                                                             \
        assert_int_equal(ursa_error_kind_of(), URSA_ERROR_##kind);                                                     \
        assert_error(message);                                                                                         \
    } while (0)

static void elementwise(void **state)
{
    (void)state;
    EXPECT(ursa_add(matrix(2, 3), matrix(2, 4)), SHAPE, "add: shapes [2, 3] and [2, 4] do not broadcast");
    EXPECT(ursa_lt(matrix(2, 3), matrix(3, 3)), SHAPE, "lt: shapes [2, 3] and [3, 3] do not broadcast");
    EXPECT(ursa_where(matrix(2, 2), matrix(2, 2), matrix(2, 2)), TYPE, "where: condition is f32, expected bool");
    EXPECT(ursa_dropout(matrix(2, 2), 1.5, NULL), ARGUMENT, "dropout: p is 1.5, expected 0 … 1");
    assert_null(ursa_activation_by_name("swoosh"));
    assert_error(
        "no activation \"swoosh\"; there are: binary_step, logistic, sigmoid, tanh, arctan, atan, relu, relu6, "
        "leaky_relu, elu, gelu, silu, mish, softplus, identity");
}

static void axes(void **state)
{
    (void)state;
    EXPECT(ursa_sum(matrix(2, 3), ursa_axes(2), false), ARGUMENT, "sum: axis 2 of x, which is [2, 3]");
    EXPECT(ursa_mean(matrix(2, 3), ursa_axes(0, -2), false), ARGUMENT, "mean: axis 0 is named twice");
    EXPECT(ursa_softmax(matrix(2, 3), -3), ARGUMENT, "softmax: axis -3 of x, which is [2, 3]");
    EXPECT(ursa_argmax(count_up(ursa_shape(0), 0), 0, false), SHAPE,
           "arg_reduce: x is [0], expected an element along axis 0");
    EXPECT(ursa_norm(matrix(2, 3), 3, ursa_axes(), false), ARGUMENT, "norm: p is 3, expected 1, 2 or INFINITY");
    ursa_tensor *values = matrix(1, 1);
    assert_false(ursa_topk(matrix(2, 3), 1, 4, true, &values, NULL));
    assert_null(values);
    assert_error("topk: k is 4, expected 0 … 3 as axis 1 of x");
}

static void shapes(void **state)
{
    (void)state;
    EXPECT(ursa_reshape(matrix(2, 3), ursa_shape(4, -1)), SHAPE, "reshape: [2, 3] does not become [4, -1]");
    EXPECT(ursa_reshape(matrix(2, 3), ursa_shape(7)), SHAPE, "reshape: [2, 3] does not become [7]");
    EXPECT(ursa_squeeze(matrix(2, 3), 0), SHAPE, "squeeze: axis 0 of x, which is [2, 3], expected an extent of 1");
    EXPECT(ursa_permute(matrix(2, 3), ursa_shape(0, 0)), ARGUMENT,
           "permute: the order [0, 0] is not one of the axes of x, which is [2, 3]");
    EXPECT(ursa_expand(matrix(2, 3), ursa_shape(3)), SHAPE, "expand: [2, 3] does not broadcast to [3]");
    EXPECT(ursa_slice(matrix(2, 3), 0, 0, 2, 0), ARGUMENT, "slice: a step of 0, expected 1 or more");
    EXPECT(ursa_select(matrix(2, 3), 0, 2), ARGUMENT, "select: index 2 of axis 0 of x, which is [2, 3]");
    EXPECT(ursa_pad(matrix(2, 3), ursa_shape(0, 3), ursa_shape(0, 0), URSA_PAD_MODE_REFLECT, 0), SHAPE,
           "pad: borders of 3 and 0 on axis 1 of 3 elements, expected at most 2");
    EXPECT(ursa_pixel_shuffle(image(), 2), SHAPE,
           "pixel_shuffle: x is [1, 4, 4, 3], expected [N, H, W, C] with C a multiple of 2²");
    ursa_tensor *part[1];
    assert_int_equal(ursa_split(matrix(2, 3), 1, 2, part, 1), -1);
    assert_error("split: parts of 2 of axis 1 of x, which is [2, 3], into 1 places");
}

static void products(void **state)
{
    (void)state;
    EXPECT(ursa_matmul(matrix(2, 3), matrix(2, 3)), SHAPE, "matmul: x [2, 3] has 3 columns, y [2, 3] has 2 rows");
    EXPECT(ursa_matmul(matrix(2, 3), count_up(ursa_shape(), 0)), SHAPE,
           "matmul: y is a scalar, expected a vector or a matrix");
    EXPECT(ursa_linear(matrix(2, 3), matrix(4, 2), NULL), SHAPE,
           "linear: w is [4, 2], expected [outputs, inputs] for x, which is [2, 3]");
    EXPECT(ursa_linear(matrix(2, 3), matrix(4, 3), matrix(1, 4)), SHAPE,
           "linear: bias is [1, 4], expected [4] as w, which is [4, 3]");
    ursa_tensor *w = count_up(ursa_shape(2, 3, 3, 4), 0);
    EXPECT(ursa_conv2d(image(), w), SHAPE,
           "conv2d: w is [2, 3, 3, 4], expected [O, KH, KW, 3 / 1] with O a multiple of the 1 groups, as x is "
           "[1, 4, 4, 3]");
    EXPECT(ursa_conv2d(matrix(2, 2), w), SHAPE, "conv2d: x is [2, 2], expected [N, H, W, C]");
    EXPECT(ursa_conv2d(image(), count_up(ursa_shape(2, 5, 1, 3), 0)), SHAPE,
           "conv2d: the kernel spans 5 pixels, x [1, 4, 4, 3] with padding 0 has fewer");
    EXPECT(ursa_conv2d(image(), count_up(ursa_shape(2, 1, 1, 3), 0), .stride = {-1, 1}), ARGUMENT,
           "conv2d: stride -1, dilation 1, padding 0; expected 1, 1 and 0 or more");
    EXPECT(ursa_max_pool2d(image(), 2, 2, .padding = {2, 0}), ARGUMENT,
           "max_pool2d: window 2, stride 2, padding 2; expected 1 or more, and padding below the window");
    EXPECT(ursa_group_norm(image(), 2, NULL, NULL, 1e-5), ARGUMENT,
           "group_norm: 2 groups, expected a divisor of the 3 channels");
    EXPECT(ursa_batch_norm(image(), matrix(1, 3), NULL, NULL, NULL, true, 0.1, 1e-5), SHAPE,
           "batch_norm: scale is [1, 3], expected [3] as x, which is [1, 4, 4, 3]");
    EXPECT(ursa_batch_norm(image(), NULL, NULL, NULL, NULL, false, 0.1, 1e-5), ARGUMENT,
           "batch_norm: running_mean and running_var are needed in inference");
}

static void indices(void **state)
{
    (void)state;
    EXPECT(ursa_take(matrix(2, 3), 0, count_up(ursa_shape(2), 0)), TYPE,
           "take: index is f32, expected an integer type");
    EXPECT(ursa_gather(matrix(2, 3), 0, whole(2)), SHAPE,
           "gather: index is [2], expected the extents of x, which is [2, 3], but for axis 0");
    ursa_tensor *outside =
        ursa_from(INTEGERS(0, 5), ursa_shape(2), .dtype = URSA_I64, .device = ursa_device_open("cpu"));
    assert_null(ursa_take(matrix(2, 3), 0, outside));
    assert_non_null(ursa_error());
    ursa_clear_error();
    assert_null(ursa_cross_entropy(matrix(2, 3), outside));
    assert_non_null(ursa_error());
    ursa_clear_error();
    EXPECT(ursa_cross_entropy(matrix(2, 3), whole(3)), SHAPE,
           "cross_entropy: classes is [3], expected [2] for logits of [2, 3]");
    EXPECT(ursa_cross_entropy(matrix(2, 3), count_up(ursa_shape(2), 0)), TYPE,
           "cross_entropy: classes is f32, expected an integer type");
    EXPECT(ursa_mse(matrix(2, 3), matrix(3, 2)), SHAPE, "mse: target is [3, 2], expected [2, 3] as x");
    EXPECT(ursa_mse(matrix(2, 3), ursa_requires_grad(matrix(2, 3), true)), ARGUMENT,
           "mse: the target requires a gradient, which losses do not give; detach it");
    EXPECT(ursa_grid_sample(image(), matrix(2, 2), URSA_BILINEAR, URSA_ZEROS, false), SHAPE,
           "grid_sample: grid is [2, 2], expected [1, rows, columns, 2]");
    EXPECT(ursa_resize2d(image(), 0, 4, URSA_NEAREST, false), ARGUMENT,
           "resize2d: to 0 × 4, expected 1 or more of both");
}

static void memory(void **state)
{
    (void)state;
    ursa_tensor *x = ursa_expand(count_up(ursa_shape(), 1), ursa_shape(1 << 20, 1 << 20, 64));
    assert_null(ursa_exp(x));
    assert_int_equal(ursa_error_kind_of(), URSA_ERROR_MEMORY);
    assert_non_null(
        strstr(ursa_error(), "cpu is out of memory: wanted 268435456.0 MiB for f32 [1048576, 1048576, 64], with "));
    ursa_clear_error();
    assert_elements(ursa_exp(count_up(ursa_shape(1), 0)), 1); /* nothing is broken */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elementwise), cmocka_unit_test(axes),    cmocka_unit_test(shapes),
        cmocka_unit_test(products),    cmocka_unit_test(indices), cmocka_unit_test(memory),
    };
    return run_unit_tests("errors", tests);
}
