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
    for (int i = 0; i < ursa_arch_count(); i++) {
        const ursa_arch *arch = ursa_arch_at(i);
        ursa_module *module = arch->make(3, 1000);
        if (!module)
            return EXIT_ERROR;
        printf("%-14s %6.1f M  %s\n", arch->name, (double)ursa_parameter_count(module) * 1e-6, arch->text);
        ursa_module_free(module);
    }
    return EXIT_FINE;
}
