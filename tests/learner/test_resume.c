/* test_resume.c — training that is killed and resumed ends with the same bytes as training that is not.
 *
 * The program runs itself: with arguments it trains, and may kill itself at an event. */
#include "../unit.h"

#include <ursa/ursa.h>

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ITEMS = 72, BATCH = 8, KILLED = -1 };

/* ---- the training ------------------------------------------------------------------ */

static ursa_dataset *spiral(void)
{
    float *x = malloc(ITEMS * 2 * sizeof *x);
    int64_t *y = malloc(ITEMS * sizeof *y);
    for (int i = 0; i < ITEMS; i++) {
        float angle = 0.2f * (float)i + (i % 2 ? 3.14159f : 0);
        x[2 * i] = (float)i / ITEMS * cosf(angle);
        x[2 * i + 1] = (float)i / ITEMS * sinf(angle);
        y[i] = i % 2;
    }
    ursa_item_layout layout = {ursa_shape(2), URSA_F32, ursa_shape(), URSA_I64};
    return ursa_array_dataset(x, y, ITEMS, &layout);
}

/* Kills this process at its n-th event. */
struct killer {
    ursa_callback callback;
    long left;
};

static ursa_verdict on_event(ursa_callback *callback, ursa_learner *learner, ursa_event event)
{
    struct killer *killer = (struct killer *)callback;
    (void)learner;
    (void)event;
    if (killer->left > 0 && --killer->left == 0)
        kill(getpid(), SIGKILL);
    return URSA_CONTINUE;
}

static ursa_module *network(void)
{
    return ursa_nn_sequential(ursa_named("body", ursa_nn_sequential(ursa_nn_linear(2, 16), ursa_nn_batch_norm(16),
                                                                    ursa_nn_activation("relu"))),
                              ursa_named("head", ursa_nn_sequential(ursa_nn_dropout(0.3), ursa_nn_linear(16, 2))));
}

static bool train_all(ursa_learner *learner, struct killer *killer, char *(*in)(const char *name))
{
    return ursa_lookahead(ursa_learner_optimizer(learner), 3, 0.5) && ursa_add_callback(learner, &killer->callback) &&
           ursa_add_callback(learner, ursa_csv_step_log(in("steps.csv"))) &&
           ursa_add_callback(learner, ursa_save_best("accuracy", in("best.safetensors"))) &&
           ursa_add_callback(learner, ursa_mixup(0)) && ursa_add_callback(learner, ursa_clip_gradients(1)) &&
           ursa_add_callback(learner, ursa_save_checkpoints(in("checkpoints"), .every_steps = 5, .every_epochs = 1,
                                                            .resume = true)) &&
           ursa_fine_tune(learner, 2, .base_lr = 0.05, .freeze_epochs = 2,
                          .callbacks = {ursa_accumulate_gradients(3 * BATCH)}) &&
           ursa_fit(learner, 4, 0.02,
                    .callbacks = {ursa_reduce_on_plateau("valid_loss", .factor = 2),
                                  ursa_early_stopping("valid_loss", .patience = 4)}) &&
           ursa_learner_save(learner, in("final.safetensors"));
}

static const char *folder;

