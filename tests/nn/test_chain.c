/* test_chain.c — modules that are computed together give the same numbers as one
 * after the other, in inference to the bit, and let go of what lies between.
 */
#include "../unit.h"

#include <ursa/ursa.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

static ursa_module *block(int in, int out, bool named, const char *activation)
{
    ursa_module *shortcut = in == out ? NULL : ursa_nn_sequential(ursa_nn_conv2d(in, out, 1), ursa_nn_batch_norm(out));
    ursa_module *body = ursa_nn_sequential(ursa_nn_conv2d(in, out, 3, .padding = {1, 1}), ursa_nn_batch_norm(out),
                                           ursa_nn_activation("relu6"), ursa_nn_conv2d(out, out, 3, .padding = {1, 1}),
                                           ursa_nn_batch_norm(out));
    return ursa_nn_residual(named ? ursa_named("body", body) : body, shortcut, activation);
}

/* Every kind of neighbours there is. */
static ursa_module *network(void)
{
    return ursa_nn_sequential(ursa_nn_identity(), ursa_nn_conv2d(3, 8, 3), ursa_nn_batch_norm(8),
                              ursa_nn_activation("relu"), ursa_nn_dropout(0.25), block(8, 8, false, "relu"),
                              block(8, 12, true, "relu"), block(12, 12, false, NULL), block(12, 12, true, "tanh"),
                              ursa_nn_batch_norm(12), ursa_nn_activation("tanh"), ursa_nn_batch_norm(12),
                              ursa_nn_activation("relu6"), ursa_nn_adaptive_avg_pool2d(1, 1), ursa_nn_flatten(),
                              ursa_nn_linear(12, 5), ursa_nn_batch_norm(5));
}

static ursa_module *conv_and_norm(void)
{
    return ursa_nn_sequential(ursa_nn_conv2d(3, 8, 3), ursa_nn_batch_norm(8), ursa_nn_adaptive_avg_pool2d(3, 2),
                              ursa_nn_flatten(), ursa_nn_linear(48, 5));
}

static void look_on(void *context, ursa_module *module, ursa_tensor *y)
{
    (void)module;
    (void)y;
    ++*(int *)context;
}

enum { MOST = 1 << 17 };

struct outcome {
    float values[MOST];
    int64_t count;
    uint64_t peak;
};

static void note(struct outcome *outcome, const ursa_tensor *tensor)
{
    int64_t count = ursa_count(tensor);
    assert_true(count >= 0 && outcome->count + count <= MOST);
    assert_true(ursa_read(tensor, URSA_F32, outcome->values + outcome->count, count));
    outcome->count += count;
}

/* The output, the gradients of x and all parameters, and the buffers. */
static struct outcome *run(ursa_module *make(void), bool training, bool watched, ursa_dtype dtype)
{
    struct outcome *outcome = calloc(1, sizeof *outcome);
    assert_non_null(outcome);
    int seen = 0;
    ursa_set_seed(5);
    ursa_module *model = make();
    ursa_train_mode(model, training);
    ursa_scope *scope = ursa_scope_begin();
    ursa_tensor *x = ursa_requires_grad(ursa_normal(ursa_shape(6, 9, 9, 3)), true);
    ursa_tensor *weights = ursa_normal(ursa_shape(6, 5));
    ursa_device_reset_peak(ursa_default_device());
    ursa_watch_forward(watched ? look_on : NULL, &seen);
    ursa_tensor *y = ursa_cast(ursa_forward(model, ursa_cast(x, dtype)), URSA_F32);
    ursa_watch_forward(NULL, NULL);
    assert_int_equal(seen > 0, watched);
    assert_true(ursa_backward(ursa_sum(ursa_mul(y, weights), ursa_axes(), false)));
    outcome->peak = ursa_device_memory(ursa_default_device()).peak;
    note(outcome, y);
    note(outcome, ursa_grad(x));
    const ursa_parameter *list;
    int count = ursa_parameters(model, &list);
    for (int i = 0; i < count; i++)
        note(outcome, list[i].is_buffer ? list[i].tensor : ursa_grad(list[i].tensor));
    ursa_scope_end(scope);
    ursa_module_free(model);
    return outcome;
}

/* `bound`: how far apart two numbers may be, beside 1 and the second of them. */
static void assert_near(const struct outcome *together, const struct outcome *apart, double bound)
{
    assert_int_equal(together->count, apart->count);
    for (int64_t i = 0; i < apart->count; i++) {
        double one = (double)together->values[i], other = (double)apart->values[i]; /* zeros may differ in sign */
        if (!(fabs(one - other) <= bound * (1 + fabs(other))))
            fail_msg("number %lld is %.9g together, %.9g apart", (long long)i, one, other);
    }
}

