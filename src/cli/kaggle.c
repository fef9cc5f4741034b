/* kaggle.c — `ursa kaggle`: competitions and data sets of kaggle.com, with the options of Kaggle's own tool. */
#include "cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
    const char *name, *path, *file, *search, *sort_by, *category, *group, *user, *message;
    int page;
    bool here, force, unzip, quiet, csv, mine;
} given;

static const char credentials_text[] =
    "\nCredentials: kaggle.json in ~/.kaggle (https://www.kaggle.com/settings, \"Create New\n"
    "Token\"), or the variables KAGGLE_USERNAME and KAGGLE_KEY.";

#define CSV_OPTION                                                                                                     \
    {                                                                                                                  \
        "csv", OPTION_FLAG, &given.csv, NULL, "as CSV instead of a table", 'v'                                         \
    }
#define QUIET_OPTION                                                                                                   \
    {                                                                                                                  \
        "quiet", OPTION_FLAG, &given.quiet, NULL, "no bars and no word but errors", 'q'                                \
    }
#define COMPETITION_OPTION                                                                                             \
    {                                                                                                                  \
        "competition", OPTION_TEXT, &given.name, "NAME", "the competition, if not given as an argument", 'c'           \
    }
#define DATASET_OPTION                                                                                                 \
    {                                                                                                                  \
        "dataset", OPTION_TEXT, &given.name, "OWNER/NAME", "the data set, if not given as an argument", 'd'            \
    }

/* ---- what the commands share --------------------------------------------------------- */

/* Reads the arguments; the name may be one, or an option. False when the command is over. */
static bool read_arguments(command_spec *spec, const char *what, int argc, char **argv, int *status)
{
    static char help[1200];
    const char *argument = NULL;
    snprintf(help, sizeof help, "%s\n%s", spec->summary, credentials_text);
    spec->summary = help;
    int count = read_options(spec, argc, argv, &argument, status);
    if (count < 0)
        return false;
    if (count && given.name) {
        *status = usage_error(spec, "\"%s\" is one argument too many beside \"%s\"", argument, given.name);
        return false;
    }
    given.name = count ? argument : given.name;
    if (what && !given.name) {
        *status = usage_error(spec, "which %s?", what);
        return false;
    }
    if (!given.quiet)
        say_warnings();
    ursa_set_progress(!given.quiet);
    return true;
}

static bool print_csv(const ursa_frame *frame)
{
    char *text = ursa_frame_csv_text(frame, .delimiter = ',');
    bool printed = text && fputs(text, stdout) >= 0;
    free(text);
    return printed;
}

/* All rows, as a table or as CSV; frees the frame. */
static int show(ursa_frame *frame, const char *nothing)
{
    bool shown = frame;
    if (frame && ursa_frame_rows(frame) == 0 && !given.csv)
        printf("%s\n", nothing);
    else if (frame)
        shown = given.csv ? print_csv(frame) : ursa_frame_head(frame, ursa_frame_rows(frame));
    ursa_frame_free(frame);
    return shown ? EXIT_FINE : EXIT_ERROR;
}

static const char *folder_given(void)
{
    return given.path && !given.here ? given.path : ".";
}

/* ---- competitions ----------------------------------------------------------------------- */

static const option_spec competition_list_options[] = {
    {"search", OPTION_TEXT, &given.search, "WORDS", "only those with these words", 's'},
    {"page", OPTION_INT, &given.page, "N", "which page of the list (1)", 'p'},
    {"sort-by", OPTION_TEXT, &given.sort_by, "WHAT",
     "grouped, prize, earliestDeadline, latestDeadline, numberOfTeams, recentlyCreated"},
    {"category", OPTION_TEXT, &given.category, "WHICH",
     "all, featured, research, recruitment, gettingStarted, masters, playground"},
    {"group", OPTION_TEXT, &given.group, "WHICH", "general, entered, inClass"},
    CSV_OPTION,
};

