/* test_functions.c — every layer, activation and loss, with its gradients,
 * against PyTorch's values. A case is one line: its name in the fixtures and
 * the expression that computes it. */
#include "golden.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* The inputs that the running case asked for. */
static struct {
    const char *name;
    char inputs[8][8];
    ursa_tensor *leaves[8];
    int count;
} running;

static ursa_tensor *in(const char *input)
{
    char name[80];
    snprintf(name, sizeof name, "%s.%s", running.name, input);
    ursa_tensor *tensor = fixture(name);
    if (ursa_dtype_of(tensor) != URSA_F32)
        return tensor;
    assert_true(running.count < 8);
    snprintf(running.inputs[running.count], sizeof *running.inputs, "%s", input);
    return running.leaves[running.count++] = ursa_requires_grad(tensor, true);
}

/* A module with these parameters in the place of its own, so that modules go
 * the same way as functions. */
static ursa_tensor *through(ursa_module *module, ursa_tensor *x)
{
    ursa_tensor *y = ursa_forward(module, x);
    ursa_module_free(module);
    return y;
}

static ursa_tensor *batch_norm(void)
{
    ursa_tensor *mean = ursa_zeros(ursa_shape(6)), *var = ursa_ones(ursa_shape(6));
    ursa_tensor *y = ursa_batch_norm(in("x"), in("w"), in("b"), mean, var, true, 0.1, 1e-5);
    assert_close("batch_norm.running_mean", mean);
    assert_close("batch_norm.running_var", var);
    return y;
}

#define CONV(...)             ursa_conv2d(in("x"), in("w"), __VA_ARGS__)
#define TRANSPOSED(...)       ursa_conv_transpose2d(in("x"), in("w"), __VA_ARGS__)
#define GRID(border, corners) ursa_grid_sample(in("x"), in("g"), URSA_BILINEAR, border, corners)
#define CE(...)               ursa_cross_entropy(in("x"), in("c"), __VA_ARGS__)
#define WEIGHT                fixture("loss.weight")
#define TARGET                fixture("loss.target")
#define HITS                  fixture("loss.hits")
#define PADS(...)             in("x"), ursa_shape(0, 1, 2, 0), ursa_shape(0, 3, 1, 0), __VA_ARGS__, 0

