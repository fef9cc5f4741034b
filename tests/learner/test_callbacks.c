/* test_callbacks.c — the ready-made callbacks that test_training.c of the golden tests does not compare with fastai's.
 */
#include "task.h"

#include <dirent.h>

enum { ITEMS = 48, BATCH = 16 };

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/ursa-callbacks-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    char command[100];
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    return system(command);
}

static const char *in(const char *name)
{
    static char paths[4][128];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static ursa_learner *learner_of(ursa_dataloaders *data)
{
    return ursa_learner_new(data, two_parts(2), .split = {"head"}, .metrics = {ursa_accuracy, ursa_error_rate});
}

/* ---- waiting ------------------------------------------------------------------------------ */

/* Nothing that changes steps waits for the device. */
static void test_nothing_waits(void **state)
{
    (void)state;
    ursa_dataloaders data = loaders_of(halves(ITEMS), halves(ITEMS), BATCH);
    ursa_learner *learner = learner_of(&data);
    assert_true(ursa_add_callback(learner, ursa_mixup(0)) && ursa_add_callback(learner, ursa_label_smoothing(0)) &&
                ursa_add_callback(learner, ursa_accumulate_gradients(32)) &&
                ursa_add_callback(learner, ursa_clip_gradients(1)) && ursa_add_callback(learner, ursa_stop_on_nan()));
    assert_true(ursa_fit(learner, 1, 0.01));
    uint64_t before = ursa_device_waits(ursa_default_device());
    assert_true(ursa_fit(learner, 2, 0.01));
    assert_int_equal(ursa_device_waits(ursa_default_device()) - before, 2 * (1 + 1)); /* losses, validation */
    ursa_learner_free(learner);
    free_loaders(&data);
}

/* ---- watching a number ------------------------------------------------------------------------ */

/* Gives the validation loss a course of its own. */
static double course[16];
static int course_at;

static double on_course(const ursa_metric *metric, const ursa_outputs *all)
{
    (void)metric;
    (void)all;
    return course[course_at++];
}

static const ursa_metric dictated = {.name = "dictated", .compute = on_course};

static int epochs_of(ursa_callback *callback, const double *values, int epochs)
{
    ursa_dataloaders data = loaders_of(halves(ITEMS), halves(ITEMS), BATCH);
    ursa_learner *learner = ursa_learner_new(&data, two_parts(2), .metrics = {dictated});
    const ursa_epoch_record *records;
    memcpy(course, values, (size_t)epochs * sizeof *values);
    course_at = 0;
    assert_true(ursa_fit(learner, epochs, 0.01, .callbacks = {callback}));
    int count = ursa_epoch_records(learner, &records);
    ursa_learner_free(learner);
    free_loaders(&data);
    return count;
}

static void test_early_stopping(void **state)
{
    (void)state;
    static const double rising[] = {1, 2, 2, 3, 3, 2.5, 1, 9};
    assert_int_equal(epochs_of(ursa_early_stopping("dictated"), rising, 8), 3); /* more is better unless it is a loss */
    assert_int_equal(epochs_of(ursa_early_stopping("dictated", .patience = 2), rising, 8), 6);
    assert_int_equal(epochs_of(ursa_early_stopping("dictated", .less = true, .patience = 3), rising, 8), 4);
    assert_int_equal(epochs_of(ursa_early_stopping("dictated", .min_delta = 1.5), rising, 8), 2);
    static const double nothing[] = {NAN, NAN, NAN, NAN};
    assert_int_equal(epochs_of(ursa_early_stopping("dictated", .patience = 2), nothing, 4), 2);
}

static void test_unknown_name(void **state)
{
    (void)state;
    ursa_dataloaders data = loaders_of(halves(ITEMS), halves(ITEMS), BATCH);
    ursa_learner *learner = learner_of(&data);
    assert_false(ursa_fit(learner, 1, 0.01, .callbacks = {ursa_early_stopping("f1")}));
    assert_string_equal(ursa_error(),
                        "monitor: there is no \"f1\"; there are train_loss, valid_loss, accuracy, error_rate");
    ursa_clear_error();
    ursa_learner_free(learner);
    free_loaders(&data);
}

/* The weights of the best epoch are those at the end. */
struct keeper {
    ursa_callback callback;
    float *weights;
};

static ursa_verdict on_keep(ursa_callback *callback, ursa_learner *learner, ursa_event event)
{
    struct keeper *keeper = (struct keeper *)callback;
    int64_t count;
    if (event == URSA_AFTER_EPOCH && ursa_learner_training(learner)->epoch == 1)
        keeper->weights = weights_of(ursa_learner_model(learner), &count);
    return URSA_CONTINUE;
}

static void test_save_best(void **state)
{
    (void)state;
    static const double values[] = {1, 3, 2, 0.5};
    struct keeper keeper = {.callback = {.name = "keeper", .on = on_keep}};
    ursa_dataloaders data = loaders_of(halves(ITEMS), halves(ITEMS), BATCH);
    ursa_learner *learner = ursa_learner_new(&data, two_parts(2), .metrics = {dictated});
    memcpy(course, values, sizeof values);
    course_at = 0;
    assert_true(ursa_fit(learner, 4, 0.05,
                         .callbacks = {&keeper.callback, ursa_save_best("dictated", in("best.safetensors")),
                                       ursa_save_best(NULL, in("each.safetensors"), .every_epoch = true)}));
    assert_same_weights(ursa_learner_model(learner), keeper.weights);
    assert_int_equal(access(in("each_3.safetensors"), F_OK), 0);
    assert_true(ursa_learner_load(learner, in("each_1.safetensors")));
    assert_same_weights(ursa_learner_model(learner), keeper.weights);
    free(keeper.weights);
    ursa_learner_free(learner);
    free_loaders(&data);
}

/* ---- logs ------------------------------------------------------------------------------------------ */

static int lines_of(const char *path, const char *first)
{
    char line[200];
    int lines = 0;
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    for (; fgets(line, sizeof line, file); lines++)
        if (lines == 0)
            assert_string_equal(line, first);
    fclose(file);
    return lines;
}

static void test_logs(void **state)
{
    (void)state;
    ursa_dataloaders data = loaders_of(halves(ITEMS), halves(ITEMS), BATCH);
    ursa_learner *learner = learner_of(&data);
    assert_true(ursa_add_callback(learner, ursa_csv_log(in("epochs.csv"))) &&
                ursa_add_callback(learner, ursa_csv_step_log(in("steps.csv"))));
    assert_true(ursa_fit(learner, 2, 0.01));
    assert_true(ursa_fit(learner, 1, 0.01, .callbacks = {ursa_stop_after(8)})); /* in the middle of its epoch */
    assert_int_equal(lines_of(in("epochs.csv"), "epoch,train_loss,valid_loss,accuracy,error_rate,time\n"), 1 + 2);
    assert_int_equal(lines_of(in("steps.csv"), "step,loss,lr\n"), 1 + 8);
    ursa_learner_free(learner);
    free_loaders(&data);
}

/* ---- mixtures ----------------------------------------------------------------------------------------- */

/* Images of one value each, 0 … 1, whose target is that value: what is in a mixture can be read off. */
enum { SIDE = 12, IMAGES = 64 };

static ursa_dataset *plain_images(void)
{
    float *x = malloc(IMAGES * SIDE * SIDE * sizeof *x), *y = malloc(IMAGES * sizeof *y);
    for (int i = 0; i < IMAGES; i++) {
        y[i] = (float)i / IMAGES;
        for (int j = 0; j < SIDE * SIDE; j++)
            x[i * SIDE * SIDE + j] = y[i];
    }
    ursa_item_layout layout = {
        .x_shape = ursa_shape(SIDE, SIDE, 1), .x_dtype = URSA_F32, .y_shape = ursa_shape(), .y_dtype = URSA_F32};
    return ursa_array_dataset(x, y, IMAGES, &layout);
}

struct look {
    ursa_callback callback;
    int batches;
    double moved;              /* sum of how far targets moved */
    double inside, rectangles; /* items that are mixed, and batches whose mixed places are a rectangle */
};

/* The mean of an image is its target, whether it is a blend or a patch. */
static ursa_verdict on_look(ursa_callback *callback, ursa_learner *learner, ursa_event event)
{
    static float x[IMAGES * SIDE * SIDE];
    float y[IMAGES];
    struct look *look = (struct look *)callback;
    const ursa_training *training = ursa_learner_training(learner);
    if (event != URSA_AFTER_PRED || !training->training)
        return URSA_CONTINUE;
    assert_true(ursa_read(training->x, URSA_F32, x, IMAGES * SIDE * SIDE));
    assert_true(ursa_read(training->y, URSA_F32, y, IMAGES));
    for (int i = 0; i < IMAGES; i++) {
        double mean = 0, own = (double)training->indices[i] / IMAGES;
        int differing = 0;
        for (int j = 0; j < SIDE * SIDE; j++) {
            mean += x[i * SIDE * SIDE + j] / (SIDE * SIDE);
            differing += fabs(x[i * SIDE * SIDE + j] - own) > 1e-4;
        }
        assert_true(fabs(mean - y[i]) < 1e-5);
        look->moved += fabs(y[i] - own);
        look->inside += differing > 0;
        look->rectangles += differing > 0 && differing < SIDE * SIDE;
    }
    look->batches++;
    return URSA_CONTINUE;
}

static ursa_tensor *mean_pixel(ursa_tensor *x)
{
    return ursa_mean(x, ursa_axes(1, 2), false);
}

static struct look look_at(ursa_callback *mix)
{
    struct look look = {.callback = {.name = "look", .order = 30, .on = on_look}};
    ursa_dataloaders data = {.train = ursa_dataloader_new(plain_images(), .batch_size = IMAGES, .shuffle = true)};
    ursa_learner *learner =
        ursa_learner_new(&data, ursa_nn_sequential(ursa_nn_function("mean", mean_pixel), ursa_nn_linear(1, 1)));
    assert_true(ursa_add_callback(learner, mix) && ursa_add_callback(learner, &look.callback));
    assert_true(ursa_fit(learner, 30, 1e-3));
    ursa_learner_free(learner);
    ursa_dataloader_free(data.train);
    return look;
}

static void test_mixup(void **state)
{
    (void)state;
    struct look look = look_at(ursa_mixup(0));
    assert_int_equal(look.batches, 30);
    assert_true(look.rectangles == 0); /* whole images are blended */
    /* How far a target moves is (1 - λ)|a - b|: E|a - b| is 0.328 for one of 64 and any partner; E(1 - λ) for
     * λ = max(B, 1 - B), B ~ Beta(0.4, 0.4), is 0.1602. A move deviates by 0.07, the mean of 1920 by 0.0016. */
    assert_true(fabs(look.moved / (30 * IMAGES) - 0.328 * 0.1602) < 0.0065);
}

static void test_cutmix(void **state)
{
    (void)state;
    struct look look = look_at(ursa_cutmix(0));
    assert_int_equal(look.batches, 30);
    assert_true(look.inside > 0 && look.rectangles > 0.8 * look.inside); /* seldom the whole image */
    /* A rectangle of a uniform λ covers 0.294 of 12 × 12 pixels, less than ½ since edges cut it off; over 30 batches
     * the mean deviates by 0.017. */
    assert_true(fabs(look.moved / (30 * IMAGES) - 0.328 * 0.294) < 0.06);
}

/* Classes: the loss is that of both targets by their shares. */
static void test_mixed_classes(void **state)
{
    (void)state;
    ursa_dataloaders data = loaders_of(halves(ITEMS), halves(ITEMS), ITEMS);
    double losses[2], plain = 0;
    for (int mixed = 0; mixed < 2; mixed++) {
        ursa_set_seed(3);
        ursa_learner *learner = ursa_learner_new(&data, ursa_nn_linear(2, 2));
        const ursa_step_record *steps;
        ursa_no_grad_begin();
        assert_true(ursa_fill_(ursa_find_parameter(ursa_learner_model(learner), "weight"), 0));
        assert_true(ursa_fill_(ursa_find_parameter(ursa_learner_model(learner), "bias"), 0));
        ursa_no_grad_end();
        assert_true(!mixed || ursa_add_callback(learner, ursa_mixup(0)));
        assert_true(ursa_fit(learner, 40, 0.2));
        assert_int_equal(ursa_step_records(learner, &steps), 40);
        losses[mixed] = steps[39].loss;
        plain = steps[0].loss;
        ursa_learner_free(learner);
    }
    assert_true(fabs(plain - log(2)) < 1e-6);  /* equal chances cost log 2, whatever is mixed */
    assert_true(losses[1] > losses[0] + 0.05); /* mixed targets cannot be met */
    free_loaders(&data);
}

/* ---- smoothing ------------------------------------------------------------------------------------------- */

static void test_label_smoothing_ends_with_the_fit(void **state)
{
    (void)state;
    ursa_dataloaders data = loaders_of(halves(ITEMS), halves(ITEMS), BATCH);
    ursa_learner *learner = learner_of(&data);
    assert_true(ursa_fit(learner, 1, 0.01, .callbacks = {ursa_label_smoothing(0.2)}));
    assert_true(ursa_learner_loss(learner)->options.smoothing == 0);
    ursa_learner_free(learner);
    learner = ursa_learner_new(&data, two_parts(2), .loss = ursa_mse_loss());
    assert_false(ursa_fit(learner, 1, 0.01, .callbacks = {ursa_label_smoothing(0.2)}));
    assert_string_equal(ursa_error(), "label_smoothing: the loss is mse, expected one of classes");
    ursa_clear_error();
    ursa_learner_free(learner);
    free_loaders(&data);
}

/* ---- checkpoints -------------------------------------------------------------------------------------------- */

static int files_in(const char *path)
{
    int files = 0;
    DIR *dir = opendir(path);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir));)
        files += entry->d_name[0] != '.';
    closedir(dir);
    return files;
}

