/* test_arch.c — the registry of networks: what it promises of each, bodies, heads,
 * and weights from files. */
#include "../unit.h"

#include <ursa/ursa.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

/* ---- weights ------------------------------------------------------------------------ */

static char path[64];

static int make_path(void **state)
{
    (void)state;
    strcpy(path, "/tmp/ursa-test-XXXXXX");
    int file = mkstemp(path);
    return file < 0 ? -1 : close(file);
}

static int remove_path(void **state)
{
    (void)state;
    return unlink(path);
}

/* As torchvision's file of DenseNet-121 has it: "denselayer1.norm.1.weight". */
static void old_name(const char *name, char *text)
{
    const char *layer = strstr(name, "denselayer"), *digit = layer ? strpbrk(strchr(layer, '.'), "12") : NULL;
    if (digit)
        sprintf(text, "%.*s.%s", (int)(digit - name), name, digit);
    else
        strcpy(text, name);
}

/* Writes all parameters of a module, in the layout of this library. */
static void save(ursa_module *module, bool old_names)
{
    const ursa_parameter *list;
    int count = ursa_parameters(module, &list);
    ursa_stored_tensor *stored = calloc((size_t)count, sizeof *stored);
    char(*names)[128] = calloc((size_t)count, sizeof *names);
    for (int i = 0; i < count; i++) {
        int64_t numbers = ursa_count(list[i].tensor);
        float *data = malloc((size_t)numbers * sizeof *data);
        assert_true(ursa_read(list[i].tensor, URSA_F32, data, numbers));
        if (old_names)
            old_name(list[i].name, names[i]);
        else
            strcpy(names[i], list[i].name);
        stored[i] = (ursa_stored_tensor){names[i], URSA_F32, ursa_dims_of(list[i].tensor), data,
                                         (size_t)numbers * sizeof *data};
    }
    assert_true(ursa_safetensors_write(path, stored, count, &(ursa_metadata){"format", "ursa-test"}, 1));
    for (int i = 0; i < count; i++)
        free((void *)stored[i].data);
    free(stored);
    free(names);
}

static void assert_same(ursa_module *a, ursa_module *b, const char *name, bool same)
{
    ursa_scope *scope = ursa_scope_begin();
    ursa_tensor *x = ursa_find_parameter(a, name), *y = ursa_find_parameter(b, name);
    double off = ursa_item(ursa_max(ursa_abs(ursa_sub(x, y)), ursa_axes(), false));
    if ((off == 0) != same)
        fail_msg("%s: off by %g", name, off);
    ursa_scope_end(scope);
}

static void test_old_names(void **state)
{
    (void)state;
    const ursa_arch *arch = ursa_arch_find("densenet121");
    ursa_module *body = ursa_arch_body(arch, 3, NULL);
    save(body, true);
    ursa_checkpoint *file = ursa_checkpoint_open(path);
    assert_non_null(ursa_checkpoint_find(file, "features.denseblock1.denselayer1.norm.1.weight"));
    assert_null(ursa_checkpoint_find(file, "features.denseblock1.denselayer1.norm1.weight"));
    ursa_module *loaded = ursa_arch_body(arch, 3, file);
    assert_same(body, loaded, "features.denseblock4.denselayer16.conv2.weight", true);
    assert_same(body, loaded, "features.transition3.conv.weight", true);
    ursa_module_free(loaded);
    ursa_module_free(body);
    ursa_checkpoint_close(file);
}

