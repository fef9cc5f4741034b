/* test_groups.c — freezing, saving and loading, the learning rate finder, and other data. */
#include "task.h"

#include <sys/stat.h>

enum { ITEMS = 40, BATCH = 8 };

static ursa_learner *learner_of(ursa_dataloaders *data)
{
    return ursa_learner_new(data, two_parts(2), .split = {"head"}, .metrics = {ursa_accuracy});
}

static ursa_tensor *parameter(ursa_learner *learner, const char *name)
{
    ursa_tensor *tensor = ursa_find_parameter(ursa_learner_model(learner), name);
    assert_non_null(tensor);
    return tensor;
}

/* ---- freezing ---------------------------------------------------------------------------- */

static double first_of(ursa_learner *learner, const char *name)
{
    return ursa_item(ursa_slice(ursa_reshape(ursa_detach(parameter(learner, name)), ursa_shape(-1)), 0, 0, 1, 1));
}

static void test_freeze(void **state)
{
    (void)state;
    ursa_dataloaders data = loaders_of(halves(ITEMS), halves(ITEMS), BATCH);
    ursa_learner *learner = learner_of(&data);
    double body = first_of(learner, "body.0.weight"), norm = first_of(learner, "body.1.weight"),
           head = first_of(learner, "head.1.weight");
    assert_true(ursa_freeze(learner));
    assert_false(ursa_has_grad(parameter(learner, "body.0.weight")));
    assert_false(ursa_has_grad(parameter(learner, "body.0.bias")));
    assert_true(ursa_has_grad(parameter(learner, "body.1.weight")));
    assert_true(ursa_fit(learner, 1, 0.1));
    assert_null(ursa_grad(parameter(learner, "body.0.weight")));
    assert_true(first_of(learner, "body.0.weight") == body);
    assert_true(first_of(learner, "body.1.weight") != norm);
    assert_true(first_of(learner, "head.1.weight") != head);
    assert_true(ursa_unfreeze(learner));
    assert_true(ursa_fit(learner, 1, 0.1));
    assert_true(first_of(learner, "body.0.weight") != body);
    assert_false(ursa_freeze_to(learner, 2));
    assert_string_equal(ursa_error(), "freeze_to: group 2 of 2; expected -2 … 1");
    ursa_clear_error();
    ursa_learner_free(learner);
    learner = ursa_learner_new(&data, two_parts(2));
    assert_false(ursa_fine_tune(learner, 1));
    assert_non_null(strstr(ursa_error(), "freeze: all parameters are in one group"));
    ursa_clear_error();
    ursa_learner_free(learner);
    assert_null(ursa_learner_new(&data, two_parts(2), .split = {"tail"}));
    assert_non_null(strstr(ursa_error(), "no parameter's name begins with \"tail.\""));
    ursa_clear_error();
    free_loaders(&data);
}

/* Moments of parameters that begin to train later are corrected for their own steps, not for the optimizer's. */
static void test_late_parameters(void **state)
{
    (void)state;
    ursa_dataloaders data = loaders_of(halves(ITEMS), halves(ITEMS), ITEMS);
    ursa_learner *learner = ursa_learner_new(&data, ursa_nn_linear(2, 2), .hyper = {.weight_decay = -1});
    ursa_tensor *bias = parameter(learner, "bias");
    ursa_requires_grad(bias, false);
    assert_true(ursa_fit(learner, 30, 1e-3));
    double before = first_of(learner, "bias");
    ursa_requires_grad(bias, true);
    assert_true(ursa_fit(learner, 1, 1e-3));
    /* Adam's first step is the rate, whatever the gradient g: lr g / (|g| + ε). */
    assert_true(fabs(fabs(first_of(learner, "bias") - before) - 1e-3) < 1e-5);
    ursa_learner_free(learner);
    free_loaders(&data);
}

/* ---- saving ---------------------------------------------------------------------------------- */

