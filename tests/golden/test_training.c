/* test_training.c — whole trainings, step by step, against fastai's; see make_training.py. */
#include "golden.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 8, CLASSES = 3 };

/* ---- the task --------------------------------------------------------------------- */

static void *copy_of(const char *name, int64_t *count)
{
    const ursa_stored_tensor *stored = ursa_safetensors_find(fixtures(), name);
    assert_non_null(stored);
    void *copy = malloc(stored->bytes);
    memcpy(copy, stored->data, stored->bytes);
    *count = stored->shape.dim[0];
    return copy;
}

static ursa_dataloader *loader(const char *part)
{
    char name[32];
    int64_t count;
    snprintf(name, sizeof name, "%s.x", part);
    void *x = copy_of(name, &count);
    snprintf(name, sizeof name, "%s.y", part);
    void *y = copy_of(name, &count);
    ursa_item_layout layout = {
        .x_shape = ursa_shape(4), .x_dtype = URSA_F32, .y_shape = ursa_shape(), .y_dtype = URSA_I64};
    return ursa_dataloader_new(ursa_array_dataset(x, y, count, &layout), .batch_size = BATCH);
}

static ursa_module *network(void)
{
    ursa_module *body =
        ursa_nn_sequential(ursa_nn_linear(4, 8, .no_bias = true), ursa_nn_batch_norm(8), ursa_nn_activation("relu"));
    ursa_module *middle =
        ursa_nn_sequential(ursa_nn_linear(8, 6, .no_bias = true), ursa_nn_batch_norm(6), ursa_nn_activation("relu"));
    ursa_module *model = ursa_nn_sequential(ursa_named("body", body), ursa_named("middle", middle),
                                            ursa_named("head", ursa_nn_sequential(ursa_nn_linear(6, CLASSES))));
    const ursa_parameter *list;
    int count = ursa_parameters(model, &list);
    ursa_no_grad_begin();
    for (int i = 0; i < count; i++) {
        char name[64];
        snprintf(name, sizeof name, "model.%s", list[i].name);
        assert_true(ursa_copy_(list[i].tensor, fixture(name)));
    }
    ursa_no_grad_end();
    return model;
}

/* ---- what is seen --------------------------------------------------------------------- */

enum { STEPS = 256, GROUPS = 3 };

/* Reads every loss, since it compares what callbacks may have changed. */
struct watch {
    ursa_callback callback;
    int steps, epochs;
    float loss[STEPS], lr[STEPS * GROUPS], mom[STEPS], valid[2 * STEPS];
};

static ursa_verdict on_event(ursa_callback *callback, ursa_learner *learner, ursa_event event)
{
    struct watch *watch = (struct watch *)callback;
    const ursa_training *training = ursa_learner_training(learner);
    ursa_optimizer *optimizer = ursa_learner_optimizer(learner);
    if (event == URSA_AFTER_BATCH && training->training) {
        for (int group = 0; group < GROUPS; group++)
            watch->lr[watch->steps * GROUPS + group] = (float)ursa_optimizer_lr(optimizer, group);
        watch->mom[watch->steps] = (float)ursa_optimizer_momentum(optimizer, 0);
        watch->loss[watch->steps++] = (float)ursa_item(training->loss);
    }
    if (event == URSA_AFTER_EPOCH) {
        watch->valid[2 * watch->epochs] = (float)ursa_last_value(learner, "valid_loss");
        watch->valid[2 * watch->epochs++ + 1] = (float)ursa_last_value(learner, "accuracy");
    }
    return URSA_CONTINUE;
}

/* Within `tolerance` of the largest: rates to a float's rounding. What is trained drifts apart by the float rounding of
 * every step, which Adam's division magnifies where squares are small. */
static void assert_near(const char *name, const char *what, const float *found, int count, float tolerance)
{
    char full[96];
    snprintf(full, sizeof full, "%s.%s", name, what);
    const ursa_stored_tensor *stored = ursa_safetensors_find(fixtures(), full);
    if (!stored)
        fail_msg("the fixtures have no %s", full);
    const float *expected = stored->data;
    if (stored->bytes != (size_t)count * sizeof *expected)
        fail_msg("%s: expected %zu numbers, found %d", full, stored->bytes / sizeof *expected, count);
    float largest = 0;
    for (int i = 0; i < count; i++)
        largest = fmaxf(largest, fabsf(expected[i]));
    for (int i = 0; i < count; i++)
        if (!(fabsf(found[i] - expected[i]) <= tolerance * largest))
            fail_msg("%s[%d]: expected %.9g, found %.9g", full, i, (double)expected[i], (double)found[i]);
}

