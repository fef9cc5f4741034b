/* test_metrics.c — metrics against scikit-learn's values; see make_metric_fixtures.py. */
#include "golden.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AVERAGES(key, call)                                                                                            \
    {key ".binary", call(.average = URSA_BINARY)}, {key ".binary.class0", call(.positive = -1)},                       \
        {key ".micro", call(.average = URSA_MICRO)}, {key ".macro", call(.average = URSA_MACRO)},                      \
        {key ".weighted", call(.average = URSA_WEIGHTED)}, {key ".samples", call(.average = URSA_SAMPLES)},            \
        {key ".micro.at0.2", call(.average = URSA_MICRO, .threshold = 0.2)},                                           \
        {key ".macro.at0.2", call(.average = URSA_MACRO, .threshold = 0.2)},                                           \
        {key ".weighted.at0.2", call(.average = URSA_WEIGHTED, .threshold = 0.2)},                                     \
        {key ".samples.at0.2", call(.average = URSA_SAMPLES, .threshold = 0.2)},                                       \
    {                                                                                                                  \
        key ".macro.plain", call(.no_sigmoid = true)                                                                   \
    }

#define F2(...)     ursa_fbeta(2, __VA_ARGS__)
#define F_HALF(...) ursa_fbeta(0.5, __VA_ARGS__)

struct named_metric {
    const char *key;
    ursa_metric metric;
};

