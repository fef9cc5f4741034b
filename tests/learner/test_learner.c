/* test_learner.c — the loop: what it learns, what it tells its callbacks, and how they end it. */
#include "../unit.h"

#include <ursa/ursa.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ITEMS = 64, BATCH = 16 };

/* Points on a circle, of the class of their half. */
static ursa_dataset *halves(void)
{
    float *x = malloc(ITEMS * 2 * sizeof *x);
    int64_t *y = malloc(ITEMS * sizeof *y);
    for (int i = 0; i < ITEMS; i++) {
        x[2 * i] = cosf(0.1f * (float)i);
        x[2 * i + 1] = sinf(0.1f * (float)i);
        y[i] = x[2 * i] > 0;
    }
    ursa_item_layout layout = {ursa_shape(2), URSA_F32, ursa_shape(), URSA_I64};
    return ursa_array_dataset(x, y, ITEMS, &layout);
}

static ursa_dataloaders loaders(void)
{
    return (ursa_dataloaders){
        .train = ursa_dataloader_new(halves(), .batch_size = BATCH, .shuffle = true, .drop_last = true),
        .valid = ursa_dataloader_new(halves(), .batch_size = BATCH)};
}

static void free_loaders(ursa_dataloaders *data)
{
    ursa_dataloader_free(data->train);
    ursa_dataloader_free(data->valid);
}

static ursa_learner *learner_for(ursa_dataloaders *data)
{
    return ursa_learner_new(data, ursa_nn_linear(2, 2),
                            .metrics = {ursa_accuracy, ursa_error_rate, ursa_top_k_accuracy(2)});
}

static void test_learns(void **state)
{
    (void)state;
    ursa_dataloaders data = loaders();
    ursa_learner *learner = learner_for(&data);
    assert_true(ursa_fit_one_cycle(learner, 20, 0.3));
    const ursa_epoch_record *epochs;
    const ursa_step_record *steps;
    assert_int_equal(ursa_epoch_records(learner, &epochs), 20);
    assert_int_equal(ursa_step_records(learner, &steps), 20 * ITEMS / BATCH);
    assert_true(epochs[19].metrics[0] > 0.95);
    assert_true(fabs(epochs[19].metrics[0] + epochs[19].metrics[1] - 1) < 1e-9);
    assert_true(epochs[19].metrics[2] == 1);
    assert_true(epochs[19].valid_loss < epochs[0].valid_loss);
    /* The cycle begins at max / 25 and peaks after a quarter. */
    assert_true(fabs(steps[0].lr - 0.3 / 25) < 1e-12);
    assert_true(fabs(steps[20].lr - 0.3) < 1e-12);
    double mean = 0;
    for (int i = 0; i < ITEMS / BATCH; i++)
        mean += steps[i].loss / (ITEMS / BATCH);
    assert_true(fabs(mean - epochs[0].train_loss) < 1e-6);
    double out[2];
    assert_true(ursa_validate(learner, out, 2));
    assert_true(out[0] == epochs[19].valid_loss && out[1] == epochs[19].metrics[0]);
    ursa_learner_free(learner);
    free_loaders(&data);
}

/* Writes a letter per event; gives a verdict at one of them. */
struct witness {
    ursa_callback callback;
    char seen[800];
    ursa_event at;
    ursa_verdict verdict;
};

static ursa_verdict on_event(ursa_callback *callback, ursa_learner *learner, ursa_event event)
{
    (void)learner;
    struct witness *witness = (struct witness *)callback;
    size_t length = strlen(witness->seen);
    if (length + 1 < sizeof witness->seen)
        witness->seen[length] = "AFEtbploOaSZsNnYTvWVGeHf"[event];
    return event == witness->at ? witness->verdict : URSA_CONTINUE;
}

static const char *events_of(ursa_event at, ursa_verdict verdict, bool succeeds)
{
    static struct witness witness;
    witness = (struct witness){.callback = {.name = "witness", .on = on_event}, .at = at, .verdict = verdict};
    ursa_dataloaders data = loaders();
    ursa_learner *learner = learner_for(&data);
    assert_true(ursa_add_callback(learner, &witness.callback));
    assert_int_equal(ursa_fit(learner, 1, 0.1), succeeds);
    ursa_learner_free(learner);
    free_loaders(&data);
    return witness.seen;
}

/* Added, Fit begins, Epoch, train, batch, prediction, loss, o before backward, a after it, Step, s after it, n batch
 * done, T training done, v validation, V validation done, e epoch done, f fit done; cancelled: O backward, Z step,
 * N batch, Y training, W validation, G epoch, H fit. */
#define STEP  "bploaSsn"
#define VALID "bpln"

