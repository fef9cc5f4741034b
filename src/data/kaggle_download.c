/* kaggle_download.c — files of competitions and data sets. */
#include "fetch.h"
#include "kaggle.h"
#include "base/log.h"
#include "base/memory.h"
#include "io/files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A download: the conversation, and where the server sent us for the file. */
struct download {
    ursa_kaggle kaggle;
    const ursa_kaggle_download_options *options;
    char *url, *path;
    bool wrapped; /* the one file asked for came in a ZIP archive of its own */
};

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* "…/train.csv.zip?signature" for train.csv: Kaggle keeps large files compressed. */
static bool is_wrapped(const char *location, const char *file)
{
    size_t length = strcspn(location, "?#");
    char *path = ursa_format("%.*s", (int)length, location);
    char *zipped = ursa_http_escape(last_part(file));
    size_t plain = zipped ? strlen(zipped) : 0;
    const char *name = path ? last_part(path) : "";
    bool wrapped = zipped && strncmp(name, zipped, plain) == 0 && strcmp(name + plain, ".zip") == 0;
    free(zipped);
    free(path);
    return wrapped;
}

static void refused(void *context, const char *url, const ursa_http_answer *answer)
{
    struct download *download = context;
    ursa_kaggle_refused(&download->kaggle, url, answer);
}

static void answered(void *context, const ursa_http_answer *answer)
{
    struct download *download = context;
    download->wrapped = download->options->file && is_wrapped(answer->location, download->options->file);
}

/* ---- addresses ------------------------------------------------------------------------- */

static char *competition_address(const ursa_kaggle *kaggle, const char *file)
{
    const char *name = kaggle->subject.name;
    char *escaped = file ? ursa_http_escape(file) : NULL;
    char *url = file ? ursa_format("%s/competitions/data/download/%s/%s", kaggle->base, name, escaped ? escaped : "")
                     : ursa_format("%s/competitions/data/download-all/%s", kaggle->base, name);
    free(escaped);
    return url;
}

static char *dataset_address(const ursa_kaggle *kaggle, const char *file)
{
    const ursa_kaggle_subject *subject = &kaggle->subject;
    char version[48] = "";
    char *escaped = ursa_http_escape(file ? file : "");
    if (subject->version)
        snprintf(version, sizeof version, "?datasetVersionNumber=%d", subject->version);
    char *url = escaped ? ursa_format("%s/datasets/download/%s/%s%s%s%s", kaggle->base, subject->owner, subject->name,
                                      file ? "/" : "", escaped, version)
                        : NULL;
    free(escaped);
    return url;
}

/* ---- the file and what becomes of it ------------------------------------------------------ */

static char *zipped_name(const struct download *download)
{
    return ursa_format("%s.zip", download->path);
}

/* Whether it is there from before, by either name. */
static bool is_there(struct download *download)
{
    if (download->options->force)
        return false;
    if (ursa_file_bytes(download->path) >= 0)
        return true;
    char *zipped = download->options->file ? zipped_name(download) : NULL;
    download->wrapped = zipped && ursa_file_bytes(zipped) >= 0;
    if (download->wrapped) {
        free(download->path);
        download->path = zipped;
        return true;
    }
    free(zipped);
    return false;
}

/* Kaggle's own tool calls such a file as what it is, train.csv.zip. */
static bool name_wrapped(struct download *download)
{
    char *zipped = download->wrapped ? zipped_name(download) : NULL;
    if (!zipped)
        return !download->wrapped;
    if (rename(download->path, zipped) != 0) {
        free(zipped);
        return ursa_fail(URSA_ERROR_IO, "%s: cannot be renamed", download->path);
    }
    free(download->path);
    download->path = zipped;
    return true;
}

static bool bring(struct download *download)
{
    if (is_there(download)) {
        ursa_log_line(URSA_LOG_WARN, "%s: is there already; force brings it again", download->path);
        return true;
    }
    ursa_fetch_extras extras = {.user = download->kaggle.login.user,
                                .password = download->kaggle.login.key,
                                .refused = refused,
                                .answered = answered,
                                .context = download};
    ursa_download_options options = {.overwrite = download->options->force};
    return ursa_fetch(download->url, download->path, &options, &extras) && name_wrapped(download);
}

/* The folder, after unpacking into it; or the file as it is. */
static char *unzip(struct download *download, const char *folder)
{
    bool archive = !download->options->file || download->wrapped;
    if (!download->options->unzip || !archive)
        return ursa_copy_string(download->path);
    if (!ursa_unpack(download->path, folder))
        return NULL;
    unlink(download->path);
    return ursa_copy_string(folder);
}

static bool check_file(const char *file)
{
    const char *name = file ? last_part(file) : "x";
    return (*name && strcmp(name, ".") != 0 && strcmp(name, "..") != 0) ||
           ursa_fail(URSA_ERROR_ARGUMENT, "kaggle: \"%s\" is no name of a file", file);
}

static char *run(struct download *download, char *(*address)(const ursa_kaggle *kaggle, const char *file))
{
    const ursa_kaggle_download_options *options = download->options;
    const char *folder = options->path ? options->path : ".";
    char *result = NULL;
    if (check_file(options->file) && ursa_kaggle_begin(&download->kaggle, options->url)) {
        download->url = address(&download->kaggle, options->file);
        download->path = options->file ? ursa_format("%s/%s", folder, last_part(options->file))
                                       : ursa_format("%s/%s.zip", folder, download->kaggle.subject.name);
        if (download->url && download->path && bring(download))
            result = unzip(download, folder);
    }
    free(download->url);
    free(download->path);
    ursa_kaggle_end(&download->kaggle);
    return result;
}

char *ursa_kaggle_download_competition_opt(const char *name, const ursa_kaggle_download_options *options)
{
    struct download download = {.options = options};
    if (!name || !ursa_kaggle_competition(name, &download.kaggle.subject))
        return NULL;
    return run(&download, competition_address);
}

char *ursa_kaggle_download_dataset_opt(const char *name, const ursa_kaggle_download_options *options)
{
    struct download download = {.options = options};
    if (!name || !ursa_kaggle_dataset(name, &download.kaggle.subject))
        return NULL;
    return run(&download, dataset_address);
}