static void test_save_and_load(void **state)
{
    (void)state;
    char path[] = "/tmp/ursa-learner-XXXXXX";
    assert_true(close(mkstemp(path)) == 0);
    int64_t count;
    ursa_dataloaders data = loaders_of(halves(ITEMS), halves(ITEMS), BATCH);
    ursa_learner *learner = learner_of(&data), *other = learner_of(&data);
    assert_true(ursa_fit(learner, 2, 0.05, .lr_first = 0.01));
    assert_true(ursa_learner_save(learner, path));
    float *saved = weights_of(ursa_learner_model(learner), &count);
    assert_true(ursa_learner_load(other, path));
    assert_same_weights(ursa_learner_model(other), saved);
    assert_true(ursa_optimizer_lr(ursa_learner_optimizer(other), 0) == 0.01);
    assert_int_equal(ursa_optimizer_steps(ursa_learner_optimizer(other)), 10);
    /* Both go on alike: momenta and squares are there. (Dropout draws from the process's stream.) */
    ursa_set_seed(9);
    assert_true(ursa_fit(learner, 1, 0.05));
    float *went_on = weights_of(ursa_learner_model(learner), &count);
    ursa_learner_free(other);
    other = learner_of(&data);
    assert_true(ursa_fit(other, 2, 0.05)); /* so that both are in the same epoch */
    assert_true(ursa_learner_load(other, path));
    ursa_set_seed(9);
    assert_true(ursa_fit(other, 1, 0.05));
    assert_same_weights(ursa_learner_model(other), went_on);
    /* Weights alone. */
    assert_true(ursa_learner_save(learner, path, .without_opt = true));
    assert_true(ursa_learner_load(other, path));
    assert_same_weights(ursa_learner_model(other), went_on);
    free(saved);
    free(went_on);
    ursa_learner_free(learner);
    ursa_learner_free(other);
    free_loaders(&data);
    unlink(path);
}

static void test_file_that_does_not_fit(void **state)
{
    (void)state;
    char path[] = "/tmp/ursa-learner-XXXXXX";
    assert_true(close(mkstemp(path)) == 0);
    int64_t count;
    ursa_dataloaders data = loaders_of(halves(ITEMS), halves(ITEMS), BATCH);
    ursa_learner *learner = learner_of(&data), *other = ursa_learner_new(&data, two_parts(3));
    assert_true(ursa_learner_save(learner, path));
    float *before = weights_of(ursa_learner_model(other), &count);
    assert_false(ursa_learner_load(other, path));
    assert_non_null(strstr(ursa_error(), ": \"model.head.1.weight\" is [2, 8], expected [3, 8]"));
    ursa_clear_error();
    assert_same_weights(ursa_learner_model(other), before);
    assert_true(ursa_save_parameters(ursa_learner_model(learner), path, NULL, 0));
    assert_false(ursa_learner_load(learner, path));
    assert_non_null(strstr(ursa_error(), "the format is \"not given\", expected \"ursa-learner\""));
    ursa_clear_error();
    free(before);
    ursa_learner_free(learner);
    ursa_learner_free(other);
    free_loaders(&data);
    unlink(path);
}

/* ---- the finder ---------------------------------------------------------------------------------- */

static int watched;

static ursa_verdict on_watch(ursa_callback *callback, ursa_learner *learner, ursa_event event)
{
    (void)callback;
    (void)learner;
    watched += event != URSA_AFTER_CREATE;
    return URSA_CONTINUE;
}

/* Nothing tells afterwards that a finder ran. */
static void test_finder_restores(void **state)
{
    (void)state;
    static ursa_callback watcher = {.name = "watcher", .order = URSA_ORDER_WATCHING, .on = on_watch};
    int64_t count;
    float *weights[2];
    for (int finds = 0; finds < 2; finds++) {
        ursa_set_seed(5);
        ursa_dataloaders data = loaders_of(halves(ITEMS), halves(ITEMS), BATCH);
        ursa_learner *learner = learner_of(&data);
        assert_true(ursa_add_callback(learner, &watcher));
        assert_true(ursa_fit_one_cycle(learner, 2, 0.05));
        ursa_lr_found found;
        const ursa_step_record *steps;
        watched = 0;
        if (finds) {
            assert_true(ursa_lr_find(learner, &found, .num_it = 33));
            assert_true(found.count > 6 && found.count <= 33);
            assert_true(found.lrs[0] == 1e-7);
            assert_int_equal(watched, 0);
            assert_int_equal(ursa_step_records(learner, &steps), 10);
            assert_int_equal(ursa_learner_training(learner)->step, 10);
            assert_true(fabs(ursa_optimizer_momentum(ursa_learner_optimizer(learner), 0) - 0.95) < 1e-2);
            ursa_lr_found_clear(&found);
        }
        assert_true(ursa_fit(learner, 1, 0.01));
        weights[finds] = weights_of(ursa_learner_model(learner), &count);
        ursa_learner_free(learner);
        free_loaders(&data);
    }
    assert_memory_equal(weights[0], weights[1], (size_t)count * sizeof(float));
    free(weights[0]);
    free(weights[1]);
}

