/* options.c — reading arguments, and the help made from the same table. */
#include "cli.h"
#include "io/files.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_OPTIONS = 40, HELP = 1000, LONG = 2000 /* behind all letters */ };

static void print_help(const command_spec *spec)
{
    printf("usage: %s\n\n%s\n", spec->usage, spec->summary);
    if (spec->option_count)
        printf("\noptions\n");
    for (int i = 0; i < spec->option_count; i++) {
        const option_spec *option = &spec->options[i];
        char left[40], letter[6] = "";
        if (option->letter)
            snprintf(letter, sizeof letter, "-%c, ", option->letter);
        const char *value = option->placeholder ? option->placeholder : "";
        const char *format = option->type == OPTION_MAYBE_TEXT ? "%s--%s[=%s]" : *value ? "%s--%s %s" : "%s--%s%s";
        snprintf(left, sizeof left, format, letter, option->name, value);
        printf("  %-22s %s\n", left, option->help);
    }
    if (spec->examples)
        printf("\nexamples\n%s\n", spec->examples);
}

int usage_error(const command_spec *spec, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "ursa: ");
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "; usage: %s\n", spec->usage);
    return EXIT_USAGE;
}

/* False when the text is not of the option's type. */
static bool store(const option_spec *option, const char *text)
{
    char *end = NULL;
    errno = 0;
    switch (option->type) {
    case OPTION_FLAG:
        *(bool *)option->value = true;
        return true;
    case OPTION_TEXT:
        *(const char **)option->value = text;
        return *text;
    case OPTION_MAYBE_TEXT:
        *(const char **)option->value = text ? text : "";
        return true;
    case OPTION_INT: {
        long value = strtol(text, &end, 10);
        *(int *)option->value = (int)value;
        return end != text && !*end && !errno && value >= INT_MIN && value <= INT_MAX;
    }
    case OPTION_NUMBER:
        *(double *)option->value = strtod(text, &end);
        return end != text && !*end && isfinite(*(double *)option->value);
    }
    return false;
}

/* ":hn:q" — what getopt wants to know of the letters. */
static void make_letters(const command_spec *spec, char *letters)
{
    letters = stpcpy(letters, ":h");
    for (int i = 0; i < spec->option_count; i++) {
        if (spec->options[i].letter)
            *letters++ = spec->options[i].letter;
        if (spec->options[i].letter && spec->options[i].type != OPTION_FLAG)
            *letters++ = ':';
    }
    *letters = 0;
}

static const option_spec *with_letter(const command_spec *spec, int letter)
{
    for (int i = 0; i < spec->option_count; i++)
        if (spec->options[i].letter == letter)
            return &spec->options[i];
    return NULL;
}

static int takes(option_type type)
{
    return type == OPTION_FLAG ? no_argument : type == OPTION_MAYBE_TEXT ? optional_argument : required_argument;
}

static int make_table(const command_spec *spec, struct option *table)
{
    for (int i = 0; i < spec->option_count; i++)
        table[i] = (struct option){spec->options[i].name, takes(spec->options[i].type), NULL, LONG + i};
    table[spec->option_count] = (struct option){"help", no_argument, NULL, HELP};
    table[spec->option_count + 1] = (struct option){0};
    return spec->option_count;
}

int read_options(const command_spec *spec, int argc, char **argv, const char **arguments, int *status)
{
    struct option table[MOST_OPTIONS + 2];
    char letters[2 * MOST_OPTIONS + 3];
    int found;
    make_table(spec, table);
    make_letters(spec, letters);
    opterr = 0;
    optind = 1;
    while ((found = getopt_long(argc, argv, letters, table, NULL)) != -1) {
        if (found == HELP || found == 'h') {
            print_help(spec);
            *status = EXIT_FINE;
            return -1;
        }
        if (found == '?' || found == ':') {
            *status = usage_error(spec, found == ':' ? "%s needs a value" : "there is no option %s", argv[optind - 1]);
            return -1;
        }
        const option_spec *option = found >= LONG ? &spec->options[found - LONG] : with_letter(spec, found);
        if (!store(option, optarg)) {
            *status = usage_error(spec, "--%s is \"%s\"; expected %s", option->name, optarg,
                                  option->type == OPTION_INT      ? "a whole number"
                                  : option->type == OPTION_NUMBER ? "a number"
                                                                  : "a text that is not empty");
            return -1;
        }
    }
    int count = argc - optind;
    if (count < spec->least || count > spec->most) {
        if (count > spec->most)
            *status = usage_error(spec, "\"%s\" is one argument too many", argv[optind + spec->most]);
        else
            *status = usage_error(spec, "an argument is missing");
        return -1;
    }
    for (int i = 0; i < count; i++)
        arguments[i] = argv[optind + i];
    return count;
}

bool apply_common(const common_options *common)
{
    if (common->threads && !ursa_set_threads(common->threads))
        return false;
    ursa_device *device = ursa_device_open(common->device);
    return device && ursa_set_default_device(device);
}

static const char *const precisions[] = {[URSA_F32] = "fp32", [URSA_F16] = "fp16", [URSA_BF16] = "bf16"};

bool read_precision(const char *name, ursa_dtype *dtype)
{
    *dtype = URSA_F32;
    while (name && *dtype <= URSA_BF16 && strcmp(precisions[*dtype], name) != 0)
        ++*dtype;
    return *dtype <= URSA_BF16;
}

const char *precision_name(ursa_dtype dtype)
{
    return precisions[dtype];
}

/* ---- what commands share ------------------------------------------------------------ */

static void print_subcommands(FILE *out, const char *command, const subcommand *list, size_t count)
{
    fprintf(out, "usage: %s COMMAND [ARGUMENT…]\n\ncommands\n", command);
    for (size_t i = 0; i < count; i++)
        fprintf(out, "  %-12s %s\n", list[i].name, list[i].text);
    fprintf(out, "\n`%s COMMAND --help` says more.\n", command);
}

int run_subcommand(const char *command, const subcommand *list, size_t count, int argc, char **argv)
{
    if (argc < 2) {
        print_subcommands(stderr, command, list, count);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        print_subcommands(stdout, command, list, count);
        return EXIT_FINE;
    }
    for (size_t i = 0; i < count; i++)
        if (strcmp(argv[1], list[i].name) == 0)
            return list[i].run(argc - 1, argv + 1);
    fprintf(stderr, "ursa: there is no command `%s %s`; `%s --help` lists them\n", command, argv[1], command);
    return EXIT_USAGE;
}

static void print_warning(void *context, ursa_log_level level, const char *line)
{
    (void)context;
    if (level == URSA_LOG_WARN)
        fprintf(stderr, "ursa: %s\n", line);
}

void say_warnings(void)
{
    ursa_set_log(URSA_LOG_WARN, print_warning, NULL);
}

int end_with_path(char *path, bool silent)
{
    int status = path ? EXIT_FINE : EXIT_ERROR;
    if (path && !silent)
        printf("%s\n", path);
    free(path);
    return status;
}

void format_bytes(int64_t bytes, char *text, size_t size)
{
    char formatted[URSA_SIZE_TEXT];
    snprintf(text, size, "%s", ursa_size_text(bytes, formatted));
}
