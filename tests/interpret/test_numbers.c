/* test_numbers.c — confusion, top losses, reports, summaries and Grad-CAM in numbers, by hand. */
#include "learners.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = {"ant", "bee", "cat"};

/* ---- one class per item ------------------------------------------------------------- */

/* Logits whose largest is the predicted class, by `margin`. */
#define ANT(m) (m), 0, 0
#define BEE(m) 0, (m), 0
#define CAT(m) 0, 0, (m)

static const float outputs[] = {ANT(2), BEE(3), BEE(1), ANT(5), CAT(2), CAT(4), BEE(2), BEE(1.5f)};
static const int64_t actual[] = {0, 0, 0, 0, 1, 1, 1, 2};

static struct known insects(void)
{
    return know_outputs(outputs, 8, 3, actual, NULL, URSA_KIND_CATEGORY, names);
}

static void test_confusion(void **state)
{
    (void)state;
    struct known known = insects();
    ursa_interpretation *interp = ursa_interpret(known.learner);
    const int64_t *counts = ursa_confusion_matrix(interp);
    assert_non_null(counts);
    const int64_t expected[] = {2, 2, 0, 0, 1, 2, 0, 1, 0};
    assert_memory_equal(counts, expected, sizeof expected);
    const ursa_confusion *list;
    assert_int_equal(ursa_most_confused(interp, 0, &list), 3);
    assert_string_equal(list[0].actual_name, "ant");
    assert_string_equal(list[0].predicted_name, "bee");
    assert_int_equal(list[0].count, 2);
    assert_string_equal(list[1].actual_name, "bee");
    assert_string_equal(list[1].predicted_name, "cat");
    assert_string_equal(list[2].actual_name, "cat");
    assert_int_equal(list[2].count, 1);
    assert_int_equal(ursa_most_confused(interp, 2, &list), 2);
    assert_int_equal(ursa_most_confused(interp, 3, &list), 0);
    ursa_interpretation_free(interp);
    forget(&known);
}

/* The cross-entropy of logits that are m at one class and 0 at two others. */
static double loss_of(double m, bool right)
{
    return log(exp(m) + 2) - (right ? m : 0);
}

static void test_top_losses(void **state)
{
    (void)state;
    struct known known = insects();
    ursa_interpretation *interp = ursa_interpret(known.learner);
    const ursa_top_loss *top;
    assert_int_equal(ursa_top_losses(interp, 3, true, &top), 3);
    const int order[] = {5, 1, 4};
    for (int i = 0; i < 3; i++)
        assert_int_equal(top[i].item, order[i]);
    assert_true(fabs(top[0].loss - loss_of(4, false)) < 1e-5);
    assert_true(fabs(top[0].probability - exp(4) / (exp(4) + 2)) < 1e-6);
    assert_int_equal(top[0].predicted, 2);
    assert_int_equal(top[0].actual, 1);
    assert_int_equal(top[0].index, 5);
    assert_null(top[0].path);
    assert_int_equal(ursa_top_losses(interp, 0, false, &top), 8);
    assert_int_equal(top[0].item, 3);
    assert_true(fabs(top[0].loss - loss_of(5, true)) < 1e-5);
    assert_int_equal(top[3].item, 2);
    assert_int_equal(ursa_top_losses(interp, 100, true, &top), 8);
    assert_int_equal(top[7].item, 3);
    ursa_interpretation_free(interp);
    forget(&known);
}

static void test_order_of_top_losses(void **state)
{
    (void)state;
    const float logits[] = {0, 1, 9, 0, NAN, 0, 0, 9, 0, 9};
    const int64_t classes[] = {1, 0, 0, 0, 0};
    struct known known = know_outputs(logits, 5, 2, classes, NULL, URSA_KIND_CATEGORY, names);
    ursa_interpretation *interp = ursa_interpret(known.learner);
    const ursa_top_loss *top;
    assert_int_equal(ursa_top_losses(interp, 3, true, &top), 3);
    assert_int_equal(top[0].item, 2);
    assert_true(isnan(top[0].loss));
    /* Of equal losses the first item comes first. */
    assert_int_equal(top[1].item, 3);
    assert_int_equal(top[2].item, 4);
    ursa_interpretation_free(interp);
    forget(&known);
}

