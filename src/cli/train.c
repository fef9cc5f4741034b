/* train.c — `ursa train image`. */
#include "image_job.h"

#include <stdio.h>
#include <string.h>

static image_job job;

static struct {
    const char *log, *log_steps, *out, *checkpoint, *report;
    int epochs, fine_tune, steps;
    double lr;
    bool resume;
} given;

static const option_spec options[] = {
    IMAGE_NETWORK_OPTIONS(job),
    {"epochs", OPTION_INT, &given.epochs, "N", "passes over the data, in one cycle (3)"},
    {"fine-tune", OPTION_INT, &given.fine_tune, "N", "instead: one pass of the head alone, then N of the whole"},
    {"lr", OPTION_NUMBER, &given.lr, "X", "the highest learning rate (0.004; 0.002 with --fine-tune)"},
    {"steps", OPTION_INT, &given.steps, "N", "stop after so many steps, for a try (all)"},
    {"out", OPTION_TEXT, &given.out, "MODEL", "file to save the trained model to"},
    {"report", OPTION_TEXT, &given.report, "DIR", "folder for a page with pictures of how it went"},
    {"log", OPTION_TEXT, &given.log, "FILE.csv", "a row per epoch: epoch,train_loss,valid_loss,<metrics>,time"},
    {"log-steps", OPTION_TEXT, &given.log_steps, "FILE.csv", "a row per step: step,loss,lr"},
    {"checkpoint", OPTION_TEXT, &given.checkpoint, "DIR", "keep the state of training there, epoch by epoch"},
    {"resume", OPTION_FLAG, &given.resume, NULL, "go on from the newest checkpoint, as if nothing had happened"},
    {"quiet", OPTION_FLAG, &job.quiet, NULL, "no bars and no table"},
    IMAGE_DATA_OPTIONS(job),
    COMMON_OPTIONS(job.common),
};

static const command_spec spec = {
    .usage = "ursa train image DATA [options]",
    .summary = "Trains a network to tell images apart, with one-cycle and AdamW. DATA is a folder\n"
               "with a folder of images per class (or folders train and valid of such), a folder\n"
               "of IDX files (MNIST's format, gzipped or not), or, with --labels, a folder of\n"
               "images whose labels are in their names or in a table.",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .examples = "  ursa train image photos --epochs 5 --out photos.ursa\n"
                "  ursa train image photos --arch resnet18 --pretrained --fine-tune 4 --size 128 --augment default\n"
                "  ursa train image planet --labels csv:planet/train_v2.csv --label-delim ' ' --folder train-jpg \\\n"
                "      --suffix .jpg --metrics f2@0.2\n"
                "  ursa train image fashion-mnist --log epochs.csv --device opencl",
    .least = 2,
    .most = 2,
};

static int check_options(void)
{
    if (given.epochs != NOT_GIVEN && given.epochs < 1)
        return usage_error(&spec, "--epochs is %d; expected 1 or more", given.epochs);
    if (given.fine_tune != NOT_GIVEN && given.fine_tune < 1)
        return usage_error(&spec, "--fine-tune is %d; expected 1 or more", given.fine_tune);
    if (given.epochs != NOT_GIVEN && given.fine_tune != NOT_GIVEN)
        return usage_error(&spec, "--epochs and --fine-tune exclude each other");
    if (given.steps < 0)
        return usage_error(&spec, "--steps is %d; expected 1 or more", given.steps);
    if (given.lr != NOT_GIVEN && !(given.lr > 0))
        return usage_error(&spec, "--lr is %g; expected a number above 0", given.lr);
    if (given.resume && !given.checkpoint)
        return usage_error(&spec, "--resume needs --checkpoint DIR");
    return check_job(&spec, &job);
}

static bool add_callbacks(ursa_learner *learner)
{
    return ursa_add_callback(learner, ursa_stop_on_nan()) &&
           (!given.steps || ursa_add_callback(learner, ursa_stop_after(given.steps))) &&
           (!given.log || ursa_add_callback(learner, ursa_csv_log(given.log))) &&
           (!given.log_steps || ursa_add_callback(learner, ursa_csv_step_log(given.log_steps))) &&
           (!given.checkpoint ||
            ursa_add_callback(learner, ursa_save_checkpoints(given.checkpoint, .resume = given.resume)));
}

static bool fit(ursa_learner *learner)
{
    if (given.fine_tune != NOT_GIVEN)
        return ursa_fine_tune(learner, given.fine_tune, .base_lr = given.lr == NOT_GIVEN ? 0 : given.lr);
    return ursa_fit_one_cycle(learner, given.epochs == NOT_GIVEN ? 3 : given.epochs,
                              given.lr == NOT_GIVEN ? 4e-3 : given.lr);
}

static bool save(ursa_learner *learner)
{
    if (!given.out || !ursa_export(learner, given.out))
        return !given.out;
    if (!job.quiet)
        printf("saved %s\n", given.out);
    return true;
}

static bool report(ursa_learner *learner)
{
    if (!given.report || !ursa_report(learner, given.report))
        return !given.report;
    if (!job.quiet)
        printf("wrote %s/index.html\n", given.report);
    return true;
}

int run_train(int argc, char **argv)
{
    const char *arguments[2];
    int status;
    begin_job(&job);
    given.epochs = given.fine_tune = NOT_GIVEN;
    given.lr = NOT_GIVEN;
    if (read_options(&spec, argc, argv, arguments, &status) < 0)
        return status;
    if (strcmp(arguments[0], "image") != 0)
        return usage_error(&spec, "there is no `ursa train %s`", arguments[0]);
    if ((status = check_options()) != EXIT_FINE)
        return status;
    ursa_dataloaders *data = prepare_job(&job) ? open_job_data(&job, arguments[1], NULL) : NULL;
    ursa_learner *learner = make_job_learner(&job, data);
    describe_job(&job, learner);
    bool done = learner && add_callbacks(learner) && fit(learner) && save(learner) && report(learner);
    return done ? EXIT_FINE : EXIT_ERROR;
}
