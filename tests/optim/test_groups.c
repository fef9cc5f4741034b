/* test_groups.c — parameter groups, what decays, and the state a checkpoint keeps. */
#include "../unit.h"

#include <ursa/ursa.h>

#include <math.h>
#include <string.h>

static ursa_module *network(void)
{
    return ursa_nn_sequential(ursa_nn_linear(3, 4), ursa_nn_batch_norm(4), ursa_nn_linear(4, 2));
}

static double element(ursa_module *module, const char *name)
{
    ursa_scope *scope = ursa_scope_begin();
    double value = ursa_item(ursa_select(ursa_reshape(ursa_find_parameter(module, name), ursa_shape(-1)), 0, 0));
    ursa_scope_end(scope);
    return value;
}

/* A gradient of one for every parameter. */
static void set_gradients(ursa_module *module)
{
    const ursa_parameter *list;
    int count = ursa_parameters(module, &list);
    for (int i = 0; i < count; i++)
        if (!list[i].is_buffer)
            assert_true(ursa_backward(ursa_sum(list[i].tensor, ursa_axes(), false)));
}

static void test_rates_of_groups(void **state)
{
    (void)state;
    ursa_scope *scope = ursa_scope_begin();
    ursa_module *model = network();
    ursa_optimizer *optimizer = ursa_sgd(model, .lr = 0.5);
    int head = ursa_optimizer_add_group(optimizer, ursa_child(model, 2));
    assert_int_equal(head, 1);
    assert_int_equal(ursa_optimizer_groups(optimizer), 2);
    assert_true(ursa_optimizer_set_lr(optimizer, 0, 0.25) && ursa_optimizer_set_lr(optimizer, head, 2));
    assert_true(ursa_optimizer_lr(optimizer, 0) == 0.25 && ursa_optimizer_lr(optimizer, 1) == 2);
    double body_before = element(model, "0.weight"), head_before = element(model, "2.weight");
    set_gradients(model);
    assert_true(ursa_optimizer_step(optimizer));
    assert_true(fabs(body_before - element(model, "0.weight") - 0.25) < 1e-6);
    assert_true(fabs(head_before - element(model, "2.weight") - 2) < 1e-6);
    assert_false(ursa_optimizer_set_lr(optimizer, 2, 1));
    assert_string_equal(ursa_error(), "optimizer: there is no group 2 among 2");
    ursa_clear_error();
    ursa_optimizer_free(optimizer);
    ursa_module_free(model);
    ursa_scope_end(scope);
}

/* A rate so that only the decay moves what does not see a gradient of its own. */
static void test_norms_and_biases_do_not_decay(void **state)
{
    (void)state;
    ursa_scope *scope = ursa_scope_begin();
    for (int all = 0; all < 2; all++) {
        ursa_module *model = network();
        ursa_optimizer *optimizer =
            ursa_sgd(model, .lr = 0.1, .weight_decay = 1, .true_decay = true, .decay_norms = all);
        double weight = element(model, "0.weight");
        set_gradients(model);
        assert_true(ursa_optimizer_step(optimizer));
        assert_true(fabs(element(model, "0.weight") - (weight * 0.9 - 0.1)) < 1e-6);
        assert_true(fabs(element(model, "1.weight") - (all ? 0.8 : 0.9)) < 1e-6);
        ursa_optimizer_free(optimizer);
        ursa_module_free(model);
    }
    ursa_scope_end(scope);
}

static void test_state(void **state)
{
    (void)state;
    ursa_module *model = network();
    ursa_optimizer *optimizer = ursa_adam(model);
    const ursa_optimizer_state *list;
    assert_int_equal(ursa_optimizer_states(optimizer, false, &list), 0);
    assert_int_equal(ursa_optimizer_states(optimizer, true, &list), 12);
    assert_string_equal(list[0].name, "0.weight.momentum");
    assert_string_equal(list[1].name, "0.weight.square");
    assert_int_equal(ursa_count(list[1].tensor), 12);
    assert_true(ursa_lookahead(optimizer, 5, 0.5));
    assert_int_equal(ursa_optimizer_states(optimizer, true, &list), 18);
    assert_string_equal(list[2].name, "0.weight.slow");
    assert_false(ursa_lookahead(optimizer, 0, 0.5));
    ursa_clear_error();
    ursa_optimizer_free(optimizer);
    ursa_module_free(model);
}

static void test_options_that_exclude_each_other(void **state)
{
    (void)state;
    ursa_module *model = network();
    assert_null(ursa_adam(model, .l2 = true, .true_decay = true));
    assert_string_equal(ursa_error(), "adam: l2 and true_decay exclude each other");
    ursa_clear_error();
    assert_null(ursa_sgd(model, .nesterov = true));
    ursa_clear_error();
    assert_null(ursa_adam(model, .beta1 = 1));
    ursa_clear_error();
    ursa_module_free(model);
}

static void test_clipping_without_gradients(void **state)
{
    (void)state;
    ursa_module *model = network();
    ursa_optimizer *optimizer = ursa_sgd(model);
    assert_null(ursa_clip_grad_norm(optimizer, 1));
    assert_non_null(strstr(ursa_error(), "no parameter has a gradient"));
    ursa_clear_error();
    assert_null(ursa_clip_grad_norm(optimizer, 0));
    ursa_clear_error();
    assert_false(ursa_clip_grad_value(optimizer, -1));
    ursa_clear_error();
    ursa_optimizer_free(optimizer);
    ursa_module_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rates_of_groups),
        cmocka_unit_test(test_norms_and_biases_do_not_decay),
        cmocka_unit_test(test_state),
        cmocka_unit_test(test_options_that_exclude_each_other),
        cmocka_unit_test(test_clipping_without_gradients),
    };
    return run_unit_tests("optim", tests);
}