/* CASE(name, expression) */
#define CASES                                                                                                          \
    CASE(linear, ursa_linear(in("x"), in("w"), in("b")))                                                               \
    CASE(linear_deep, ursa_linear(in("x"), in("w"), NULL))                                                             \
    CASE(matmul_batched, ursa_matmul(in("x"), in("w")))                                                                \
    CASE(conv, CONV(.bias = in("b"), .padding = {1, 1}))                                                               \
    CASE(conv_stride, CONV(.bias = in("b"), .stride = {2, 2}, .padding = {3, 3}))                                      \
    CASE(conv_dilated, CONV(.bias = in("b"), .stride = {2, 1}, .padding = {2, 1}, .dilation = {2, 3}))                 \
    CASE(conv_groups, CONV(.bias = in("b"), .padding = {1, 1}, .groups = 3))                                           \
    CASE(conv_depthwise, CONV(.bias = in("b"), .padding = {1, 1}, .stride = {2, 2}, .groups = 5))                      \
    CASE(conv_1x1, CONV(.groups = 1))                                                                                  \
    CASE(conv_transpose, TRANSPOSED(.bias = in("b"), .stride = {2, 2}, .padding = {1, 1}, .output_padding = {1, 1}))   \
    CASE(conv_transpose_groups, TRANSPOSED(.bias = in("b"), .stride = {3, 3}, .dilation = {2, 2}, .groups = 2))        \
    CASE(batch_norm, batch_norm())                                                                                     \
    CASE(batch_norm_eval, ursa_batch_norm(in("x"), in("w"), in("b"), fixture("batch_norm_eval.mean"),                  \
                                          fixture("batch_norm_eval.var"), false, 0.1, 1e-5))                           \
    CASE(layer_norm, ursa_layer_norm(in("x"), in("w"), in("b"), 1e-5))                                                 \
    CASE(group_norm, ursa_group_norm(in("x"), 3, in("w"), in("b"), 1e-5))                                              \
    CASE(embedding, ursa_embedding(in("w"), in("i")))                                                                  \
    CASE(max_pool, through(ursa_nn_max_pool2d(3, .stride = {2, 2}, .padding = {1, 1}), in("x")))                       \
    CASE(max_pool_ceil, ursa_max_pool2d(in("x"), 2, 2, .ceil = true))                                                  \
    CASE(avg_pool, through(ursa_nn_avg_pool2d(3, .stride = {2, 2}, .padding = {1, 1}), in("x")))                       \
    CASE(avg_pool_exclude,                                                                                             \
         ursa_avg_pool2d(in("x"), 3, 2, .stride = {2, 1}, .padding = {1, 0}, .ceil = true, .exclude_padding = true))   \
    CASE(adaptive_avg_pool, through(ursa_nn_adaptive_avg_pool2d(3, 2), in("x")))                                       \
    CASE(adaptive_max_pool, through(ursa_nn_adaptive_max_pool2d(3, 4), in("x")))                                       \
    CASE(adaptive_concat_pool, through(ursa_nn_adaptive_concat_pool2d(2, 2), in("x")))                                 \
    CASE(sigmoid, ursa_sigmoid(in("x")))                                                                               \
    CASE(log_sigmoid, ursa_log_sigmoid(in("x")))                                                                       \
    CASE(tanh, ursa_tanh(in("x")))                                                                                     \
    CASE(atan, through(ursa_nn_activation("arctan"), in("x")))                                                         \
    CASE(relu, through(ursa_nn_activation("relu"), in("x")))                                                           \
    CASE(leaky_relu, ursa_leaky_relu(in("x"), 0.2))                                                                    \
    CASE(elu, ursa_elu(in("x"), 1.3))                                                                                  \
    CASE(gelu, through(ursa_nn_activation("gelu"), in("x")))                                                           \
    CASE(gelu_tanh, ursa_gelu_tanh(in("x")))                                                                           \
    CASE(silu, through(ursa_nn_activation("silu"), in("x")))                                                           \
    CASE(mish, through(ursa_nn_activation("mish"), in("x")))                                                           \
    CASE(softplus, ursa_softplus(in("x"), 2, 15))                                                                      \
    CASE(hard_sigmoid, ursa_hard_sigmoid(in("x")))                                                                     \
    CASE(hard_swish, ursa_hard_swish(in("x")))                                                                         \
    CASE(clamp, ursa_clamp(in("x"), -1, 2))                                                                            \
    CASE(erf, ursa_erf(in("x")))                                                                                       \
    CASE(softmax, ursa_softmax(in("x"), -1))                                                                           \
    CASE(softmax_axis, ursa_softmax(in("x"), 1))                                                                       \
    CASE(log_softmax, ursa_log_softmax(in("x"), -1))                                                                   \
    CASE(var, ursa_var(in("x"), ursa_axes(0, 2), 1, false))                                                            \
    CASE(std, ursa_std(in("x"), ursa_axes(1), 0, false))                                                               \
    CASE(norm, ursa_norm(in("x"), 2, ursa_axes(1, 2), false))                                                          \
    CASE(cumsum, ursa_cumsum(in("x"), 1))                                                                              \
    CASE(pixel_shuffle, ursa_pixel_shuffle(in("x"), 2))                                                                \
    CASE(pad_reflect, ursa_pad(PADS(URSA_PAD_MODE_REFLECT)))                                                           \
    CASE(pad_replicate, ursa_pad(PADS(URSA_PAD_MODE_REPLICATE)))                                                       \
    CASE(resize_nearest, ursa_resize2d(in("x"), 9, 4, URSA_NEAREST, false))                                            \
    CASE(resize_bilinear, ursa_resize2d(in("x"), 9, 4, URSA_BILINEAR, false))                                          \
    CASE(resize_bicubic, ursa_resize2d(in("x"), 9, 4, URSA_BICUBIC, false))                                            \
    CASE(resize_bilinear_corners, ursa_resize2d(in("x"), 9, 4, URSA_BILINEAR, true))                                   \
    CASE(resize_bicubic_corners, ursa_resize2d(in("x"), 9, 4, URSA_BICUBIC, true))                                     \
    CASE(grid_zeros, GRID(URSA_ZEROS, false))                                                                          \
    CASE(grid_zeros_corners, GRID(URSA_ZEROS, true))                                                                   \
    CASE(grid_border, GRID(URSA_BORDER, false))                                                                        \
    CASE(grid_border_corners, GRID(URSA_BORDER, true))                                                                 \
    CASE(grid_reflection, GRID(URSA_REFLECTION, false))                                                                \
    CASE(grid_reflection_corners, GRID(URSA_REFLECTION, true))                                                         \
    CASE(ce, ursa_cross_entropy(in("x"), in("c")))                                                                     \
    CASE(ce_sum, CE(.reduction = URSA_SUM))                                                                            \
    CASE(ce_each, CE(.reduction = URSA_EACH))                                                                          \
    CASE(ce_smooth, CE(.smoothing = 0.1))                                                                              \
    CASE(ce_weight, CE(.weight = WEIGHT))                                                                              \
    CASE(ce_weight_smooth, CE(.weight = WEIGHT, .smoothing = 0.2))                                                     \
    CASE(bce, ursa_bce_logits(in("x"), HITS))                                                                          \
    CASE(bce_positive, ursa_bce_logits(in("x"), HITS, .positive_weight = 3))                                           \
    CASE(mse, ursa_mse(in("x"), TARGET))                                                                               \
    CASE(mse_sum, ursa_mse(in("x"), TARGET, .reduction = URSA_SUM))                                                    \
    CASE(l1, ursa_l1(in("x"), TARGET))                                                                                 \
    CASE(smooth_l1, ursa_smooth_l1(in("x"), TARGET, .beta = 0.7))                                                      \
    CASE(huber, ursa_huber(in("x"), TARGET, .beta = 0.7))                                                              \
    CASE(focal, ursa_focal(in("x"), HITS, .alpha = 0.25, .gamma = 2))

