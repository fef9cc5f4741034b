/* profile.c — `ursa profile`: another command, and where its time went. */
#include "cli.h"

#include <stdio.h>
#include <string.h>

static ursa_profile_options wish;

static const option_spec options[] = {
    {"rows", OPTION_INT, &wish.rows, "N", "operators shown before the rest is summed up (30)"},
    {"trace", OPTION_TEXT, &wish.trace, "FILE.json", "every call and kernel, for chrome://tracing and Perfetto"},
    {"json", OPTION_FLAG, &wish.json, NULL, "one JSON object per operator, behind what the command prints"},
};

static const command_spec spec = {
    .usage = "ursa profile [options] COMMAND [ARGUMENT…]",
    .summary = "Runs another command of ursa and shows, operator by operator, where the time of\n"
               "the device went: calls, kernels, share, GFLOP/s and their share of the device's\n"
               "peak, and GB/s. On OpenCL the times are the device's own.",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .examples = "  ursa profile bench train --arch resnet18 --size 64 --bs 8\n"
                "  ursa profile --trace step.json train image photos --steps 20 --device opencl",
    .least = 1,
    .most = 1,
};

/* The options end where the command begins. */
static int command_at(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (argv[i][0] != '-')
            return i;
        bool takes_next = strcmp(argv[i], "--rows") == 0 || strcmp(argv[i], "--trace") == 0;
        i += takes_next;
    }
    return argc;
}

int run_profile(int argc, char **argv)
{
    const char *command;
    int status, at = command_at(argc, argv), own = at < argc ? at + 1 : argc;
    if (read_options(&spec, own, argv, &command, &status) < 0)
        return status;
    if (wish.rows < 0)
        return usage_error(&spec, "--rows is %d; expected 1 or more", wish.rows);
    if (strcmp(command, "profile") == 0)
        return usage_error(&spec, "a profile has no profile");
    wish.table = !wish.json;
    if (!ursa_profile_opt(&wish))
        return EXIT_ERROR;
    return run_command(argc - at + 1, argv + at - 1);
}
