/* lr_find.c — `ursa lr-find`. */
#include "image_job.h"

#include <stdio.h>

static image_job job;
static const char *out;

static const option_spec options[] = {
    IMAGE_NETWORK_OPTIONS(job),
    {"out", OPTION_TEXT, &out, "FILE.png", "draw the curve there (PNG or SVG)"},
    IMAGE_DATA_OPTIONS(job),
    COMMON_OPTIONS(job.common),
};

static const command_spec spec = {
    .usage = "ursa lr-find DATA [options]",
    .summary = "Looks for a good learning rate: trains for up to a hundred steps with growing\n"
               "rates, without keeping anything of it, and says where the loss fell. DATA and\n"
               "options are those of `ursa train image`.",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .examples = "  ursa lr-find photos --arch resnet18 --size 128 --out lr.png",
    .least = 1,
    .most = 1,
};

static void print_suggestions(const ursa_lr_suggestions *suggested)
{
    printf("valley   %-10.2g two thirds along the longest fall of the loss: a good choice\n"
           "steep    %-10.2g where the loss falls fastest\n"
           "minimum  %-10.2g a tenth of the rate with the lowest loss\n"
           "slide    %-10.2g before the slope changes for the last time\n"
           "shoot    %-10.2g ten times back from where the loss shoots up\n",
           suggested->valley, suggested->steep, suggested->minimum, suggested->slide, suggested->shoot);
}

int run_lr_find(int argc, char **argv)
{
    const char *path;
    int status;
    begin_job(&job);
    if (read_options(&spec, argc, argv, &path, &status) < 0 || (status = check_job(&spec, &job)) != EXIT_FINE)
        return status;
    ursa_lr_found found = {0};
    ursa_learner *learner = make_job_learner(&job, prepare_job(&job) ? open_job_data(&job, path, NULL) : NULL);
    describe_job(&job, learner);
    bool done = ursa_lr_find(learner, &found);
    if (done)
        print_suggestions(&found.suggested);
    if (done && out && (done = ursa_plot_lr_find(&found, out)))
        printf("wrote %s\n", out);
    ursa_lr_found_clear(&found);
    return done ? EXIT_FINE : EXIT_ERROR;
}
