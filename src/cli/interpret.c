/* interpret.c — `ursa interpret`: what a model gets right and wrong, as pictures. */
#include "image_job.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static image_job job;

static struct {
    const char *out;
    int count;
} given;

static const option_spec options[] = {
    {"out", OPTION_TEXT, &given.out, "DIR", "folder for the pictures (the current one)"},
    {"count", OPTION_INT, &given.count, "N", "how many images to show (9)"},
    IMAGE_DATA_OPTIONS(job),
    COMMON_OPTIONS(job.common),
};

static const command_spec spec = {
    .usage = "ursa interpret MODEL DATA [options]",
    .summary = "Shows what a trained model makes of the validation images of DATA, which is what\n"
               "`ursa train image` takes: prints how often it is right, class by class, and writes\n"
               "results.png, top_losses.png and confusion.png.",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .examples = "  ursa interpret photos.ursa photos --out report",
    .least = 2,
    .most = 2,
};

static bool make_folder(const char *path)
{
    if (mkdir(path, 0777) == 0 || errno == EEXIST)
        return true;
    return ursa_fail(URSA_ERROR_IO, "%s: cannot be made: %s", path, strerror(errno));
}

/* A path in the folder of pictures; valid until the next call. */
static const char *picture(const char *name)
{
    static char path[4096];
    snprintf(path, sizeof path, "%s/%s", given.out, name);
    return path;
}

static bool wrote(bool done, const char *name)
{
    if (done)
        printf("wrote %s\n", picture(name));
    return done;
}

/* What makes sense for images of one class only. */
static bool draw_confusion(ursa_interpretation *interp)
{
    return wrote(ursa_plot_confusion_matrix(interp, picture("confusion.png")), "confusion.png");
}

static bool interpret(ursa_learner *learner)
{
    ursa_kind kind = ursa_dataloaders_layout(ursa_learner_data(learner))->y_kind;
    ursa_interpretation *interp = ursa_interpret(learner);
    bool classes = kind == URSA_KIND_CATEGORY || kind == URSA_KIND_MULTI_CATEGORY;
    char *report = interp && classes ? ursa_classification_report(interp) : NULL;
    if (report)
        printf("%s\n", report);
    bool done = interp && make_folder(given.out) &&
                wrote(ursa_show_results(learner, picture("results.png"), .max_n = given.count), "results.png") &&
                wrote(ursa_plot_top_losses(interp, given.count, picture("top_losses.png")), "top_losses.png") &&
                (kind != URSA_KIND_CATEGORY || draw_confusion(interp));
    free(report);
    ursa_interpretation_free(interp);
    return done;
}

int run_interpret(int argc, char **argv)
{
    const char *arguments[2];
    int status;
    begin_job(&job);
    given.out = ".";
    given.count = 9;
    if (read_options(&spec, argc, argv, arguments, &status) < 0 || (status = check_job(&spec, &job)) != EXIT_FINE)
        return status;
    if (given.count < 1 || given.count > 1000)
        return usage_error(&spec, "--count is %d; expected 1 to 1000", given.count);
    ursa_learner *learner = prepare_job(&job) ? ursa_load_learner(arguments[0]) : NULL;
    ursa_dataloaders *data =
        learner ? open_job_data(&job, arguments[1], ursa_datablock_options_of(ursa_learner_data(learner)->block))
                : NULL;
    bool done = data && ursa_learner_set_data(learner, data) && interpret(learner);
    return done ? EXIT_FINE : EXIT_ERROR;
}
