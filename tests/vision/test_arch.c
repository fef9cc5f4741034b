/* test_arch.c — the registry of networks: what it promises of each, bodies, heads,
 * and weights from files. */
#include "../unit.h"

#include <ursa/ursa.h>

#include <math.h>
#include <string.h>

/* The body of every network ends in the channels the registry says, and the
 * second group of parameters begins at one of its children. */
static void test_bodies(void **state)
{
    (void)state;
    for (int i = 0; i < ursa_arch_count(); i++) {
        const ursa_arch *arch = ursa_arch_at(i);
        assert_ptr_equal(ursa_arch_find(arch->name), arch);
        assert_ptr_equal(ursa_arch_of(arch->make), arch);
        if (!arch->cut)
            continue;
        ursa_scope *scope = ursa_scope_begin();
        ursa_module *body = ursa_arch_body(arch, 3, NULL);
        assert_int_equal(ursa_children(body), arch->cut);
        int found = 0;
        for (int child = 1; arch->split && child < ursa_children(body); child++)
            found += strcmp(ursa_module_name(ursa_child(body, child)), arch->split) == 0;
        if (found != (arch->split ? 1 : 0))
            fail_msg("%s: %d children named %s", arch->name, found, arch->split);
        ursa_train_mode(body, false);
        ursa_no_grad_begin();
        ursa_tensor *features = ursa_forward(body, ursa_zeros(ursa_shape(1, 64, 64, 3)));
        ursa_no_grad_end();
        if (ursa_dim(features, 3) != arch->features)
            fail_msg("%s: %lld features, expected %d", arch->name, (long long)ursa_dim(features, 3), arch->features);
        ursa_module_free(body);
        ursa_scope_end(scope);
    }
}

/* Figures of torchvision's models, where it has them; fastai's and the Python
 * package's for the others. */
static void test_parameters(void **state)
{
    (void)state;
    for (int i = 0; i < ursa_arch_count(); i++) {
        const ursa_arch *arch = ursa_arch_at(i);
        ursa_module *network = arch->make(3, 1000);
        if (ursa_parameter_count(network) != arch->parameters)
            fail_msg("%s: %lld parameters, expected %lld", arch->name, (long long)ursa_parameter_count(network),
                     (long long)arch->parameters);
        ursa_module_free(network);
    }
}

static ursa_module *unknown_maker(int channels, int classes)
{
    return ursa_nn_linear(channels, classes);
}

static void test_unknown(void **state)
{
    (void)state;
    assert_null(ursa_arch_find("resnet19"));
    assert_non_null(strstr(ursa_error(), "there is no \"resnet19\"; there are small-cnn, small-resnet, resnet18,"));
    ursa_clear_error();
    assert_null(ursa_arch_of(unknown_maker));
    assert_non_null(ursa_error());
    ursa_clear_error();
    assert_null(ursa_arch_body(ursa_arch_find("small-resnet"), 3, NULL));
    assert_string_equal(ursa_error(), "arch: small-resnet is not cut: it is used whole");
    ursa_clear_error();
}

/* fastai's create_head(512, 10). */
static void test_head(void **state)
{
    (void)state;
    const char *const kinds[] = {"adaptive_concat_pool2d",
                                 "function",
                                 "batch_norm",
                                 "dropout",
                                 "linear",
                                 "function",
                                 "batch_norm",
                                 "dropout",
                                 "linear"};
    ursa_module *head = ursa_create_head(512, 10);
    assert_int_equal(ursa_children(head), 9);
    for (int i = 0; i < 9; i++)
        assert_string_equal(ursa_module_kind(ursa_child(head, i)), kinds[i]);
    assert_string_equal(ursa_module_describe(ursa_child(head, 3)), "dropout(0.25)");
    assert_string_equal(ursa_module_describe(ursa_child(head, 4)), "linear(1024 → 512, no bias)");
    assert_string_equal(ursa_module_describe(ursa_child(head, 7)), "dropout(0.5)");
    assert_string_equal(ursa_module_describe(ursa_child(head, 8)), "linear(512 → 10, no bias)");
    ursa_scope *scope = ursa_scope_begin();
    assert_true(fabs(ursa_item(ursa_max(ursa_find_parameter(head, "2.bias"), ursa_axes(), false)) - 1e-3) < 1e-9);
    double std = ursa_item(ursa_std(ursa_find_parameter(head, "4.weight"), ursa_axes(), 0, false));
    assert_true(fabs(std / sqrt(2.0 / 1024) - 1) < 5 / sqrt(1024 * 512));
    ursa_scope_end(scope);
    ursa_module_free(head);

    head = ursa_create_head(8, 2, .dropout = -1, .hidden = {-1}, .no_concat_pool = true, .no_first_norm = true,
                            .final_norm = true, .y_range = {-1, 1});
    const char *const bare[] = {"adaptive_avg_pool2d", "function", "linear", "batch_norm", "sigmoid_range"};
    assert_int_equal(ursa_children(head), 5);
    for (int i = 0; i < 5; i++)
        assert_string_equal(ursa_module_kind(ursa_child(head, i)), bare[i]);
    assert_string_equal(ursa_module_describe(ursa_child(head, 2)), "linear(8 → 2)");
    ursa_train_mode(head, false);
    scope = ursa_scope_begin();
    ursa_tensor *y = ursa_forward(head, ursa_normal(ursa_shape(5, 3, 3, 8), .std = 100));
    assert_int_equal(ursa_dim(y, 1), 2);
    assert_true(ursa_item(ursa_max(ursa_abs(y), ursa_axes(), false)) <= 1);
    ursa_scope_end(scope);
    ursa_module_free(head);
}

static void test_model(void **state)
{
    (void)state;
    ursa_module *model = ursa_vision_model(ursa_arch_find("resnet18"), 3, 10);
    assert_int_equal(ursa_children(model), 2);
    assert_non_null(ursa_find_parameter(model, "body.layer4.1.conv2.weight"));
    assert_non_null(ursa_find_parameter(model, "head.8.weight"));
    assert_null(ursa_find_parameter(model, "body.fc.weight"));
    ursa_module_free(model);
    model = ursa_vision_model(ursa_arch_find("small-resnet"), 1, 10);
    assert_non_null(ursa_find_parameter(model, "fc.weight"));
    ursa_module_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bodies), cmocka_unit_test(test_parameters), cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_head),   cmocka_unit_test(test_model),
    };
    return run_unit_tests("arch", tests);
}
