/* cli.h — the pieces of the ursa command. */
#ifndef URSA_CLI_CLI_H
#define URSA_CLI_CLI_H

#include <ursa/ursa.h>

/* Exit statuses. */
enum { EXIT_FINE = 0, EXIT_ERROR = 1, EXIT_USAGE = 2 };

typedef enum option_type { OPTION_FLAG, OPTION_INT, OPTION_NUMBER, OPTION_TEXT } option_type;

/* An option of a command: where its value goes, and what --help says. */
typedef struct option_spec {
    const char *name; /* without the dashes */
    option_type type;
    void *value;             /* bool, int, double or const char * */
    const char *placeholder; /* "N"; NULL for flags */
    const char *help;
} option_spec;

/* A command or subcommand, as --help shows it. */
typedef struct command_spec {
    const char *usage;   /* "ursa train image DATA [options]" */
    const char *summary; /* what it does, wrapped by hand */
    const option_spec *options;
    int option_count;
    const char *examples; /* shown at the end; may be NULL */
    int least, most;      /* positional arguments */
} command_spec;

/* Reads the arguments behind the command's name. Fills the options and the
 * positional arguments (in `arguments`, up to spec->most). Returns how many of
 * those, or -1 when the command is over: `status` then is its exit status (help
 * was asked for, or the usage was wrong, which has been said). */
int read_options(const command_spec *spec, int argc, char **argv, const char **arguments, int *status);

/* Says what is wrong with the usage, and returns EXIT_USAGE. */
int usage_error(const command_spec *spec, const char *format, ...) URSA_PRINTF(2, 3);

/* What most commands take: --device, --threads, --seed. */
typedef struct common_options {
    const char *device;
    int threads, seed;
} common_options;
#define COMMON_OPTIONS(common)                                                                                         \
    {"device", OPTION_TEXT, &(common).device, "D", "auto, cpu, opencl, opencl:N or part of a name (URSA_DEVICE)"},     \
    {                                                                                                                  \
        "threads", OPTION_INT, &(common).threads, "N", "threads that kernels and loading share (URSA_THREADS)"         \
    }
/* Applies them; false, with an error, when the device is not there. */
bool apply_common(const common_options *common);

int run_devices(int argc, char **argv);
int run_train(int argc, char **argv);
int run_predict(int argc, char **argv);
int run_interpret(int argc, char **argv);
int run_arch(int argc, char **argv);
int run_bench(int argc, char **argv);

#endif
