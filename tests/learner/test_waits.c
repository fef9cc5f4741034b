/* test_waits.c — training on a device that works while the host goes on: the host
 * waits for the numbers that somebody wants to see, and for nothing else. */
#include "task.h"

enum { ITEMS = 40, BATCH = 8, SIDE = 16, EPOCHS = 2 };

static ursa_device *device;

static ursa_dataset *images(void)
{
    uint8_t *x = malloc((size_t)ITEMS * SIDE * SIDE * 3);
    int64_t *y = malloc(ITEMS * sizeof *y);
    for (int i = 0; i < ITEMS * SIDE * SIDE * 3; i++)
        x[i] = (uint8_t)(i * 7 % 251);
    for (int i = 0; i < ITEMS; i++)
        y[i] = i % 2;
    ursa_item_layout layout = {.x_shape = ursa_shape(SIDE, SIDE, 3),
                               .x_dtype = URSA_U8,
                               .x_kind = URSA_KIND_IMAGE,
                               .y_shape = ursa_shape(),
                               .y_dtype = URSA_I64,
                               .y_kind = URSA_KIND_CATEGORY};
    return ursa_array_dataset(x, y, ITEMS, &layout);
}

/* Augmented on the device, with all that watches and changes steps. */
static ursa_learner *learner_of(ursa_dataloaders *data, const char *log)
{
    *data = (ursa_dataloaders){.train = ursa_dataloader_new(images(), .batch_size = BATCH, .shuffle = true,
                                                            .training = true, .batch_tfms = {ursa_aug_transforms()}),
                               .valid = ursa_dataloader_new(images(), .batch_size = BATCH)};
    ursa_module *model = ursa_nn_sequential(ursa_nn_conv2d(3, 8, 3), ursa_nn_batch_norm(8), ursa_nn_activation("relu"),
                                            ursa_nn_adaptive_avg_pool2d(1, 1), ursa_nn_flatten(), ursa_nn_dropout(0.1),
                                            ursa_nn_linear(8, 2));
    ursa_learner *learner = ursa_learner_new(data, model, .metrics = {ursa_accuracy, ursa_error_rate});
    assert_true(ursa_add_callback(learner, ursa_clip_gradients(1)) &&
                ursa_add_callback(learner, ursa_accumulate_gradients(16)) &&
                ursa_add_callback(learner, ursa_mixup(0)) && ursa_add_callback(learner, ursa_label_smoothing(0)) &&
                ursa_add_callback(learner, ursa_stop_on_nan()) && ursa_add_callback(learner, ursa_csv_step_log(log)));
    return learner;
}

/* An epoch reads its losses once, and the sums of its validation once. */
static void test_steps_do_not_wait(void **state)
{
    (void)state;
    ursa_dataloaders data;
    ursa_learner *learner = learner_of(&data, "/dev/null");
    uint64_t before = ursa_device_waits(device);
    assert_true(ursa_fit(learner, EPOCHS, 0.01));
    assert_int_equal(ursa_device_waits(device) - before, EPOCHS * (1 + 1));
    ursa_learner_free(learner);
    free_loaders(&data);
}

/* Every other step. */
static ursa_verdict look(ursa_callback *callback, ursa_learner *learner, ursa_event event)
{
    (void)callback;
    const ursa_training *training = ursa_learner_training(learner);
    if (event == URSA_AFTER_LOSS && training->training && training->batch % 2 == 0)
        assert_true(isfinite(ursa_item(training->loss)));
    return URSA_CONTINUE;
}

static void test_only_losses_that_are_looked_at_wait(void **state)
{
    (void)state;
    ursa_dataloaders data;
    ursa_learner *learner = learner_of(&data, "/dev/null");
    ursa_callback looks = {.name = "look", .on = look};
    assert_true(ursa_add_callback(learner, &looks));
    uint64_t before = ursa_device_waits(device);
    assert_true(ursa_fit(learner, EPOCHS, 0.01));
    int looked = (ITEMS / BATCH + 1) / 2;
    assert_int_equal(ursa_device_waits(device) - before, EPOCHS * (looked + 1 + 1));
    ursa_learner_free(learner);
    free_loaders(&data);
}

int main(void)
{
    device = ursa_device_open("opencl");
    if (!device) {
        printf("1..0 # SKIP there is no OpenCL device\n");
        ursa_clear_error();
        return ursa_finish();
    }
    ursa_set_default_device(device);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_steps_do_not_wait),
        cmocka_unit_test(test_only_losses_that_are_looked_at_wait),
    };
    return run_unit_tests("waits", tests);
}