static int run_competition_list(int argc, char **argv)
{
    int status;
    command_spec spec = {.usage = "ursa kaggle competitions list [options]",
                         .summary = "Lists competitions.",
                         .options = competition_list_options,
                         .option_count = sizeof competition_list_options / sizeof *competition_list_options,
                         .examples = "  ursa kaggle competitions list -s \"satellite images\""};
    if (!read_arguments(&spec, NULL, argc, argv, &status))
        return status;
    return show(ursa_kaggle_competitions(.search = given.search, .page = given.page, .sort_by = given.sort_by,
                                         .category = given.category, .group = given.group),
                "no competitions found");
}

static const option_spec competition_name_options[] = {COMPETITION_OPTION, CSV_OPTION, QUIET_OPTION};

static int run_competition_files(int argc, char **argv)
{
    int status;
    command_spec spec = {.usage = "ursa kaggle competitions files NAME [options]",
                         .summary = "Lists the files of a competition.",
                         .options = competition_name_options,
                         .option_count = sizeof competition_name_options / sizeof *competition_name_options,
                         .most = 1};
    if (!read_arguments(&spec, "competition", argc, argv, &status))
        return status;
    return show(ursa_kaggle_competition_files(given.name, .url = NULL), "no files found");
}

static int run_competition_submissions(int argc, char **argv)
{
    int status;
    command_spec spec = {.usage = "ursa kaggle competitions submissions NAME [options]",
                         .summary = "Lists what you have submitted to a competition.",
                         .options = competition_name_options,
                         .option_count = sizeof competition_name_options / sizeof *competition_name_options,
                         .most = 1};
    if (!read_arguments(&spec, "competition", argc, argv, &status))
        return status;
    return show(ursa_kaggle_submissions(given.name, .url = NULL), "nothing submitted yet");
}

#define DOWNLOAD_OPTIONS                                                                                               \
    {"file", OPTION_TEXT, &given.file, "FILE", "only this file; default: all, as one ZIP archive", 'f'},               \
        {"path", OPTION_TEXT, &given.path, "DIR", "folder to put it in (the current one)", 'p'},                       \
        {"wp", OPTION_FLAG, &given.here, NULL, "the same as -p .", 'w'},                                               \
        {"force", OPTION_FLAG, &given.force, NULL, "bring it again even if it is there", 'o'},                         \
        {"unzip", OPTION_FLAG, &given.unzip, NULL, "unpack the archive there, and remove it"}, QUIET_OPTION

static const option_spec competition_download_options[] = {COMPETITION_OPTION, DOWNLOAD_OPTIONS};

static int run_competition_download(int argc, char **argv)
{
    int status;
    command_spec spec = {.usage = "ursa kaggle competitions download NAME [options]",
                         .summary = "Downloads the files of a competition whose rules you have accepted. What was\n"
                                    "interrupted goes on where it stopped.",
                         .options = competition_download_options,
                         .option_count = sizeof competition_download_options / sizeof *competition_download_options,
                         .examples = "  ursa kaggle competitions download titanic -p titanic --unzip\n"
                                     "  ursa kaggle competitions download titanic -f train.csv",
                         .most = 1};
    if (!read_arguments(&spec, "competition", argc, argv, &status))
        return status;
    return end_with_path(ursa_kaggle_download_competition(given.name, .file = given.file, .path = folder_given(),
                                                          .force = given.force, .unzip = given.unzip),
                         given.quiet);
}

static const option_spec submit_options[] = {
    COMPETITION_OPTION,
    {"file", OPTION_TEXT, &given.file, "FILE", "your predictions; required", 'f'},
    {"message", OPTION_TEXT, &given.message, "TEXT", "what this submission is; required", 'm'},
    QUIET_OPTION,
};

static int run_submit(int argc, char **argv)
{
    int status;
    command_spec spec = {.usage = "ursa kaggle competitions submit NAME -f FILE -m TEXT [options]",
                         .summary = "Submits predictions to a competition.",
                         .options = submit_options,
                         .option_count = sizeof submit_options / sizeof *submit_options,
                         .examples = "  ursa kaggle competitions submit titanic -f mine.csv -m \"first try\"",
                         .most = 1};
    if (!read_arguments(&spec, "competition", argc, argv, &status))
        return status;
    if (!given.file || !given.message)
        return usage_error(&spec, "--%s is missing", given.file ? "message" : "file");
    return end_with_path(ursa_kaggle_submit(given.name, given.file, .message = given.message), given.quiet);
}

