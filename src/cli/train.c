/* train.c — `ursa train image`. */
#include "cli.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

enum { NOT_GIVEN = INT_MIN };

static struct {
    const char *arch, *log, *log_steps, *out;
    int size, epochs, steps, batch, seed;
    double lr, valid_pct;
    bool strict, quiet;
    common_options common;
} given;

static const option_spec options[] = {
    {"arch", OPTION_TEXT, &given.arch, "NAME", "the network; `ursa arch list` shows all (small-resnet)"},
    {"size", OPTION_INT, &given.size, "N", "pixels images are made high and wide (as they are for IDX; else 64)"},
    {"epochs", OPTION_INT, &given.epochs, "N", "passes over the data (3)"},
    {"steps", OPTION_INT, &given.steps, "N", "stop after so many steps, for a try (all)"},
    {"bs", OPTION_INT, &given.batch, "N", "images per step (64)"},
    {"lr", OPTION_NUMBER, &given.lr, "X", "the highest learning rate of the cycle (0.004)"},
    {"valid-pct", OPTION_NUMBER, &given.valid_pct, "X", "share held out where DATA has no validation part (0.2)"},
    {"seed", OPTION_INT, &given.seed, "N", "start of all random numbers (42)"},
    {"out", OPTION_TEXT, &given.out, "MODEL", "file to save the trained network to"},
    {"log", OPTION_TEXT, &given.log, "FILE.csv", "a row per epoch: epoch,train_loss,valid_loss,accuracy,time"},
    {"log-steps", OPTION_TEXT, &given.log_steps, "FILE.csv", "a row per step: step,loss,lr"},
    {"strict", OPTION_FLAG, &given.strict, NULL, "an image that cannot be read is an error; else it is skipped"},
    {"quiet", OPTION_FLAG, &given.quiet, NULL, "no bars and no table"},
    COMMON_OPTIONS(given.common),
};

static const command_spec spec = {
    .usage = "ursa train image DATA [options]",
    .summary = "Trains a network to tell classes of images apart, with one-cycle and AdamW.\n"
               "DATA is a folder with a folder of images per class, or a folder of IDX files\n"
               "(MNIST's format, gzipped or not).",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .examples = "  ursa train image photos --epochs 5 --out photos.ursa\n"
                "  ursa train image fashion-mnist --log epochs.csv --device opencl",
    .least = 2,
    .most = 2,
};

static int check_options(void)
{
    if (given.size != NOT_GIVEN && (given.size < 1 || given.size > 4096))
        return usage_error(&spec, "--size is %d; expected 1 to 4096 pixels", given.size);
    if (given.epochs < 1)
        return usage_error(&spec, "--epochs is %d; expected 1 or more", given.epochs);
    if (given.steps < 0)
        return usage_error(&spec, "--steps is %d; expected 1 or more", given.steps);
    if (given.batch < 1)
        return usage_error(&spec, "--bs is %d; expected 1 or more", given.batch);
    if (!(given.lr > 0))
        return usage_error(&spec, "--lr is %g; expected a number above 0", given.lr);
    if (!(given.valid_pct > 0 && given.valid_pct < 1))
        return usage_error(&spec, "--valid-pct is %g; expected a number between 0 and 1", given.valid_pct);
    return EXIT_FINE;
}

static void describe_data(const ursa_image_data *data, const ursa_arch *arch, ursa_module *model)
{
    printf("%lld training and %lld validation images of %d × %d px, %d classes",
           (long long)ursa_dataloader_items(data->loaders.train), (long long)ursa_dataloader_items(data->loaders.valid),
           data->size, data->size, data->class_count);
    if (data->skipped)
        printf("; %lld files skipped", (long long)data->skipped);
    printf("\n%s, %.2f M parameters, on %s\n", arch->name, (double)ursa_parameter_count(model) * 1e-6,
           ursa_device_name(ursa_default_device()));
    fflush(stdout);
}

static bool add_callbacks(ursa_learner *learner)
{
    return (given.quiet || ursa_add_callback(learner, ursa_progress_callback())) &&
           ursa_add_callback(learner, ursa_stop_on_nan()) &&
           (!given.steps || ursa_add_callback(learner, ursa_stop_after(given.steps))) &&
           (!given.log || ursa_add_callback(learner, ursa_csv_log(given.log))) &&
           (!given.log_steps || ursa_add_callback(learner, ursa_csv_step_log(given.log_steps)));
}

static bool save(const ursa_image_data *data, const ursa_arch *arch, ursa_module *model)
{
    ursa_classifier classifier = {
        .model = model,
        .arch = arch->name,
        .size = data->size,
        .channels = data->channels,
        .stats = data->stats,
        .classes = data->classes,
        .class_count = data->class_count,
    };
    if (!given.out || !ursa_classifier_save(&classifier, given.out))
        return !given.out;
    if (!given.quiet)
        printf("saved %s\n", given.out);
    return true;
}

static bool train(ursa_image_data *data, const ursa_arch *arch)
{
    ursa_learner *learner = ursa_vision_learner(data, arch->make, .metrics = {ursa_accuracy});
    ursa_module *model = ursa_learner_model(learner);
    if (model && !given.quiet)
        describe_data(data, arch, model);
    bool done = learner && add_callbacks(learner) && ursa_fit_one_cycle(learner, given.epochs, given.lr) &&
                save(data, arch, model);
    ursa_learner_free(learner);
    return done;
}

int run_train(int argc, char **argv)
{
    const char *arguments[2];
    int status;
    given.arch = "small-resnet";
    given.size = NOT_GIVEN;
    given.epochs = 3;
    given.batch = 64;
    given.seed = 42;
    given.lr = 4e-3;
    given.valid_pct = 0.2;
    if (read_options(&spec, argc, argv, arguments, &status) < 0)
        return status;
    if (strcmp(arguments[0], "image") != 0)
        return usage_error(&spec, "there is no `ursa train %s`", arguments[0]);
    if ((status = check_options()) != EXIT_FINE)
        return status;
    say_warnings();
    ursa_set_seed((uint64_t)given.seed);
    ursa_set_progress(!given.quiet);
    const ursa_arch *arch = ursa_arch_find(given.arch);
    ursa_image_data *data =
        arch && apply_common(&given.common)
            ? ursa_image_data_open(arguments[1], .size = given.size == NOT_GIVEN ? 0 : given.size,
                                   .valid_pct = given.valid_pct, .batch_size = given.batch, .strict = given.strict)
            : NULL;
    bool done = data && train(data, arch);
    ursa_image_data_free(data);
    return done ? EXIT_FINE : EXIT_ERROR;
}
