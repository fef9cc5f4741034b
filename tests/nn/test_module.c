/* test_module.c — the tree of modules: names, numbers, modes, and makers that fail. */
#include "../unit.h"

#include <ursa/ursa.h>

#include <math.h>
#include <string.h>

/* Figures of torchvision's models; buffers are not counted. */
static void test_architectures(void **state)
{
    (void)state;
    const struct {
        ursa_module *(*make)(int, int);
        int64_t numbers;
    } models[] = {{ursa_resnet18, 11689512}, {ursa_resnet34, 21797672}, {ursa_resnet50, 25557032}};
    for (int i = 0; i < 3; i++) {
        ursa_module *model = models[i].make(3, 1000);
        assert_int_equal(ursa_parameter_count(model), models[i].numbers);
        ursa_module_free(model);
    }
    ursa_module *small = ursa_small_resnet(1, 10);
    assert_true(ursa_parameter_count(small) > 290000 && ursa_parameter_count(small) < 310000);
    ursa_module_free(small);
}

static void test_names(void **state)
{
    (void)state;
    ursa_module *model = ursa_resnet18(3, 10);
    const char *const names[] = {"conv1.weight",
                                 "bn1.running_var",
                                 "layer1.0.conv1.weight",
                                 "layer2.0.downsample.0.weight",
                                 "layer2.0.downsample.1.bias",
                                 "layer4.1.bn2.running_mean",
                                 "fc.weight",
                                 "fc.bias"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!ursa_find_parameter(model, names[i]))
            fail_msg("there is no %s", names[i]);
    assert_null(ursa_find_parameter(model, "layer1.0.downsample.0.weight"));
    const ursa_parameter *list;
    assert_int_equal(ursa_parameters(model, &list), 102);
    for (int i = 0; i < 102; i++)
        assert_int_equal(list[i].is_buffer, strstr(list[i].name, "running") != NULL);
    ursa_module_free(model);
}

static void test_modes(void **state)
{
    (void)state;
    ursa_module *model = ursa_nn_sequential(ursa_nn_dropout(0.5), ursa_nn_flatten());
    ursa_tensor *x = ursa_ones(ursa_shape(4, 5, 5));
    float values[100];
    assert_true(ursa_read(ursa_forward(model, x), URSA_F32, values, 100));
    int zeros = 0;
    for (int i = 0; i < 100; i++) {
        assert_true(values[i] == 0 || values[i] == 2);
        zeros += values[i] == 0;
    }
    assert_true(zeros > 25 && zeros < 75);
    ursa_train_mode(model, false);
    assert_true(ursa_item(ursa_sum(ursa_forward(model, x), ursa_axes(), false)) == 100);
    ursa_module_free(model);
}

static void test_makers_that_fail(void **state)
{
    (void)state;
    assert_null(ursa_nn_sequential(ursa_nn_linear(3, 4), ursa_nn_linear(0, 4), ursa_nn_dropout(0.5)));
    assert_string_equal(ursa_error(), "linear: 0 features in and 4 out; both must be 1 or more");
    ursa_clear_error();
    assert_null(ursa_nn_residual(ursa_nn_identity(), ursa_nn_conv2d(3, 4, 0), NULL));
    assert_string_equal(ursa_error(), "conv2d: a kernel of 0×0; both must be 1 or more");
    ursa_clear_error();
    assert_null(ursa_nn_conv2d(3, 4, 3, .groups = 2));
    assert_string_equal(ursa_error(), "conv2d: 2 groups do not divide 3 channels in and 4 out");
    ursa_clear_error();
    assert_null(ursa_nn_dropout(1));
    ursa_clear_error();
}

static void test_cut(void **state)
{
    (void)state;
    ursa_module *model = ursa_nn_sequential(ursa_nn_linear(3, 4), ursa_nn_activation("relu"), ursa_nn_linear(4, 2));
    const ursa_parameter *list;
    assert_int_equal(ursa_parameters(model, &list), 4);
    assert_ptr_equal(ursa_nn_cut(model, 2), model);
    assert_int_equal(ursa_children(model), 2);
    assert_int_equal(ursa_parameters(model, &list), 2);
    assert_null(ursa_nn_cut(model, 3));
    assert_string_equal(ursa_error(), "cut: there are 2 children; 3 of them cannot be kept");
    ursa_clear_error();
    ursa_module_free(model);
}

/* Side by side, in the order of the children. */
static void test_concat(void **state)
{
    (void)state;
    ursa_module *model = ursa_nn_concat(ursa_nn_identity(), ursa_nn_activation("relu"));
    ursa_tensor *y = ursa_forward(model, ursa_from(((float[]){-1, 2}), ursa_shape(1, 2)));
    float found[4];
    assert_true(ursa_read(y, URSA_F32, found, 4));
    assert_memory_equal(found, ((float[]){-1, 2, 0, 2}), sizeof found);
    ursa_module_free(model);
}