static void assert_weights(const char *name, ursa_module *model)
{
    const ursa_parameter *list;
    int count = ursa_parameters(model, &list);
    for (int i = 0; i < count; i++) {
        float values[64];
        int64_t size = ursa_count(list[i].tensor);
        assert_true(ursa_read(list[i].tensor, URSA_F32, values, size));
        assert_near(name, list[i].name, values, (int)size, 2e-4f);
    }
}

/* ---- the cases --------------------------------------------------------------------------- */

static bool freeze_and_fit(ursa_learner *learner, bool to_last)
{
    return (to_last ? ursa_freeze(learner) : ursa_freeze_to(learner, 1)) && ursa_fit(learner, 2, 1e-2);
}

static bool find_and_fit(ursa_learner *learner)
{
    ursa_lr_found found;
    bool done = ursa_lr_find(learner, &found, .num_it = 60) && ursa_fit(learner, 1, 1e-2);
    ursa_lr_found_clear(&found);
    return done;
}

/* name, what is done, the learner's options */
#define CASES                                                                                                          \
    CASE(fit, ursa_fit(learner, 2, 1e-2))                                                                              \
    CASE(slice, ursa_fit(learner, 2, 1e-2, .lr_first = 1e-4, .weight_decay = 0.1))                                     \
    CASE(tenth, ursa_fit(learner, 2, 1e-2, .lr_first = URSA_LR_TENTH))                                                 \
    CASE(one_cycle, ursa_fit_one_cycle(learner, 3, 2e-2, .lr_first = 1e-3))                                            \
    CASE(one_cycle_options, ursa_fit_one_cycle(learner, 3, 1e-2, .div = 10, .div_final = 100, .pct_start = 0.4,        \
                                               .momentum = {0.9, 0.8, 0.7}))                                           \
    CASE(flat_cos, ursa_fit_flat_cos(learner, 3, 2e-2, .lr_first = 1e-3))                                              \
    CASE(sgdr, ursa_fit_sgdr(learner, 2, 1, 2e-2))                                                                     \
    CASE(fine_tune, ursa_fine_tune(learner, 2, .base_lr = 2e-2))                                                       \
    CASE(frozen, freeze_and_fit(learner, false))                                                                       \
    CASE(frozen_norms, freeze_and_fit(learner, true), .freeze_norms = true)                                            \
    CASE(sgd, ursa_fit_one_cycle(learner, 2, 5e-2), .optimizer = URSA_SGD, .optimizer_set = true,                      \
         .hyper = {.momentum = 0.9})                                                                                   \
    CASE(accumulate, ursa_fit(learner, 3, 1e-2, .callbacks = {ursa_accumulate_gradients(20)}))                         \
    CASE(clip, ursa_fit(learner, 2, 1e-2, .callbacks = {ursa_clip_gradients(0.3)}))                                    \
    CASE(smoothing, ursa_fit(learner, 2, 1e-2), .loss = ursa_cross_entropy_loss(.smoothing = 0.1))                     \
    CASE(focal, ursa_fit(learner, 2, 1e-2), .loss = ursa_focal_loss())                                                 \
    CASE(weighted, ursa_fit(learner, 2, 1e-2),                                                                         \
         .loss = ursa_cross_entropy_loss(.weight = ursa_from(weights, ursa_shape(3))))                                 \
    CASE(plateau,                                                                                                      \
         ursa_fit(learner, 10, 1.5,                                                                                    \
                  .callbacks = {ursa_reduce_on_plateau("valid_loss", .patience = 2, .factor = 4, .min_delta = 0.02)}), \
         .optimizer = URSA_SGD, .optimizer_set = true)                                                                 \
    CASE(stopping,                                                                                                     \
         ursa_fit(learner, 12, 0.5, .callbacks = {ursa_early_stopping("accuracy", .patience = 3, .min_delta = 0.01)}), \
         .optimizer = URSA_SGD, .optimizer_set = true)                                                                 \
    CASE(after_find, find_and_fit(learner))

static const float weights[] = {1, 2, 0.5};

