/* data.c — `ursa data`: looking at tables, and getting data sets. */
#include "cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
    int rows;
    const char *delimiter, *to, *base, *sha256;
    bool no_header, latin1, force, keep, quiet, names;
} given;

/* ---- head --------------------------------------------------------------------------- */

static const option_spec head_options[] = {
    {"rows", OPTION_INT, &given.rows, "N", "how many rows to show (5)", 'n'},
    {"delimiter", OPTION_TEXT, &given.delimiter, "C", "what stands between fields; tab for tabs (found out)", 'd'},
    {"no-header", OPTION_FLAG, &given.no_header, NULL, "the first line is data"},
    {"latin1", OPTION_FLAG, &given.latin1, NULL, "the file is Latin-1 (ISO 8859-1), not UTF-8"},
};

static const command_spec head_spec = {
    .usage = "ursa data head FILE [options]",
    .summary = "Shows the first rows of a CSV file as a table, and how many there are.",
    .options = head_options,
    .option_count = sizeof head_options / sizeof *head_options,
    .examples = "  ursa data head planet/train_v2.csv\n"
                "  ursa data head ml-100k/u.item -n 10 --no-header --latin1",
    .least = 1,
    .most = 1,
};

static int run_head(int argc, char **argv)
{
    int status;
    const char *path;
    given.rows = 5;
    if (read_options(&head_spec, argc, argv, &path, &status) < 0)
        return status;
    bool tab = given.delimiter && (strcmp(given.delimiter, "tab") == 0 || strcmp(given.delimiter, "\\t") == 0);
    if (given.delimiter && !tab && given.delimiter[1])
        return usage_error(&head_spec, "--delimiter is \"%s\"; expected one character, or tab", given.delimiter);
    if (given.rows < 1)
        return usage_error(&head_spec, "--rows is %d; expected 1 or more", given.rows);
    ursa_frame *frame = ursa_read_csv(path, .delimiter = given.delimiter ? (tab ? '\t' : *given.delimiter) : 0,
                                      .sniff = !given.delimiter, .no_header = given.no_header, .latin1 = given.latin1);
    bool shown = ursa_frame_head(frame, given.rows);
    ursa_frame_free(frame);
    return shown ? EXIT_FINE : EXIT_ERROR;
}

/* ---- list ----------------------------------------------------------------------------- */

static const option_spec list_options[] = {
    {"names", OPTION_FLAG, &given.names, NULL, "only the names, one per line"},
    {"to", OPTION_TEXT, &given.to, "DIR", "where to look for those that are there (URSA_HOME/data, or ~/.ursa/data)"},
};

static const command_spec list_spec = {
    .usage = "ursa data list [options]",
    .summary = "Lists the data sets that `ursa data get` knows, with the sizes of their downloads:\n"
               "the collection of course.fast.ai/datasets, MNIST and Fashion-MNIST. A star marks\n"
               "those that are there.",
    .options = list_options,
    .option_count = sizeof list_options / sizeof *list_options,
    .least = 0,
    .most = 0,
};

static void size_text(const ursa_data_source *source, char *text, size_t size)
{
    int64_t bytes = 0;
    for (int i = 0; i < URSA_DATA_FILES && source->files[i].name; i++)
        bytes += source->files[i].bytes;
    if (bytes)
        format_bytes(bytes, text, size);
    else
        snprintf(text, size, "?");
}

static void list_source(const ursa_data_source *source)
{
    char size[32];
    char *folder = ursa_data_source_folder(source, given.to);
    size_text(source, size, sizeof size);
    printf("%s %-23s %9s  %s\n", folder ? "*" : " ", source->name, size, source->text);
    free(folder);
}

static int run_list(int argc, char **argv)
{
    int status;
    const char *none, *group = "";
    if (read_options(&list_spec, argc, argv, &none, &status) < 0)
        return status;
    const ursa_data_source *source;
    for (int i = 0; (source = ursa_data_source_at(i)); i++) {
        if (given.names) {
            printf("%s\n", source->name);
            continue;
        }
        if (strcmp(group, source->group) != 0)
            printf("%s%s\n", i ? "\n" : "", source->group);
        group = source->group;
        list_source(source);
    }
    return EXIT_FINE;
}

/* ---- get -------------------------------------------------------------------------------- */

static const option_spec get_options[] = {
    {"to", OPTION_TEXT, &given.to, "DIR", "folder to put it in (URSA_HOME/data, or ~/.ursa/data)"},
    {"force", OPTION_FLAG, &given.force, NULL, "bring it again even if it is there"},
    {"keep-archive", OPTION_FLAG, &given.keep, NULL, "leave the archive beside the folder"},
    {"from", OPTION_TEXT, &given.base, "URL", "another server that has the files (URSA_DATA_URL)"},
    {"sha256", OPTION_TEXT, &given.sha256, "HEX", "what an archive at an address must have"},
    {"quiet", OPTION_FLAG, &given.quiet, NULL, "no bars", 'q'},
};

static const command_spec get_spec = {
    .usage = "ursa data get NAME [options]",
    .summary = "Downloads a data set and unpacks it, unless it is there, and prints its folder.\n"
               "NAME is one of `ursa data list`, the address of an archive, or an archive on disk.\n"
               "What was interrupted goes on where it stopped.",
    .options = get_options,
    .option_count = sizeof get_options / sizeof *get_options,
    .examples = "  ursa data get PETS\n"
                "  ursa train image \"$(ursa data get IMAGENETTE_160)\"",
    .least = 1,
    .most = 1,
};

static int run_get(int argc, char **argv)
{
    int status;
    const char *name;
    if (read_options(&get_spec, argc, argv, &name, &status) < 0)
        return status;
    say_warnings();
    ursa_set_progress(!given.quiet);
    return end_with_path(ursa_untar_data(name, .to = given.to, .base = given.base, .force = given.force,
                                         .keep_archive = given.keep, .sha256 = given.sha256),
                         false);
}

/* ---- which ------------------------------------------------------------------------------- */

static const subcommand subcommands[] = {
    {"head", "show the first rows of a CSV file", run_head},
    {"list", "list the data sets there are", run_list},
    {"get", "download and unpack a data set", run_get},
};

int run_data(int argc, char **argv)
{
    return run_subcommand("ursa data", subcommands, sizeof subcommands / sizeof *subcommands, argc, argv);
}