static ursa_metric metric_for(const char *key)
{
    const struct named_metric all[] = {
        {"accuracy", ursa_accuracy},
        {"balanced_accuracy", ursa_balanced_accuracy()},
        {"matthews", ursa_matthews()},
        {"perplexity", ursa_perplexity()},
        {"kappa.None", ursa_cohen_kappa()},
        {"kappa.linear", ursa_cohen_kappa(.weights = URSA_LINEAR)},
        {"kappa.quadratic", ursa_cohen_kappa(.weights = URSA_QUADRATIC)},
        {"hamming_loss", ursa_hamming_loss()},
        {"hamming_loss.at0.2", ursa_hamming_loss(.threshold = 0.2)},
        {"accuracy_multi", ursa_accuracy_multi()},
        {"accuracy_multi.at0.2", ursa_accuracy_multi(.threshold = 0.2)},
        {"accuracy_multi.plain", ursa_accuracy_multi(.no_sigmoid = true)},
        AVERAGES("precision", ursa_precision),
        AVERAGES("recall", ursa_recall),
        AVERAGES("f1", ursa_f1_score),
        AVERAGES("f2", F2),
        AVERAGES("f0.5", F_HALF),
        AVERAGES("jaccard", ursa_jaccard),
        AVERAGES("roc_auc", ursa_roc_auc),
        AVERAGES("average_precision", ursa_average_precision),
        {"mse", ursa_mse_metric()},
        {"rmse", ursa_rmse()},
        {"mae", ursa_mae()},
        {"r2", ursa_r2_score()},
        {"explained_variance", ursa_explained_variance()},
        {"dice", ursa_dice()},
        {"pixel_jaccard", ursa_pixel_jaccard()},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (strcmp(all[i].key, key) == 0)
            return all[i].metric;
    fail_msg("the fixtures hold %s, which the test does not know", key);
    return (ursa_metric){0};
}

/* In two batches, as a learner would. */
static double summed(const ursa_metric *metric, ursa_tensor *predictions, ursa_tensor *targets)
{
    float numbers[URSA_METRIC_STATE];
    double state[URSA_METRIC_STATE];
    int64_t items = ursa_dim(targets, 0), cut[] = {0, items / 3, items};
    ursa_tensor *sums = ursa_zeros(ursa_shape(URSA_METRIC_STATE));
    for (int i = 0; i < 2; i++)
        assert_true(metric->update(metric, ursa_slice(predictions, 0, cut[i], cut[i + 1], 1),
                                   ursa_slice(targets, 0, cut[i], cut[i + 1], 1), sums));
    assert_true(ursa_read(sums, URSA_F32, numbers, URSA_METRIC_STATE));
    for (int i = 0; i < URSA_METRIC_STATE; i++)
        state[i] = (double)numbers[i];
    return metric->finish(metric, state, items);
}

/* The axes behind the first. */
static ursa_dims rest_of(const ursa_tensor *tensor)
{
    ursa_dims shape = ursa_dims_of(tensor);
    for (int axis = 1; axis < shape.ndim; axis++)
        shape.dim[axis - 1] = shape.dim[axis];
    shape.ndim--;
    return shape;
}

/* What a learner would have gathered. */
static double computed(const ursa_metric *metric, ursa_tensor *predictions, ursa_tensor *targets)
{
    int64_t count = ursa_dim(predictions, 0), numbers = ursa_count(predictions), marks = ursa_count(targets);
    bool classes = ursa_dtype_of(targets) == URSA_I64;
    ursa_outputs all = {
        .count = count,
        .shape = rest_of(predictions),
        .size = numbers / count,
        .target_shape = rest_of(targets),
        .target_size = marks / count,
        .raw = malloc((size_t)numbers * sizeof(float)),
        .classes = classes ? malloc((size_t)marks * sizeof(int64_t)) : NULL,
        .values = classes ? NULL : malloc((size_t)marks * sizeof(float)),
    };
    assert_true(ursa_read(predictions, URSA_F32, all.raw, numbers));
    assert_true(classes ? ursa_read(targets, URSA_I64, all.classes, marks)
                        : ursa_read(targets, URSA_F32, all.values, marks));
    double value = metric->compute(metric, &all);
    free(all.raw);
    free(all.classes);
    free(all.values);
    return value;
}

static double value_of(const ursa_metric *metric, ursa_tensor *predictions, ursa_tensor *targets)
{
    return metric->compute ? computed(metric, predictions, targets) : summed(metric, predictions, targets);
}

/* Values are stored as floats, and computed from floats in double: 1e-6 allows for the rounding of the stored value
 * and of softmax and sums of floats on the device. */
static void test_all(void **state)
{
    (void)state;
    int compared = 0;
    for (int i = 0; i < ursa_safetensors_count(fixtures()); i++) {
        const ursa_stored_tensor *stored = ursa_safetensors_at(fixtures(), i);
        const char *slash = strchr(stored->name, '/'), *key = slash + 1;
        if (strcmp(key, "predictions") == 0 || strcmp(key, "targets") == 0)
            continue;
        char name[96];
        ursa_scope *scope = ursa_scope_begin();
        snprintf(name, sizeof name, "%.*s/predictions", (int)(slash - stored->name), stored->name);
        ursa_tensor *predictions = fixture(name);
        snprintf(name, sizeof name, "%.*s/targets", (int)(slash - stored->name), stored->name);
        ursa_metric metric = metric_for(key);
        double found = value_of(&metric, predictions, fixture(name)), expected = (double)*(const float *)stored->data;
        bool same = isnan(expected) ? isnan(found) : fabs(found - expected) <= 1e-6 * fmax(1, fabs(expected));
        if (!same)
            fail_msg("%s: expected %.9g, found %.9g (%s)", stored->name, expected, found,
                     ursa_error() ? ursa_error() : "no error");
        assert_null(ursa_error());
        ursa_scope_end(scope);
        compared++;
    }
    assert_int_equal(compared, 424);
}

static void refuses(const char *text, ursa_metric metric, ursa_tensor *predictions, ursa_tensor *targets)
{
    double value = value_of(&metric, predictions, targets);
    assert_true(isnan(value));
    assert_non_null(ursa_error());
    if (!strstr(ursa_error(), text))
        fail_msg("expected \"%s\", found \"%s\"", text, ursa_error());
    ursa_clear_error();
}

static void test_refusals(void **state)
{
    (void)state;
    ursa_tensor *logits = ursa_zeros(ursa_shape(4, 3)), *labels = ursa_zeros(ursa_shape(4, 3));
    ursa_tensor *classes = ursa_zeros(ursa_shape(4), .dtype = URSA_I64);
    refuses("f1_score: the average samples is not defined for one class per item",
            ursa_f1_score(.average = URSA_SAMPLES), logits, classes);
    refuses("roc_auc: the average binary is not defined for several labels per item",
            ursa_roc_auc(.average = URSA_BINARY), logits, labels);
    refuses("precision: the positive class is 7; expected 0 … 2", ursa_precision(.average = URSA_BINARY, .positive = 7),
            logits, classes);
    refuses("cohen_kappa: there are several labels per item", ursa_cohen_kappa(), logits, labels);
    refuses("accuracy_multi: the targets are classes; expected a label", ursa_accuracy_multi(), logits, classes);
    refuses("recall: an item has 3 outputs, 3 of them classes, and 2 classes; expected a class for each 3",
            ursa_recall(), logits, ursa_zeros(ursa_shape(4, 2), .dtype = URSA_I64));
    refuses("recall: target 0 is class 3; expected 0 … 2", ursa_recall(), logits,
            ursa_full(ursa_shape(4), 3, .dtype = URSA_I64));
    refuses("mse: an item has 3 outputs and 1 classes; expected as many numbers", ursa_mse_metric(), logits, classes);
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(ursa_fbeta(1).name, "f1_score");
    assert_string_equal(ursa_fbeta(2, .average = URSA_SAMPLES).name, "f2_score");
    assert_string_equal(ursa_fbeta(2, .name = "kaggle").name, "kaggle");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_names),
    };
    return run_unit_tests("metrics", tests);
}