static void test_events(void **state)
{
    (void)state;
    assert_string_equal(events_of(URSA_BEFORE_FIT, URSA_CONTINUE, true),
                        "AFEt" STEP STEP STEP STEP "Tv" VALID VALID VALID VALID "Vef");
}

/* What is ended early, and where the loop goes on, as fastai's exceptions. */
static void test_verdicts(void **state)
{
    (void)state;
    assert_string_equal(events_of(URSA_AFTER_PRED, URSA_STOP_FIT, true), "AFEtbpHf");
    assert_string_equal(events_of(URSA_BEFORE_FIT, URSA_STOP_FIT, true), "AFHf");
    assert_string_equal(events_of(URSA_AFTER_BATCH, URSA_STOP_EPOCH, true), "AFEt" STEP "Gef");
    assert_string_equal(events_of(URSA_AFTER_BACKWARD, URSA_STOP_TRAIN, true),
                        "AFEtbploaYTv" VALID VALID VALID VALID "Vef");
    assert_string_equal(events_of(URSA_BEFORE_VALIDATE, URSA_STOP_VALIDATE, true), "AFEt" STEP STEP STEP STEP "TvWVef");
    assert_string_equal(events_of(URSA_BEFORE_STEP, URSA_SKIP_BATCH, true),
                        "AFEtbploaSNnbploaSNnbploaSNnbploaSNnTv" VALID VALID VALID VALID "Vef");
    assert_string_equal(events_of(URSA_BEFORE_STEP, URSA_SKIP_STEP, true),
                        "AFEtbploaSZsnbploaSZsnbploaSZsnbploaSZsnTv" VALID VALID VALID VALID "Vef");
    assert_string_equal(events_of(URSA_BEFORE_BACKWARD, URSA_SKIP_BACKWARD, true),
                        "AFEtbploOaSsnbploOaSsnbploOaSsnbploOaSsnTv" VALID VALID VALID VALID "Vef");
    assert_string_equal(events_of(URSA_AFTER_BACKWARD, URSA_FAIL, false), "AFEtbploaf");
    assert_string_equal(events_of(URSA_BEFORE_EPOCH, URSA_FAIL, false), "AFEf");
}

static void test_stop_after(void **state)
{
    (void)state;
    const ursa_step_record *steps;
    ursa_dataloaders data = loaders();
    ursa_learner *learner = learner_for(&data);
    assert_true(ursa_add_callback(learner, ursa_stop_after(6)));
    assert_true(ursa_fit_one_cycle(learner, 3, 0.1));
    assert_int_equal(ursa_step_records(learner, &steps), 6);
    ursa_learner_free(learner);
    free_loaders(&data);
}

static ursa_tensor *no_number(ursa_tensor *prediction, ursa_tensor *target)
{
    return ursa_mul_scalar(ursa_cross_entropy(prediction, target), NAN);
}

static void test_nan_is_an_error(void **state)
{
    (void)state;
    ursa_dataloaders data = loaders();
    ursa_learner *learner = ursa_learner_new(&data, ursa_nn_linear(2, 2), .loss = ursa_loss_of(no_number));
    assert_true(ursa_add_callback(learner, ursa_stop_on_nan()));
    assert_false(ursa_fit(learner, 3, 0.1));
    assert_non_null(strstr(ursa_error(), "the loss is nan at step 1; a lower learning rate than 0.1 may help"));
    ursa_clear_error();
    ursa_learner_free(learner);
    free_loaders(&data);
}

static void test_bad_arguments(void **state)
{
    (void)state;
    ursa_dataloaders data = loaders();
    ursa_learner *learner = learner_for(&data);
    assert_false(ursa_fit(learner, 0, 0.1));
    assert_string_equal(ursa_error(), "fit: 0 epochs; it must be 1 or more");
    ursa_clear_error();
    ursa_learner_free(learner);
    free_loaders(&data);
}

/* Nothing in a step waits; an epoch reads its losses once, and the sums of its validation once. */
static void test_steps_do_not_wait(void **state)
{
    (void)state;
    ursa_dataloaders data = loaders();
    ursa_learner *learner = learner_for(&data);
    uint64_t before = ursa_device_waits(ursa_default_device());
    assert_true(ursa_fit(learner, 2, 0.1));
    assert_int_equal(ursa_device_waits(ursa_default_device()) - before, 2 * (1 + 1));
    ursa_learner_free(learner);
    free_loaders(&data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_learns),
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_verdicts),
        cmocka_unit_test(test_stop_after),
        cmocka_unit_test(test_nan_is_an_error),
        cmocka_unit_test(test_bad_arguments),
        cmocka_unit_test(test_steps_do_not_wait),
    };
    return run_unit_tests("learner", tests);
}
