/* summary.c — `ursa summary`: what a network is made of. */
#include "cli.h"

#include <stdio.h>
#include <stdlib.h>

static struct {
    const char *arch;
    int size, channels, classes, batch;
    common_options common;
} given;

static const option_spec options[] = {
    {"arch", OPTION_TEXT, &given.arch, "NAME", "an architecture, instead of a model's file"},
    {"size", OPTION_INT, &given.size, "N", "pixels of the images, high and wide (224)"},
    {"channels", OPTION_INT, &given.channels, "N", "with --arch: 1 for grey images, 3 for colours (3)"},
    {"classes", OPTION_INT, &given.classes, "N", "with --arch: how many there are (1000)"},
    {"bs", OPTION_INT, &given.batch, "N", "images in a batch (1)"},
    COMMON_OPTIONS(given.common),
};

static const command_spec spec = {
    .usage = "ursa summary MODEL|--arch NAME [options]",
    .summary = "Lists the layers of a network: what they put out, and how many parameters they have.",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .examples = "  ursa summary photos.ursa\n  ursa summary --arch resnet18 --size 128",
    .least = 0,
    .most = 1,
};

static bool print_summary(ursa_module *module, int channels)
{
    char *text = ursa_module_summary(module, ursa_shape(given.batch, given.size, given.size, channels));
    if (text)
        puts(text);
    free(text);
    return text;
}

static bool summarize_model(const char *path)
{
    ursa_learner *learner = ursa_load_learner(path);
    return learner && print_summary(ursa_learner_model(learner),
                                    ursa_datablock_options_of(ursa_learner_data(learner)->block)->blocks[0].channels);
}

static bool summarize_arch(void)
{
    const ursa_arch *arch = ursa_arch_find(given.arch);
    ursa_module *module = arch ? arch->make(given.channels, given.classes) : NULL;
    bool done = module && print_summary(module, given.channels);
    ursa_module_free(module);
    return done;
}

int run_summary(int argc, char **argv)
{
    const char *path;
    int status, count;
    given.size = 224;
    given.channels = 3;
    given.classes = 1000;
    given.batch = 1;
    if ((count = read_options(&spec, argc, argv, &path, &status)) < 0)
        return status;
    if ((count == 1) == (given.arch != NULL))
        return usage_error(&spec, "expected either a model's file or --arch NAME");
    if (given.size < 1 || given.size > 4096)
        return usage_error(&spec, "--size is %d; expected 1 to 4096 pixels", given.size);
    if (given.channels < 1 || given.channels > 4 || given.classes < 1 || given.batch < 1)
        return usage_error(&spec, "--channels, --classes and --bs are 1 or more, channels at most 4");
    bool done = apply_common(&given.common) && (given.arch ? summarize_arch() : summarize_model(path));
    return done ? EXIT_FINE : EXIT_ERROR;
}