static void assert_same(bool training, double bound)
{
    struct outcome *together = run(network, training, false, URSA_F32), *apart = run(network, training, true, URSA_F32);
    assert_near(together, apart, bound);
    assert_true(together->peak < apart->peak);
    free(together);
    free(apart);
}

/* The statistics of a batch norm behind a convolution are summed in other parts: they differ in their last place or
 * two, 1e-7, which a dozen normalisations pass on. */
static void test_training(void **state)
{
    (void)state;
    assert_same(true, 1e-4);
}

/* Of half types nothing but the statistics is computed otherwise here: an activation may be rounded to its other
 * neighbour. */
static void test_half_types(void **state)
{
    (void)state;
    struct outcome *together = run(conv_and_norm, true, false, URSA_F16);
    struct outcome *apart = run(conv_and_norm, true, true, URSA_F16);
    assert_near(together, apart, 0x1p-9);
    free(together);
    free(apart);
}

static void test_inference(void **state)
{
    (void)state;
    assert_same(false, 0);
}

static void read_forward(ursa_module *model, ursa_tensor *x, float *out, int64_t count)
{
    ursa_scope *scope = ursa_scope_begin();
    assert_true(ursa_read(ursa_forward(model, x), URSA_F32, out, count));
    ursa_scope_end(scope);
}

/* Weights that a batch norm was folded into follow what they were made of. Numbers differ by rounding: sums of a few
 * dozen products of numbers near 1. */
static void test_folding(void **state)
{
    (void)state;
    enum { COUNT = 6 * 5 };
    ursa_set_seed(9);
    ursa_scope *scope = ursa_scope_begin();
    ursa_module *model = network();
    ursa_tensor *x = ursa_normal(ursa_shape(6, 9, 9, 3));
    int seen = 0;
    float together[COUNT], apart[COUNT], before[COUNT] = {0};
    for (int round = 0; round < 4; round++) {
        ursa_train_mode(model, true); /* moves the running statistics */
        for (int i = 0; i < 20 && round != 2; i++)
            read_forward(model, x, together, COUNT);
        ursa_train_mode(model, false);
        ursa_no_grad_begin();
        if (round == 2)
            assert_true(ursa_mul_(ursa_find_parameter(model, "5.1.weight"), ursa_full(ursa_shape(), 1.5)));
        for (int i = 0; i < 2; i++)
            read_forward(model, x, together, COUNT);
        ursa_watch_forward(look_on, &seen);
        read_forward(model, x, apart, COUNT);
        ursa_watch_forward(NULL, NULL);
        ursa_no_grad_end();
        double away = 0;
        for (int i = 0; i < COUNT; i++) {
            assert_float_equal(together[i], apart[i], 2e-5);
            away = fmax(away, fabs((double)together[i] - (double)before[i]));
        }
        assert_true(away > 1e-3);
        memcpy(before, together, sizeof before);
    }
    ursa_module_free(model);
    ursa_scope_end(scope);
}

/* What a child returned before, or was given, stays. */
static ursa_tensor *given;

static ursa_tensor *always_the_same(ursa_tensor *x)
{
    (void)x;
    return given;
}

static void test_what_is_not_its_own(void **state)
{
    (void)state;
    ursa_scope *scope = ursa_scope_begin();
    given = ursa_ones(ursa_shape(2, 3));
    ursa_tensor *x = ursa_zeros(ursa_shape(2, 3));
    ursa_module *model = ursa_nn_sequential(ursa_nn_identity(), ursa_nn_function("given", always_the_same),
                                            ursa_nn_identity(), ursa_nn_activation("tanh"), ursa_nn_flatten());
    ursa_tensor *y = ursa_forward(model, x);
    assert_true(ursa_item(ursa_sum(given, ursa_axes(), false)) == 6);
    assert_true(ursa_item(ursa_sum(x, ursa_axes(), false)) == 0);
    assert_true(ursa_item(ursa_sum(y, ursa_axes(), false)) > 4);
    ursa_module_free(model);
    ursa_scope_end(scope);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_training), cmocka_unit_test(test_half_types),          cmocka_unit_test(test_inference),
        cmocka_unit_test(test_folding),  cmocka_unit_test(test_what_is_not_its_own),
    };
    return run_unit_tests("nn_chain", tests);
}
