/* kaggle_lists.c — competitions, data sets, their files and one's submissions. */
#include "kaggle.h"
#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_PAGES = 500, PAGE_SIZE = 200 };

static const ursa_kaggle_field competition_fields[] = {
    {"ref", {"ref", "url"}}, {"deadline", {"deadline"}},   {"category", {"category"}},
    {"reward", {"reward"}},  {"teamCount", {"teamCount"}}, {"userHasEntered", {"userHasEntered"}}};
static const ursa_kaggle_field dataset_fields[] = {{"ref", {"ref"}},
                                                   {"title", {"title"}},
                                                   {"size", {"totalBytes", "size"}, true},
                                                   {"lastUpdated", {"lastUpdated"}},
                                                   {"downloadCount", {"downloadCount"}},
                                                   {"voteCount", {"voteCount"}},
                                                   {"usabilityRating", {"usabilityRating"}}};
static const ursa_kaggle_field file_fields[] = {
    {"name", {"name", "ref"}}, {"size", {"totalBytes", "size"}, true}, {"creationDate", {"creationDate"}}};
static const ursa_kaggle_field submission_fields[] = {
    {"fileName", {"fileName"}},       {"date", {"date"}},
    {"description", {"description"}}, {"status", {"status"}},
    {"publicScore", {"publicScore"}}, {"privateScore", {"privateScore"}}};
#define COUNT(fields) ((int)(sizeof(fields) / sizeof *(fields)))

/* ---- addresses ----------------------------------------------------------------------- */

/* Adds "?name=value" or "&name=value"; frees `path`. Nothing for a NULL value. */
static char *with_parameter(char *path, const char *name, const char *value)
{
    if (!path || !value || !*value)
        return path;
    char *escaped = ursa_http_escape(value);
    char *longer = escaped ? ursa_format("%s%c%s=%s", path, strchr(path, '?') ? '&' : '?', name, escaped) : NULL;
    free(escaped);
    free(path);
    return longer;
}

static char *with_number(char *path, const char *name, int number)
{
    char text[16];
    snprintf(text, sizeof text, "%d", number);
    return with_parameter(path, name, number > 0 ? text : NULL);
}

/* ---- one page -------------------------------------------------------------------------- */

static ursa_frame *list(char *path, const ursa_kaggle_list_options *options, const ursa_kaggle_subject *subject,
                        const char *key, const ursa_kaggle_field *fields, int count)
{
    ursa_kaggle kaggle = {0};
    if (subject)
        kaggle.subject = *subject;
    cJSON *answer = path && ursa_kaggle_begin(&kaggle, options->url) ? ursa_kaggle_call(&kaggle, path, NULL) : NULL;
    ursa_frame *frame = answer ? ursa_kaggle_table(ursa_kaggle_list(answer, key), fields, count) : NULL;
    cJSON_Delete(answer);
    ursa_kaggle_end(&kaggle);
    free(path);
    return frame;
}

static bool check_page(const ursa_kaggle_list_options *options)
{
    return options->page >= 0 || ursa_fail(URSA_ERROR_ARGUMENT, "kaggle: page %d; expected 1 or more", options->page);
}

ursa_frame *ursa_kaggle_competitions_opt(const ursa_kaggle_list_options *options)
{
    if (!check_page(options))
        return NULL;
    char *path = with_parameter(ursa_copy_string("/competitions/list"), "group", options->group);
    path = with_parameter(path, "category", options->category);
    path = with_parameter(path, "sortBy", options->sort_by);
    path = with_number(path, "page", options->page ? options->page : 1);
    path = with_parameter(path, "search", options->search);
    return list(path, options, NULL, "competitions", competition_fields, COUNT(competition_fields));
}

ursa_frame *ursa_kaggle_datasets_opt(const ursa_kaggle_list_options *options)
{
    if (!check_page(options))
        return NULL;
    const char *group = options->group ? options->group : options->user ? "user" : NULL;
    char *path = with_parameter(ursa_copy_string("/datasets/list"), "group", group);
    path = with_parameter(path, "sortBy", options->sort_by);
    path = with_parameter(path, "search", options->search);
    path = with_parameter(path, "user", options->user);
    path = with_number(path, "page", options->page ? options->page : 1);
    return list(path, options, NULL, "datasets", dataset_fields, COUNT(dataset_fields));
}

ursa_frame *ursa_kaggle_submissions_opt(const char *name, const ursa_kaggle_list_options *options)
{
    ursa_kaggle_subject subject;
    if (!name || !check_page(options) || !ursa_kaggle_competition(name, &subject))
        return NULL;
    char *path = with_number(ursa_format("/competitions/submissions/list/%s", subject.name), "page",
                             options->page ? options->page : 1);
    return list(path, options, &subject, "submissions", submission_fields, COUNT(submission_fields));
}

/* ---- all pages ----------------------------------------------------------------------------- */

/* Moves the entries of a page behind those there are. */
static void append(cJSON *all, const cJSON *page)
{
    cJSON *list_of_page = (cJSON *)page;
    while (list_of_page->child)
        cJSON_AddItemToArray(all, cJSON_DetachItemViaPointer(list_of_page, list_of_page->child));
}

/* One page of files into `all`; `token` becomes that of the next, or NULL. */
static bool read_page(ursa_kaggle *kaggle, const char *path, const char *key, cJSON *all, char **token)
{
    char *full = with_number(with_parameter(ursa_copy_string(path), "pageToken", *token), "pageSize", PAGE_SIZE);
    cJSON *answer = full ? ursa_kaggle_call(kaggle, full, NULL) : NULL;
    const cJSON *page = answer ? ursa_kaggle_list(answer, key) : NULL;
    const char *next = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(answer, "nextPageToken"));
    free(*token);
    *token = page && next && *next ? ursa_copy_string(next) : NULL;
    if (page)
        append(all, page);
    cJSON_Delete(answer);
    free(full);
    return page;
}

static ursa_frame *list_files(char *path, const ursa_kaggle_list_options *options, const ursa_kaggle_subject *subject,
                              const char *key)
{
    ursa_kaggle kaggle = {.subject = *subject};
    cJSON *all = cJSON_CreateArray();
    char *token = NULL;
    bool read = path && all && ursa_kaggle_begin(&kaggle, options->url);
    for (int page = 0; read && (page == 0 || token); page++) {
        if (page == MOST_PAGES)
            read = ursa_fail(URSA_ERROR_FORMAT, "kaggle: the list of files goes on after %d pages", MOST_PAGES);
        else
            read = read_page(&kaggle, path, key, all, &token);
    }
    ursa_frame *frame = read ? ursa_kaggle_table(all, file_fields, COUNT(file_fields)) : NULL;
    cJSON_Delete(all);
    free(token);
    ursa_kaggle_end(&kaggle);
    free(path);
    return frame;
}

ursa_frame *ursa_kaggle_competition_files_opt(const char *name, const ursa_kaggle_list_options *options)
{
    ursa_kaggle_subject subject;
    if (!name || !ursa_kaggle_competition(name, &subject))
        return NULL;
    return list_files(ursa_format("/competitions/data/list/%s", subject.name), options, &subject, "files");
}

ursa_frame *ursa_kaggle_dataset_files_opt(const char *name, const ursa_kaggle_list_options *options)
{
    ursa_kaggle_subject subject;
    if (!name || !ursa_kaggle_dataset(name, &subject))
        return NULL;
    char *path = with_number(ursa_format("/datasets/list/%s/%s", subject.owner, subject.name), "datasetVersionNumber",
                             subject.version);
    return list_files(path, options, &subject, "datasetFiles");
}