static ursa_tensor *overflowing(ursa_tensor *prediction, ursa_tensor *target)
{
    return ursa_mul_scalar(ursa_exp(ursa_mul_scalar(ursa_cross_entropy(prediction, target), 90)), 1);
}

/* A loss that ends as no number: the curve has its full length, and suggestions come from what is before. */
static void test_finder_survives_nan(void **state)
{
    (void)state;
    ursa_dataloaders data = loaders_of(halves(ITEMS), halves(ITEMS), BATCH);
    ursa_learner *learner = ursa_learner_new(&data, ursa_nn_linear(2, 2), .loss = ursa_loss_of(overflowing));
    assert_true(ursa_add_callback(learner, ursa_stop_on_nan()));
    ursa_lr_found found;
    int64_t count;
    float *before = weights_of(ursa_learner_model(learner), &count);
    assert_true(ursa_lr_find(learner, &found, .end = 1e6, .no_stop = true));
    assert_int_equal(found.count, 100);
    assert_true(isnan(found.losses[99]) || isinf(found.losses[99]));
    assert_same_weights(ursa_learner_model(learner), before);
    free(before);
    ursa_lr_found_clear(&found);
    ursa_learner_free(learner);
    free_loaders(&data);
}

/* ---- other data -------------------------------------------------------------------------------------- */

static void test_other_data(void **state)
{
    (void)state;
    ursa_dataloaders small = loaders_of(halves(ITEMS), halves(ITEMS), BATCH);
    ursa_dataloaders large = loaders_of(halves(3 * ITEMS), halves(ITEMS), BATCH);
    ursa_learner *learner = learner_of(&small);
    const ursa_step_record *steps;
    assert_true(ursa_fit(learner, 1, 0.05));
    assert_true(ursa_learner_set_data(learner, &large));
    assert_ptr_equal(ursa_learner_data(learner), &large);
    assert_true(ursa_fit(learner, 1, 0.05));
    assert_int_equal(ursa_step_records(learner, &steps), 5 + 15);
    ursa_learner_free(learner);
    free_loaders(&small);
    free_loaders(&large);
}

static ursa_tensor *halve(const ursa_transform *transform, ursa_tensor *x)
{
    return ursa_mul_scalar(x, 1 / transform->argument[0]);
}

static bool scale(const ursa_transform *transform, ursa_transform_batch *batch)
{
    batch->x = ursa_mul_scalar(batch->x, transform->argument[0]);
    return batch->x;
}

/* What is done to the old data's inputs and can be undone is done to the new data's. */
static void test_normalisation_goes_along(void **state)
{
    (void)state;
    static const ursa_transform_class scaling = {.name = "scaling", .order = 90, .batch = scale, .decode = halve};
    static const ursa_transform_class noise = {.name = "noise", .order = 40, .batch = scale, .training_only = true};
    ursa_dataloaders small = loaders_of(halves(ITEMS), halves(ITEMS), BATCH);
    ursa_dataloaders large = loaders_of(halves(3 * ITEMS), halves(ITEMS), BATCH);
    assert_true(ursa_dataloaders_append_batch_tfm(&small, (ursa_transform){&noise, {3}}) &&
                ursa_dataloaders_append_batch_tfm(&small, (ursa_transform){&scaling, {2}}));
    ursa_learner *learner = learner_of(&small);
    for (int times = 0; times < 2; times++) /* once, however often */
        assert_true(ursa_learner_set_data(learner, &large));
    const ursa_transform *list = ursa_dataloader_options_of(large.valid)->batch_tfms;
    assert_ptr_equal(list[0].class, &scaling);
    assert_true(list[0].argument[0] == 2);
    assert_null(list[1].class);
    ursa_learner_free(learner);
    free_loaders(&small);
    free_loaders(&large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_freeze),          cmocka_unit_test(test_late_parameters),
        cmocka_unit_test(test_save_and_load),   cmocka_unit_test(test_file_that_does_not_fit),
        cmocka_unit_test(test_finder_restores), cmocka_unit_test(test_finder_survives_nan),
        cmocka_unit_test(test_other_data),      cmocka_unit_test(test_normalisation_goes_along),
    };
    return run_unit_tests("groups", tests);
}