/* A file for 1000 classes into networks for others: the body, and not the head. */
static void test_other_classes(void **state)
{
    (void)state;
    const ursa_arch *arch = ursa_arch_find("squeezenet1_1");
    ursa_module *whole = arch->make(3, 1000), *same = arch->make(3, 1000), *other = arch->make(3, 7);
    const char body[] = "features.12.expand3x3.weight", head[] = "classifier.1.weight";
    save(whole, false);
    ursa_checkpoint *file = ursa_checkpoint_open(path);
    assert_true(ursa_arch_load(arch, same, file) && ursa_arch_load(arch, other, file));
    assert_same(whole, same, body, true);
    assert_same(whole, same, head, true);
    assert_same(whole, other, body, true);
    ursa_module *model = ursa_vision_model(arch, 1, 7, .pretrained = file);
    ursa_scope *scope = ursa_scope_begin();
    ursa_tensor *grey = ursa_find_parameter(model, "body.features.0.weight"),
                *sum = ursa_sum(ursa_find_parameter(whole, "features.0.weight"), ursa_axes(3), true);
    assert_true(ursa_item(ursa_max(ursa_abs(ursa_sub(grey, sum)), ursa_axes(), false)) < 1e-6);
    ursa_scope_end(scope);
    ursa_module *wrong = ursa_resnet18(3, 10);
    assert_false(ursa_arch_load(ursa_arch_find("resnet18"), wrong, file));
    assert_non_null(strstr(ursa_error(),
                           ": has no tensor \"conv1.weight\", \"bn1.weight\", \"bn1.bias\" and 97 more; it "
                           "has \"features.0.weight\","));
    ursa_clear_error();
    ursa_module *all[] = {whole, same, other, model, wrong};
    for (int i = 0; i < 5; i++)
        ursa_module_free(all[i]);
    ursa_checkpoint_close(file);
}

static char said[512];

static void hear(void *context, ursa_log_level level, const char *line)
{
    (void)context;
    if (level == URSA_LOG_WARN)
        snprintf(said, sizeof said, "%s", line);
}

static void test_missing_weights(void **state)
{
    (void)state;
    setenv("URSA_HOME", "/nonexistent", 1);
    setenv("TORCH_HOME", "/nonexistent", 1);
    ursa_set_log(URSA_LOG_WARN, hear, NULL);
    assert_null(ursa_pretrained(ursa_arch_find("resnet18"), NULL));
    assert_null(ursa_error());
    assert_non_null(strstr(said, "`ursa weights get resnet18` brings them (46.8 MB). Random weights are used instead"));
    assert_null(ursa_pretrained(ursa_arch_find("efficientnet_lite0"), NULL));
    assert_non_null(strstr(said, "put efficientnet-lite0-57934424.pth at /nonexistent/weights/"));
    assert_null(ursa_pretrained(ursa_arch_find("small-cnn"), NULL));
    assert_non_null(strstr(said, "no pretrained weights are known; random weights are used"));
    ursa_set_log(URSA_LOG_SILENT, NULL, NULL);
    assert_null(ursa_error());
    assert_null(ursa_pretrained(ursa_arch_find("resnet18"), "/nonexistent/resnet18.pth"));
    assert_string_equal(ursa_error(), "/nonexistent/resnet18.pth: cannot be read: No such file or directory");
    ursa_clear_error();
}

/* Every line names a network there is, and every network's weights are a line. */
static void test_registry_of_weights(void **state)
{
    (void)state;
    for (int i = 0; i < ursa_weights_count(); i++) {
        const ursa_weights *weights = ursa_weights_at(i);
        assert_ptr_equal(ursa_weights_find(weights->name), weights);
        assert_non_null(ursa_arch_find(weights->arch));
        char digits[9] = "";
        strncat(digits, weights->sha256 ? weights->sha256 : "", 8);
        if (!strstr(weights->file, digits))
            fail_msg("%s: the checksum begins with %.8s", weights->file, weights->sha256);
    }
    for (int i = 0; i < ursa_arch_count(); i++)
        if (ursa_arch_at(i)->weights)
            assert_string_equal(ursa_weights_find(ursa_arch_at(i)->weights)->arch, ursa_arch_at(i)->name);
    assert_string_equal(ursa_imagenet_classes()[281], "tabby");
    assert_string_equal(ursa_imagenet_classes()[999], "toilet tissue");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_head),
        cmocka_unit_test(test_model),
        cmocka_unit_test_setup_teardown(test_old_names, make_path, remove_path),
        cmocka_unit_test_setup_teardown(test_other_classes, make_path, remove_path),
        cmocka_unit_test(test_missing_weights),
        cmocka_unit_test(test_registry_of_weights),
    };
    return run_unit_tests("arch", tests);
}
