/* test_precision.c — training and predicting in f16 and bf16: what is of which type, what a step that is skipped leaves
 * as it is, and that nothing waits. */
#include "task.h"

/* ---- types -------------------------------------------------------------------------- */

static void weights_and_predictions_stay_f32(void **state)
{
    (void)state;
    for (ursa_dtype precision = URSA_F32; precision <= URSA_BF16; precision++) {
        ursa_set_seed(3);
        ursa_dataloaders data = loaders_of(halves(64), halves(32), 16);
        ursa_learner *learner = ursa_learner_new(&data, two_parts(2), .metrics = {ursa_accuracy});
        learner = precision == URSA_F16    ? ursa_to_fp16(learner)
                  : precision == URSA_BF16 ? ursa_to_bf16(learner)
                                           : learner;
        assert_int_equal(ursa_learner_precision(learner), precision);
        assert_true(ursa_fit(learner, 20, 0.05));
        const ursa_parameter *list;
        int count = ursa_parameters(ursa_learner_model(learner), &list);
        for (int i = 0; i < count; i++)
            assert_true(!ursa_dtype_is_float(ursa_dtype_of(list[i].tensor)) ||
                        ursa_dtype_of(list[i].tensor) == URSA_F32);
        double results[2];
        assert_true(ursa_validate(learner, results, 2));
        assert_true(results[1] > 0.9);
        ursa_learner_free(learner);
        free_loaders(&data);
    }
}

/* Predictions of a precision are numbers of its type. */
static void predictions_are_of_the_precision(void **state)
{
    (void)state;
    ursa_dataloaders data = loaders_of(halves(64), halves(32), 16);
    ursa_learner *learner = ursa_to_bf16(ursa_learner_new(&data, two_parts(2)));
    ursa_outputs *half = ursa_get_preds(learner, NULL), *full = ursa_get_preds(ursa_to_fp32(learner), NULL);
    bool differs = false;
    for (int64_t i = 0; i < half->count * half->size; i++) {
        assert_true(half->raw[i] == ursa_f32_from_bf16(ursa_bf16_from_f32(half->raw[i])));
        assert_true(fabsf(half->raw[i] - full->raw[i]) <= 0x1p-5f * fmaxf(1, fabsf(full->raw[i]))); /* four roundings */
        differs = differs || half->raw[i] != full->raw[i];
    }
    assert_true(differs);
    ursa_outputs_free(half);
    ursa_outputs_free(full);
    ursa_learner_free(learner);
    free_loaders(&data);
}

/* ---- the loss scale ------------------------------------------------------------------ */

static float *state_of(ursa_learner *learner, int64_t *count)
{
    const ursa_optimizer_state *list;
    int states = ursa_optimizer_states(ursa_learner_optimizer(learner), true, &list);
    *count = 0;
    for (int i = 0; i < states; i++)
        *count += ursa_count(list[i].tensor);
    float *values = malloc((size_t)*count * sizeof *values), *next = values;
    for (int i = 0; i < states; i++, next += ursa_count(list[i - 1].tensor))
        assert_true(ursa_read(list[i].tensor, URSA_F32, next, ursa_count(list[i].tensor)));
    return values;
}

/* A scale that no gradient stands: every step of every optimizer is skipped. */
static void an_overflow_leaves_everything_as_it_is(void **state)
{
    (void)state;
    static const ursa_optimizer_kind kinds[] = {URSA_SGD, URSA_ADAM, URSA_RADAM, URSA_RMSPROP, URSA_LAMB};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        ursa_dataloaders data = loaders_of(halves(64), halves(32), 16);
        ursa_module *model = ursa_nn_sequential(ursa_nn_linear(2, 8), ursa_nn_activation("relu"), ursa_nn_linear(8, 2));
        int64_t count, states, skipped;
        float *before = weights_of(model, &count);
        ursa_learner *learner = ursa_to_fp16(
            ursa_learner_new(&data, model, .optimizer = kinds[k], .optimizer_set = true, .hyper = {.momentum = 0.9}),
            .scale = 0x1p100);
        assert_true(ursa_fit(learner, 2, 0.1, .callbacks = {ursa_clip_gradients(1)}));
        assert_same_weights(model, before);
        float *values = state_of(learner, &states);
        for (int64_t i = 0; i < states; i++)
            assert_true(values[i] == 0);
        assert_true(ursa_loss_scale(learner, &skipped) == 0x1p92);
        assert_int_equal(skipped, 8);
        free(values);
        free(before);
        ursa_learner_free(learner);
        free_loaders(&data);
    }
}

/* A finder tries rates, and leaves the scale where it was. */
static void finding_a_rate_puts_the_scale_back(void **state)
{
    (void)state;
    ursa_dataloaders data = loaders_of(halves(64), halves(32), 16);
    ursa_learner *learner = ursa_to_fp16(ursa_learner_new(&data, two_parts(2)), .scale = 1024, .interval = 2);
    ursa_lr_found found;
    assert_true(ursa_lr_find(learner, &found, .num_it = 20));
    ursa_lr_found_clear(&found);
    assert_true(ursa_loss_scale(learner, NULL) == 1024);
    assert_true(ursa_fit(learner, 1, 0.01));
    assert_true(ursa_loss_scale(learner, NULL) == 4096);
    assert_true(ursa_loss_scale(ursa_to_bf16(learner), NULL) == 1);
    ursa_learner_free(learner);
    free_loaders(&data);
}

/* Losses are read at the end of an epoch: so many waits there are, however many steps, as in f32. */
static void steps_do_not_wait(void **state)
{
    (void)state;
    uint64_t waits[2];
    for (int half = 0; half < 2; half++) {
        ursa_dataloaders data = loaders_of(halves(64), halves(32), 4);
        ursa_learner *learner = ursa_learner_new(&data, two_parts(2));
        assert_non_null(half ? ursa_to_fp16(learner) : learner);
        uint64_t before = ursa_device_waits(ursa_default_device());
        assert_true(ursa_fit(learner, 2, 0.01, .callbacks = {ursa_clip_gradients(1), ursa_accumulate_gradients(8)}));
        waits[half] = ursa_device_waits(ursa_default_device()) - before;
        ursa_learner_free(learner);
        free_loaders(&data);
    }
    assert_int_equal(waits[1], waits[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_and_predictions_stay_f32),
        cmocka_unit_test(predictions_are_of_the_precision),
        cmocka_unit_test(an_overflow_leaves_everything_as_it_is),
        cmocka_unit_test(finding_a_rate_puts_the_scale_back),
        cmocka_unit_test(steps_do_not_wait),
    };
    return run_unit_tests("precision", tests);
}