static void test_report(void **state)
{
    (void)state;
    struct known known = insects();
    ursa_interpretation *interp = ursa_interpret(known.learner);
    char *report = ursa_classification_report(interp);
    /* scikit-learn's classification_report(actual, predicted, digits=4, zero_division=0) */
    assert_string_equal(report, "              precision    recall  f1-score   support\n"
                                "\n"
                                "         ant     1.0000    0.5000    0.6667         4\n"
                                "         bee     0.2500    0.3333    0.2857         3\n"
                                "         cat     0.0000    0.0000    0.0000         1\n"
                                "\n"
                                "    accuracy                         0.3750         8\n"
                                "   macro avg     0.4167    0.2778    0.3175         8\n"
                                "weighted avg     0.5938    0.3750    0.4405         8\n");
    free(report);
    ursa_interpretation_free(interp);
    forget(&known);
}

/* ---- several labels ------------------------------------------------------------------- */

static void test_labels(void **state)
{
    (void)state;
    const float logits[] = {4, -4, 4, 4, 4, -4, -4, -4, -4};
    const float labels[] = {1, 0, 1, 1, 0, 0, 0, 1, 0};
    struct known known = know_outputs(logits, 3, 3, NULL, labels, URSA_KIND_MULTI_CATEGORY, names);
    ursa_interpretation *interp = ursa_interpret(known.learner);
    char *report = ursa_classification_report(interp);
    assert_non_null(strstr(report, "         ant     1.0000    1.0000    1.0000         2\n"));
    assert_non_null(strstr(report, "         bee     0.0000    0.0000    0.0000         1\n"));
    assert_non_null(strstr(report, "   micro avg     0.7500    0.7500    0.7500         4\n"));
    free(report);
    assert_null(ursa_confusion_matrix(interp));
    assert_string_equal(ursa_error(), "confusion_matrix: the items are not of one class each");
    ursa_clear_error();
    const ursa_top_loss *top;
    assert_int_equal(ursa_top_losses(interp, 1, true, &top), 1);
    assert_true(isnan(top->probability) && top->predicted == -1 && top->actual == -1);
    ursa_interpretation_free(interp);
    forget(&known);
}

/* ---- numbers ---------------------------------------------------------------------------- */

static void test_regression(void **state)
{
    (void)state;
    const float predicted[] = {1, 2, 3, 10}, values[] = {1, 2, 5, 10};
    struct known known = know_outputs(predicted, 4, 1, NULL, values, URSA_KIND_REGRESSION, NULL);
    ursa_interpretation *interp = ursa_interpret(known.learner);
    const ursa_top_loss *top;
    assert_int_equal(ursa_top_losses(interp, 1, true, &top), 1);
    assert_int_equal(top->item, 2);
    assert_true(fabs(top->loss - 4) < 1e-6);
    assert_null(ursa_classification_report(interp));
    assert_string_equal(ursa_error(), "classification_report: the items have no classes");
    ursa_clear_error();
    ursa_interpretation_free(interp);
    forget(&known);
}

/* ---- masks --------------------------------------------------------------------------------- */

static void test_masks(void **state)
{
    (void)state;
    struct known known = know_pictures(5, 6, 7, 3, URSA_KIND_MASK, 42, names, 3);
    ursa_interpretation *interp = ursa_interpret(known.learner);
    const int64_t *counts = ursa_confusion_matrix(interp);
    assert_non_null(counts);
    assert_int_equal(counts[0] + counts[1] + counts[2], 5 * 21);
    assert_int_equal(counts[3] + counts[4] + counts[5], 5 * 21);
    assert_int_equal(counts[6] + counts[7] + counts[8], 0);
    ursa_interpretation_free(interp);
    forget(&known);
}

/* ---- Grad-CAM ----------------------------------------------------------------------------------- */

static ursa_tensor *parameter(ursa_module *module, const char *name, const float *values)
{
    ursa_tensor *tensor = ursa_find_parameter(module, name);
    ursa_requires_grad(tensor, false);
    assert_true(ursa_write_(tensor, URSA_F32, values, ursa_count(tensor)));
    ursa_requires_grad(tensor, true);
    return tensor;
}

/* A 1×1 convolution, a mean and a linear layer: the gradient of a score with
 * respect to a channel is its weight over the number of places, so the map is
 * max(0, Σ weight × channel), scaled to 1. */