static void test_checkpoints_are_few(void **state)
{
    (void)state;
    ursa_dataloaders data = loaders_of(halves(ITEMS), halves(ITEMS), BATCH);
    ursa_learner *learner = learner_of(&data);
    assert_true(ursa_fit(learner, 4, 0.01, .callbacks = {ursa_save_checkpoints(in("c"), .every_steps = 2, .keep = 3)}));
    assert_int_equal(files_in(in("c")), 3);
    assert_int_equal(access(in("c/step-000000000012.safetensors"), F_OK), 0);
    assert_int_equal(access(in("c/step-000000000008.safetensors"), F_OK), 0);
    assert_false(ursa_fit(learner, 1, 0.01, .callbacks = {ursa_save_checkpoints(in("no/such/folder"))}));
    assert_non_null(strstr(ursa_error(), "no/such/folder: cannot be made: No such file or directory"));
    ursa_clear_error();
    ursa_learner_free(learner);
    free_loaders(&data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_waits),
        cmocka_unit_test(test_early_stopping),
        cmocka_unit_test(test_unknown_name),
        cmocka_unit_test(test_save_best),
        cmocka_unit_test(test_logs),
        cmocka_unit_test(test_mixup),
        cmocka_unit_test(test_cutmix),
        cmocka_unit_test(test_mixed_classes),
        cmocka_unit_test(test_label_smoothing_ends_with_the_fit),
        cmocka_unit_test(test_checkpoints_are_few),
    };
    return cmocka_run_group_tests_name("callbacks", tests, make_folder, remove_folder) + (ursa_error() ? 1 : 0) +
           ursa_finish();
}