static const subcommand competition_commands[] = {
    {"list", "list competitions", run_competition_list},
    {"files", "list the files of one", run_competition_files},
    {"download", "download its files", run_competition_download},
    {"submit", "submit predictions", run_submit},
    {"submissions", "list what you have submitted", run_competition_submissions},
};

static int run_competitions(int argc, char **argv)
{
    return run_subcommand("ursa kaggle competitions", competition_commands,
                          sizeof competition_commands / sizeof *competition_commands, argc, argv);
}

/* ---- data sets ---------------------------------------------------------------------------- */

static const option_spec dataset_list_options[] = {
    {"search", OPTION_TEXT, &given.search, "WORDS", "only those with these words", 's'},
    {"page", OPTION_INT, &given.page, "N", "which page of the list (1)", 'p'},
    {"sort-by", OPTION_TEXT, &given.sort_by, "WHAT", "hottest, votes, updated, active, published"},
    {"user", OPTION_TEXT, &given.user, "NAME", "only those of this owner"},
    {"mine", OPTION_FLAG, &given.mine, NULL, "only your own", 'm'},
    CSV_OPTION,
};

static int run_dataset_list(int argc, char **argv)
{
    int status;
    command_spec spec = {.usage = "ursa kaggle datasets list [options]",
                         .summary = "Lists data sets.",
                         .options = dataset_list_options,
                         .option_count = sizeof dataset_list_options / sizeof *dataset_list_options,
                         .examples = "  ursa kaggle datasets list -s bears"};
    if (!read_arguments(&spec, NULL, argc, argv, &status))
        return status;
    if (given.mine && given.user)
        return usage_error(&spec, "--mine and --user do not go together");
    return show(ursa_kaggle_datasets(.search = given.search, .page = given.page, .sort_by = given.sort_by,
                                     .user = given.user, .group = given.mine ? "my" : NULL),
                "no data sets found");
}

static const option_spec dataset_name_options[] = {DATASET_OPTION, CSV_OPTION, QUIET_OPTION};

static int run_dataset_files(int argc, char **argv)
{
    int status;
    command_spec spec = {.usage = "ursa kaggle datasets files OWNER/NAME [options]",
                         .summary = "Lists the files of a data set.",
                         .options = dataset_name_options,
                         .option_count = sizeof dataset_name_options / sizeof *dataset_name_options,
                         .most = 1};
    if (!read_arguments(&spec, "data set", argc, argv, &status))
        return status;
    return show(ursa_kaggle_dataset_files(given.name, .url = NULL), "no files found");
}

static const option_spec dataset_download_options[] = {DATASET_OPTION, DOWNLOAD_OPTIONS};

static int run_dataset_download(int argc, char **argv)
{
    int status;
    command_spec spec = {.usage = "ursa kaggle datasets download OWNER/NAME [options]",
                         .summary = "Downloads a data set. What was interrupted goes on where it stopped.",
                         .options = dataset_download_options,
                         .option_count = sizeof dataset_download_options / sizeof *dataset_download_options,
                         .examples = "  ursa kaggle datasets download zynicide/wine-reviews -p wine --unzip",
                         .most = 1};
    if (!read_arguments(&spec, "data set", argc, argv, &status))
        return status;
    return end_with_path(ursa_kaggle_download_dataset(given.name, .file = given.file, .path = folder_given(),
                                                      .force = given.force, .unzip = given.unzip),
                         given.quiet);
}

static const subcommand dataset_commands[] = {
    {"list", "list data sets", run_dataset_list},
    {"files", "list the files of one", run_dataset_files},
    {"download", "download its files", run_dataset_download},
};

static int run_datasets(int argc, char **argv)
{
    return run_subcommand("ursa kaggle datasets", dataset_commands, sizeof dataset_commands / sizeof *dataset_commands,
                          argc, argv);
}

static const subcommand commands[] = {
    {"competitions", "list, download, submit", run_competitions},
    {"datasets", "list, download", run_datasets},
};

int run_kaggle(int argc, char **argv)
{
    return run_subcommand("ursa kaggle", commands, sizeof commands / sizeof *commands, argc, argv);
}