/* Channels first: [N, H, W, C] in the order of [N, C, H, W]. */
static void test_flatten_channels_first(void **state)
{
    (void)state;
    ursa_module *model = ursa_nn_flatten_channels_first();
    ursa_tensor *y = ursa_forward(model, ursa_reshape(ursa_arange(12), ursa_shape(1, 2, 2, 3)));
    float found[12];
    assert_int_equal(ursa_ndim(y), 2);
    assert_true(ursa_read(y, URSA_F32, found, 12));
    assert_memory_equal(found, ((float[]){0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11}), sizeof found);
    ursa_module_free(model);
}

/* Whole items are zero, or scaled; about a share p of them. */
static void test_drop_path(void **state)
{
    (void)state;
    ursa_module *model = ursa_nn_drop_path(0.25);
    ursa_tensor *x = ursa_ones(ursa_shape(400, 2, 3));
    float found[2400];
    assert_true(ursa_read(ursa_forward(model, x), URSA_F32, found, 2400));
    int zeros = 0;
    for (int item = 0; item < 400; item++) {
        zeros += found[6 * item] == 0;
        for (int i = 0; i < 6; i++)
            assert_true(found[6 * item + i] == found[6 * item] &&
                        (found[6 * item] == 0 || fabsf(found[6 * item] - 4 / 3.f) < 1e-6f));
    }
    /* 100 expected; the deviation is 8.7. */
    assert_true(zeros > 56 && zeros < 144);
    ursa_train_mode(model, false);
    assert_ptr_equal(ursa_forward(model, x), x);
    ursa_module_free(model);
}

static void test_descriptions(void **state)
{
    (void)state;
    ursa_module *conv = ursa_nn_conv2d(3, 64, 7, .stride = {2, 2}, .padding = {3, 3}, .no_bias = true);
    assert_string_equal(ursa_module_describe(conv), "conv2d(3 → 64, 7×7, stride 2, padding 3, no bias)");
    ursa_module_free(conv);
}

/* Mean and deviation of many numbers, against what the method promises. */
static void assert_init(ursa_init how, double a, double deviation)
{
    ursa_scope *scope = ursa_scope_begin();
    ursa_tensor *weight = ursa_empty(ursa_shape(64, 3, 3, 32));
    double count = 64 * 9 * 32;
    assert_true(ursa_init_(weight, how, a));
    double mean = ursa_item(ursa_mean(weight, ursa_axes(), false)),
           std = ursa_item(ursa_std(weight, ursa_axes(), 0, false));
    assert_true(fabs(mean) < 5 * deviation / sqrt(count));
    assert_true(fabs(std / deviation - 1) < 5 / sqrt(count));
    ursa_scope_end(scope);
}

static void test_initialisation(void **state)
{
    (void)state;
    double in = 9 * 32, out = 9 * 64;
    assert_init(URSA_INIT_KAIMING_UNIFORM, sqrt(5), sqrt(1 / (3 * in)));
    assert_init(URSA_INIT_KAIMING_NORMAL, 0, sqrt(2 / in));
    assert_init(URSA_INIT_KAIMING_NORMAL_FAN_OUT, 0, sqrt(2 / out));
    assert_init(URSA_INIT_XAVIER_UNIFORM, 0, sqrt(2 / (in + out)));
    assert_init(URSA_INIT_XAVIER_NORMAL, 3, 3 * sqrt(2 / (in + out)));
}

static void test_seeds(void **state)
{
    (void)state;
    float first[12], again[12];
    for (int i = 0; i < 2; i++) {
        ursa_set_seed(3);
        ursa_module *linear = ursa_nn_linear(4, 3);
        assert_true(ursa_read(ursa_find_parameter(linear, "weight"), URSA_F32, i ? again : first, 12));
        ursa_module_free(linear);
    }
    assert_memory_equal(first, again, sizeof first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_architectures), cmocka_unit_test(test_names),
        cmocka_unit_test(test_modes),         cmocka_unit_test(test_makers_that_fail),
        cmocka_unit_test(test_descriptions),  cmocka_unit_test(test_initialisation),
        cmocka_unit_test(test_seeds),         cmocka_unit_test(test_cut),
        cmocka_unit_test(test_concat),        cmocka_unit_test(test_flatten_channels_first),
        cmocka_unit_test(test_drop_path),
    };
    return run_unit_tests("nn", tests);
}