typedef ursa_tensor *expression(void);

static void check(const char *name, expression *compute)
{
    char key[80];
    ursa_scope *scope = ursa_scope_begin();
    memset(&running, 0, sizeof running);
    running.name = name;
    ursa_tensor *y = compute();
    snprintf(key, sizeof key, "%s.y", name);
    assert_close(key, y);
    snprintf(key, sizeof key, "%s.dy", name);
    assert_true(ursa_backward_from(y, fixture(key)));
    for (int i = 0; i < running.count; i++) {
        snprintf(key, sizeof key, "%s.grad.%s", name, running.inputs[i]);
        assert_close(key, ursa_grad(running.leaves[i]));
    }
    ursa_scope_end(scope);
}

#define CASE(name, code)                                                                                               \
    static ursa_tensor *compute_##name(void)                                                                           \
    {                                                                                                                  \
        return code;                                                                                                   \
    }                                                                                                                  \
    static void test_##name(void **state)                                                                              \
    {                                                                                                                  \
        (void)state;                                                                                                   \
        check(#name, compute_##name);                                                                                  \
    }
CASES
#undef CASE

int main(void)
{
    const struct CMUnitTest tests[] = {
#define CASE(name, code) cmocka_unit_test(test_##name),
        CASES
#undef CASE
    };
    return run_unit_tests("golden functions", tests);
}
