/* cli.h — the pieces of the ursa command. */
#ifndef URSA_CLI_CLI_H
#define URSA_CLI_CLI_H

#include <ursa/ursa.h>

/* Exit statuses. */
enum { EXIT_FINE = 0, EXIT_ERROR = 1, EXIT_USAGE = 2 };

typedef enum option_type {
    OPTION_FLAG,
    OPTION_INT,
    OPTION_NUMBER,
    OPTION_TEXT,
    OPTION_MAYBE_TEXT, /* --name or --name=TEXT; without it the text is "" */
} option_type;

/* An option of a command: where its value goes, and what --help says. */
typedef struct option_spec {
    const char *name; /* without the dashes */
    option_type type;
    void *value;             /* bool, int, double or const char * */
    const char *placeholder; /* "N"; NULL for flags */
    const char *help;
    char letter; /* "-n" for short; 0: none */
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

/* One of several commands behind a word: `ursa data head`. */
typedef struct subcommand {
    const char *name, *text;
    int (*run)(int argc, char **argv);
} subcommand;
/* Runs the one that the first argument names; `command` is what stands before. */
int run_subcommand(const char *command, const subcommand *list, size_t count, int argc, char **argv);

/* From here on, warnings are worth a line each on standard error, even when nobody set a log level. */
void say_warnings(void);

/* The end of a command that brought something: prints its path unless `silent`, frees it, and returns the exit
 * status; of NULL that of an error. */
int end_with_path(char *path, bool silent);

/* "811.7 MB", as ursa_size_text(). */
void format_bytes(int64_t bytes, char *text, size_t size);

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

/* --precision: fp32 (also of NULL), fp16 or bf16; false for any other. */
bool read_precision(const char *name, ursa_dtype *dtype);
/* The same way round. */
const char *precision_name(ursa_dtype dtype);

/* Runs the command that argv[1] names. */
int run_command(int argc, char **argv);

int run_devices(int argc, char **argv);
int run_profile(int argc, char **argv);
int run_tune(int argc, char **argv);
int run_train(int argc, char **argv);
int run_predict(int argc, char **argv);
int run_interpret(int argc, char **argv);
int run_lr_find(int argc, char **argv);
int run_summary(int argc, char **argv);
int run_arch(int argc, char **argv);
int run_weights(int argc, char **argv);
int run_bench(int argc, char **argv);
int run_data(int argc, char **argv);
int run_kaggle(int argc, char **argv);

#endif
