/* main.c — the ursa command: finds the subcommand. */
#include "cli.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name, *text;
    int (*run)(int argc, char **argv);
} commands[] = {
    {"train", "train a network on images", run_train},
    {"lr-find", "look for a good learning rate", run_lr_find},
    {"predict", "classify images with a trained network", run_predict},
    {"interpret", "look at what a trained network gets right and wrong", run_interpret},
    {"summary", "list the layers of a network", run_summary},
    {"data", "get data sets, look at tables", run_data},
    {"kaggle", "competitions and data sets of kaggle.com", run_kaggle},
    {"devices", "list processors and graphics cards", run_devices},
    {"arch", "list architectures", run_arch},
    {"weights", "list, get, convert and try pretrained weights", run_weights},
    {"tune", "find the fastest kernels for a network on a device", run_tune},
    {"profile", "run another command and show where its time went", run_profile},
    {"bench", "measure the speed of this machine", run_bench},
};
enum { COMMANDS = sizeof commands / sizeof *commands };

static void print_usage(FILE *out)
{
    fprintf(
        out,
        "usage: ursa COMMAND [ARGUMENT…]\n\nDeep learning on any GPU, and on the CPU you already have.\n\ncommands\n");
    for (int i = 0; i < COMMANDS; i++)
        fprintf(out, "  %-12s %s\n", commands[i].name, commands[i].text);
    fprintf(out, "\n`ursa COMMAND --help` says more. To begin:\n  ursa train image path/to/folder-of-class-folders "
                 "--out model.ursa\n");
}

int run_command(int argc, char **argv)
{
    if (argc < 2) {
        print_usage(stderr);
        return EXIT_USAGE;
    }
    const char *name = argv[1];
    if (strcmp(name, "--version") == 0) {
        printf("ursa %s\n", ursa_version());
        return EXIT_FINE;
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        print_usage(stdout);
        return EXIT_FINE;
    }
    for (int i = 0; i < COMMANDS; i++)
        if (strcmp(name, commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    fprintf(stderr, "ursa: there is no command \"%s\"; `ursa --help` lists them\n", name);
    return EXIT_USAGE;
}

int main(int argc, char **argv)
{
    int status = run_command(argc, argv), finished = ursa_finish();
    return status ? status : finished;
}
