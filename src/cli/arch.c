/* arch.c — `ursa arch list`. */
#include "cli.h"

#include <stdio.h>
#include <string.h>

static const command_spec spec = {
    .usage = "ursa arch list",
    .summary = "Lists the architectures that --arch takes, with their numbers of parameters\n"
               "for colour images and 1000 classes.",
    .least = 1,
    .most = 1,
};

int run_arch(int argc, char **argv)
{
    int status;
    const char *what;
    if (read_options(&spec, argc, argv, &what, &status) < 0)
        return status;
    if (strcmp(what, "list") != 0)
        return usage_error(&spec, "there is no `ursa arch %s`", what);
    printf("%-20s %10s  %-16s %s\n", "name", "parameters", "input", "");
    for (int i = 0; i < ursa_arch_count(); i++) {
        const ursa_arch *arch = ursa_arch_at(i);
        printf("%-20s %8.1f M  %-16s %s%s\n", arch->name, (double)arch->parameters * 1e-6,
               arch->cut ? "3 × 224 × 224" : "3 × 64 × 64", arch->text, arch->weights ? "; pretrained weights" : "");
    }
    return EXIT_FINE;
}