static void test_grad_cam(void **state)
{
    (void)state;
    const float identity[] = {1, 0, 0, 1}, weights[] = {1, -2, -3, 0.5f}, none[] = {0, 0};
    const float x[] = {1, 0, 0, 1, 3, 1, 2, 2, 0, 0, 4, 1}; /* [1, 2, 3, 2] */
    ursa_module *model =
        ursa_nn_sequential(ursa_named("conv", ursa_nn_conv2d(2, 2, 1)), ursa_nn_adaptive_avg_pool2d(1, 1),
                           ursa_nn_flatten(), ursa_named("fc", ursa_nn_linear(2, 2)));
    parameter(model, "conv.weight", identity);
    parameter(model, "conv.bias", none);
    ursa_tensor *fc = parameter(model, "fc.weight", weights);
    parameter(model, "fc.bias", none);
    ursa_scope *scope = ursa_scope_begin();
    int class = 0;
    float found[6];
    const float expected[] = {0.5f, 0, 0.5f, 0, 0, 1};
    ursa_tensor *map = ursa_grad_cam_map(model, ursa_from(x, ursa_shape(1, 2, 3, 2)), &class);
    assert_non_null(map);
    assert_int_equal(ursa_dim(map, 0), 2);
    assert_int_equal(ursa_dim(map, 1), 3);
    assert_true(ursa_read(map, URSA_F32, found, 6));
    for (int i = 0; i < 6; i++)
        assert_true(fabsf(found[i] - expected[i]) < 1e-6f);
    /* The predicted class: means (10, 5) / 6 give scores 0 and -27.5 / 6. */
    class = -1;
    assert_non_null(ursa_grad_cam_map(model, ursa_from(x, ursa_shape(1, 2, 3, 2)), &class));
    assert_int_equal(class, 0);
    class = 2;
    assert_null(ursa_grad_cam_map(model, ursa_from(x, ursa_shape(1, 2, 3, 2)), &class));
    assert_string_equal(ursa_error(), "grad_cam: class 2; expected 0 … 1");
    ursa_clear_error();
    /* Nothing of it stays. */
    assert_true(ursa_has_grad(fc));
    assert_null(ursa_grad(fc));
    assert_true(ursa_is_training(model));
    ursa_scope_end(scope);
    ursa_module_free(model);
}

static void test_grad_cam_needs_a_map(void **state)
{
    (void)state;
    ursa_module *model = ursa_nn_sequential(ursa_nn_flatten(), ursa_nn_linear(12, 2));
    ursa_scope *scope = ursa_scope_begin();
    int class = -1;
    assert_null(ursa_grad_cam_map(model, ursa_zeros(ursa_shape(1, 2, 3, 2)), &class));
    assert_string_equal(ursa_error(), "grad_cam: no step of the network puts out a map of more than one place");
    ursa_clear_error();
    ursa_scope_end(scope);
    ursa_module_free(model);
}

/* ---- summaries ------------------------------------------------------------------------------------- */

static void test_summary(void **state)
{
    (void)state;
    ursa_module *model = ursa_resnet18(3, 1000);
    ursa_requires_grad(ursa_find_parameter(model, "fc.weight"), false);
    char *summary = ursa_module_summary(model, ursa_shape(2, 64, 64, 3));
    assert_non_null(summary);
    assert_non_null(strstr(summary, "input [2, 64, 64, 3]\n"));
    assert_non_null(strstr(summary, "layer4.1.conv2 "));
    assert_non_null(strstr(summary, "[2, 2, 2, 512]"));
    assert_non_null(strstr(summary, "linear(512 → 1000)"));
    assert_non_null(strstr(summary, "513,000  in part"));
    /* PyTorch's count. */
    assert_non_null(strstr(summary, "parameters                        11,689,512\n"));
    assert_non_null(strstr(summary, "  frozen                             512,000\n"));
    assert_true(ursa_is_training(model));
    free(summary);
    ursa_module_free(model);
    assert_null(ursa_module_summary(NULL, ursa_shape(1)));
}

static void test_summary_of_a_learner(void **state)
{
    (void)state;
    struct known known = know_pictures(5, 12, 10, 3, URSA_KIND_CATEGORY, 1, names, 3);
    char *summary = ursa_summary(known.learner);
    assert_non_null(summary);
    assert_non_null(strstr(summary, "input [3, 12, 10, 3]\n"));
    assert_non_null(strstr(summary, "linear(4 → 3)"));
    free(summary);
    forget(&known);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_confusion),
        cmocka_unit_test(test_top_losses),
        cmocka_unit_test(test_order_of_top_losses),
        cmocka_unit_test(test_report),
        cmocka_unit_test(test_labels),
        cmocka_unit_test(test_regression),
        cmocka_unit_test(test_masks),
        cmocka_unit_test(test_grad_cam),
        cmocka_unit_test(test_grad_cam_needs_a_map),
        cmocka_unit_test(test_summary),
        cmocka_unit_test(test_summary_of_a_learner),
    };
    return run_unit_tests("numbers", tests);
}