static char *in_folder(const char *name)
{
    static char paths[4][256];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static int train(const char *dir, long kill_at)
{
    folder = dir;
    struct killer killer = {.callback = {.name = "killer", .order = 0, .on = on_event}, .left = kill_at};
    if (kill_at % 2) /* before the others, or after them */
        killer.callback.order = 300;
    ursa_set_seed(7);
    ursa_dataloaders data = {.train = ursa_dataloader_new(spiral(), .batch_size = BATCH, .shuffle = true),
                             .valid = ursa_dataloader_new(spiral(), .batch_size = 50)};
    /* In f16, since that has most to put back: a scale so large that steps are skipped, and that soon grows. */
    ursa_learner *learner = ursa_to_fp16(
        ursa_learner_new(&data, network(), .metrics = {ursa_accuracy}, .split = {"head"}, .momentum = {0.9, 0.8, 0.9}),
        .scale = 0x1p22, .interval = 5);
    bool done = learner && train_all(learner, &killer, in_folder);
    ursa_learner_free(learner);
    ursa_dataloader_free(data.train);
    ursa_dataloader_free(data.valid);
    return ursa_finish() | !done;
}

/* ---- running it ---------------------------------------------------------------------------- */

/* The exit status, or KILLED. `after` microseconds, if not 0, from outside. */
static int run(const char *dir, long kill_at, const char *threads, useconds_t after)
{
    char text[32];
    snprintf(text, sizeof text, "%ld", kill_at);
    pid_t child = fork();
    if (child == 0) {
        setenv("URSA_THREADS", threads, 1);
        execl("/proc/self/exe", "test_resume", dir, text, (char *)NULL);
        _exit(127);
    }
    int status;
    if (after) {
        usleep(after);
        kill(child, SIGKILL);
    }
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFSIGNALED(status) ? KILLED : WEXITSTATUS(status);
}

static void make_folder(char *path)
{
    strcpy(path, "/tmp/ursa-resume-XXXXXX");
    assert_non_null(mkdtemp(path));
}

static void remove_folder(const char *path)
{
    char command[300];
    snprintf(command, sizeof command, "rm -r '%s'", path);
    assert_int_equal(system(command), 0);
}

static char *content(const char *dir, const char *name, size_t *bytes)
{
    char path[300];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    char *data = malloc(1 << 20);
    *bytes = fread(data, 1, 1 << 20, file);
    fclose(file);
    return data;
}

static void assert_same_file(const char *a, const char *b, const char *name)
{
    size_t bytes, other_bytes;
    char *data = content(a, name, &bytes), *other = content(b, name, &other_bytes);
    assert_int_equal(bytes, other_bytes);
    assert_memory_equal(data, other, bytes);
    free(data);
    free(other);
}

static void assert_same_training(const char *a, const char *b)
{
    assert_same_file(a, b, "final.safetensors");
    assert_same_file(a, b, "best.safetensors");
    assert_same_file(a, b, "steps.csv");
}

/* ---- tests ------------------------------------------------------------------------------------ */

static char whole[64];

static int train_whole(void **state)
{
    (void)state;
    make_folder(whole);
    return run(whole, 0, "1", 0);
}

static int drop_whole(void **state)
{
    (void)state;
    remove_folder(whole);
    return 0;
}

static void test_killed_at_events(void **state)
{
    (void)state;
    ursa_rng rng = ursa_rng_new(1, URSA_PURPOSE_USER, 0);
    for (int trial = 0; trial < 12; trial++) {
        char dir[64];
        make_folder(dir);
        int kills = 0, status;
        /* Over and over, until the end is reached; at least a few steps beyond the last checkpoint each time. */
        while ((status = run(dir, 60 + (long)ursa_rng_below(&rng, 400), kills % 2 ? "2" : "1", 0)) == KILLED)
            assert_true(++kills < 100);
        assert_int_equal(status, 0);
        assert_true(kills > 0);
        assert_same_training(whole, dir);
        remove_folder(dir);
    }
}

static void test_killed_at_any_moment(void **state)
{
    (void)state;
    ursa_rng rng = ursa_rng_new(2, URSA_PURPOSE_USER, 0);
    char dir[64];
    make_folder(dir);
    for (int kills = 0; kills < 8; kills++)
        run(dir, 0, "2", 10000 + (useconds_t)ursa_rng_below(&rng, 60000));
    assert_int_equal(run(dir, 0, "2", 0), 0);
    assert_same_training(whole, dir);
    remove_folder(dir);
}

static void test_other_fit_is_an_error(void **state)
{
    (void)state;
    char dir[64], checkpoints[100];
    make_folder(dir);
    snprintf(checkpoints, sizeof checkpoints, "%s/c", dir);
    ursa_dataloaders data = {.train = ursa_dataloader_new(spiral(), .batch_size = BATCH)};
    for (int epochs = 2; epochs <= 3; epochs++) {
        ursa_learner *learner = ursa_learner_new(&data, network());
        assert_true(ursa_add_callback(learner, ursa_save_checkpoints(checkpoints, .resume = true)));
        assert_int_equal(ursa_fit(learner, epochs, 0.1), epochs == 2);
        ursa_learner_free(learner);
    }
    assert_non_null(strstr(ursa_error(), "/c: it is of a fit of 2 epochs, and this one has 3"));
    ursa_clear_error();
    ursa_dataloader_free(data.train);
    remove_folder(dir);
}

int main(int argc, char **argv)
{
    if (argc == 3)
        return train(argv[1], atol(argv[2]));
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_killed_at_events),
        cmocka_unit_test(test_killed_at_any_moment),
        cmocka_unit_test(test_other_fit_is_an_error),
    };
    return cmocka_run_group_tests_name("resume", tests, train_whole, drop_whole) + ursa_finish();
}