static void compare(const char *name, ursa_learner *learner, const struct watch *watch, bool trained)
{
    if (!trained)
        fail_msg("%s: %s", name, ursa_error());
    assert_near(name, "lr", watch->lr, watch->steps * GROUPS, 1e-6f);
    assert_near(name, "mom", watch->mom, watch->steps, 1e-6f);
    assert_near(name, "loss", watch->loss, watch->steps, 1e-4f);
    assert_near(name, "valid", watch->valid, 2 * watch->epochs, 1e-4f);
    assert_weights(name, ursa_learner_model(learner));
}

#define CASE(NAME, TRAIN, ...)                                                                                         \
    static void test_##NAME(void **state)                                                                              \
    {                                                                                                                  \
        (void)state;                                                                                                   \
        static struct watch watch;                                                                                     \
        watch = (struct watch){.callback = {.name = "watch", .order = 60, .on = on_event}};                            \
        ursa_dataloaders data = {.train = loader("train"), .valid = loader("valid")};                                  \
        ursa_learner *learner =                                                                                        \
            ursa_learner_new(&data, network(), .metrics = {ursa_accuracy}, .split = {"middle", "head"}, __VA_ARGS__);  \
        assert_true(ursa_add_callback(learner, &watch.callback));                                                      \
        bool trained = TRAIN;                                                                                          \
        compare(#NAME, learner, &watch, trained);                                                                      \
        ursa_learner_free(learner);                                                                                    \
        ursa_dataloader_free(data.train);                                                                              \
        ursa_dataloader_free(data.valid);                                                                              \
    }
CASES
#undef CASE

/* ---- the learning rate finder -------------------------------------------------------------- */

static void test_find(void **state)
{
    (void)state;
    ursa_dataloaders data = {.train = loader("train"), .valid = loader("valid")};
    ursa_learner *learner = ursa_learner_new(&data, network(), .split = {"middle", "head"});
    ursa_lr_found found;
    assert_true(ursa_lr_find(learner, &found, .start = 1e-6, .end = 100, .num_it = 60));
    float lrs[60], losses[60];
    for (int i = 0; i < found.count; i++) {
        lrs[i] = (float)found.lrs[i];
        losses[i] = (float)found.losses[i];
    }
    assert_near("find", "lrs", lrs, found.count, 1e-6f);
    assert_near("find", "losses", losses, found.count, 1e-3f); /* steps with rates near 100 magnify rounding */
    ursa_lr_found_clear(&found);
    ursa_learner_free(learner);
    ursa_dataloader_free(data.train);
    ursa_dataloader_free(data.valid);
}

static void suggest(const char *name)
{
    char full[64];
    double lrs[100], losses[100];
    snprintf(full, sizeof full, "%s.lrs", name);
    const ursa_stored_tensor *x = ursa_safetensors_find(fixtures(), full);
    snprintf(full, sizeof full, "%s.losses", name);
    const ursa_stored_tensor *y = ursa_safetensors_find(fixtures(), full);
    int count = (int)x->shape.dim[0];
    for (int i = 0; i < count; i++) {
        lrs[i] = (double)((const float *)x->data)[i];
        losses[i] = (double)((const float *)y->data)[i];
    }
    ursa_lr_suggestions found = ursa_lr_suggest(lrs, losses, count);
    const float numbers[] = {(float)found.minimum, (float)found.steep, (float)found.valley, (float)found.slide};
    assert_near(name, "suggested", numbers, 4, 1e-6f);
}

static void test_suggestions(void **state)
{
    (void)state;
    for (int i = 0; i < 6; i++) {
        char name[32];
        snprintf(name, sizeof name, "suggest.%d", i);
        suggest(name);
    }
    suggest("suggest.rising");
    suggest("suggest.flat");
}

/* Ten times back from where the loss has come back by a tenth of its fall. */
static void test_shoot(void **state)
{
    (void)state;
    const double lrs[] = {1e-4, 1e-3, 1e-2, 1e-1, 1, 10}, losses[] = {2, 1.8, 1, 1.05, 1.2, 9};
    assert_true(fabs(ursa_lr_suggest(lrs, losses, 6).shoot - 0.1) < 1e-12);
    assert_true(isnan(ursa_lr_suggest(lrs, losses, 1).shoot));
}

#define CASE(name, ...) cmocka_unit_test(test_##name),
int main(void)
{
    const struct CMUnitTest tests[] = {CASES cmocka_unit_test(test_find), cmocka_unit_test(test_suggestions),
                                       cmocka_unit_test(test_shoot)};
    return run_unit_tests("training", tests);
}
