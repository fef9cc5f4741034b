/* kaggle_submit.c — sending predictions, in three steps: ask where to put the file,
 * put it there (a resumable upload of Google's cloud storage,
 * https://cloud.google.com/storage/docs/resumable-uploads), and submit it. */
#include "fetch.h"
#include "kaggle.h"
#include "base/memory.h"
#include "io/files.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum { MOST_FAILURES = 10 };

/* A file on its way. */
struct upload {
    const char *url, *path;
    FILE *file;
    int64_t bytes, begin; /* of the file; where the present try began */
    ursa_progress *progress;
};

/* ---- JSON -------------------------------------------------------------------------------- */

/* An object of up to two texts; to free(). */
static char *make_body(const char *key, const char *value, const char *key2, const char *value2)
{
    cJSON *json = cJSON_CreateObject();
    bool made =
        json && cJSON_AddStringToObject(json, key, value) && (!key2 || cJSON_AddStringToObject(json, key2, value2));
    char *text = made ? cJSON_PrintUnformatted(json) : NULL;
    char *copy = text ? ursa_copy_string(text) : NULL;
    if (!copy)
        ursa_fail(URSA_ERROR_MEMORY, "kaggle: out of memory for a request");
    cJSON_free(text);
    cJSON_Delete(json);
    return copy;
}

static char *take_text(const cJSON *answer, const char *key)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(answer, key));
    if (text && *text)
        return ursa_copy_string(text);
    ursa_fail(URSA_ERROR_FORMAT, "kaggle: the server's answer has no \"%s\"", key);
    return NULL;
}

/* ---- the upload ---------------------------------------------------------------------------- */

static void show_sent(void *context, int64_t bytes)
{
    struct upload *upload = context;
    char done[URSA_SIZE_TEXT], total[URSA_SIZE_TEXT], note[80];
    snprintf(note, sizeof note, "%s of %s", ursa_size_text(upload->begin + bytes, done),
             ursa_size_text(upload->bytes, total));
    ursa_progress_step(upload->progress, upload->begin + bytes, note);
}

/* How much the server has: "Range: bytes=0-41" comes with 308; nothing at all: none. */
static bool ask_progress(struct upload *upload, bool *whole)
{
    char range[64];
    ursa_http_answer answer;
    snprintf(range, sizeof range, "Content-Range: bytes */%lld", (long long)upload->bytes);
    ursa_http_request request = {.method = "PUT", .url = upload->url, .headers = {range}, .body = ""};
    if (!ursa_http(&request, &answer))
        return false;
    int64_t last = -1;
    bool known = answer.status == 308;
    if (known && *answer.uploaded && sscanf(answer.uploaded, "bytes=0-%" SCNd64, &last) != 1)
        known = false;
    *whole = answer.status == 200 || answer.status == 201;
    upload->begin = known && last >= 0 && last < upload->bytes ? last + 1 : 0;
    ursa_http_answer_clear(&answer);
    return true;
}

static bool send_rest(struct upload *upload, ursa_http_answer *answer)
{
    char range[96];
    snprintf(range, sizeof range, "Content-Range: bytes %lld-%lld/%lld", (long long)upload->begin,
             (long long)upload->bytes - 1, (long long)upload->bytes);
    ursa_http_request request = {.method = "PUT",
                                 .url = upload->url,
                                 .headers = {upload->begin ? range : NULL},
                                 .upload = upload->file,
                                 .upload_bytes = upload->bytes - upload->begin,
                                 .sent = show_sent,
                                 .context = upload};
    if (fseeko(upload->file, upload->begin, SEEK_SET) != 0)
        return ursa_fail(URSA_ERROR_IO, "%s: cannot be read: %s", upload->path, strerror(errno));
    return ursa_http(&request, answer);
}

static bool may_go_on(const ursa_http_answer *answer)
{
    return *answer->failure ? answer->transient : ursa_http_may_pass(answer->status);
}

static bool upload_refused(const struct upload *upload, const ursa_http_answer *answer)
{
    return ursa_fail(URSA_ERROR_IO, "kaggle: %s could not be uploaded: %s", upload->path,
                     *answer->failure ? answer->failure : ursa_http_status_text(answer->status));
}

static bool put_file(struct upload *upload)
{
    bool whole = false, fine = true;
    for (int failures = 1; fine && !whole; failures++) {
        ursa_http_answer answer;
        fine = send_rest(upload, &answer);
        whole = fine && !*answer.failure && (answer.status == 200 || answer.status == 201);
        if (fine && !whole) {
            bool again = failures < MOST_FAILURES && may_go_on(&answer);
            fine = again ? ursa_wait_to_retry("kaggle: upload", &answer, failures) && ask_progress(upload, &whole)
                         : upload_refused(upload, &answer);
        }
        ursa_http_answer_clear(&answer);
    }
    return fine && whole;
}

static bool upload_file(const char *path, const char *url)
{
    struct upload upload = {.url = url, .path = path, .bytes = ursa_file_bytes(path), .file = fopen(path, "rb")};
    if (!upload.file)
        return ursa_fail(URSA_ERROR_IO, "%s: cannot be read: %s", path, strerror(errno));
    upload.progress = ursa_progress_begin("uploading", upload.bytes);
    bool sent = put_file(&upload);
    ursa_progress_end(upload.progress);
    fclose(upload.file);
    return sent;
}

/* ---- the three steps -------------------------------------------------------------------------- */

static bool ask_where(ursa_kaggle *kaggle, const char *path, char **url, char **token)
{
    struct stat status;
    if (stat(path, &status) != 0)
        return ursa_fail(URSA_ERROR_IO, "%s: cannot be read: %s", path, strerror(errno));
    const char *slash = strrchr(path, '/');
    char *body = make_body("fileName", slash ? slash + 1 : path, NULL, NULL);
    char *address = ursa_format("/competitions/%s/submissions/url/%lld/%lld", kaggle->subject.name,
                                (long long)status.st_size, (long long)status.st_mtime);
    cJSON *answer = body && address ? ursa_kaggle_call(kaggle, address, body) : NULL;
    *url = answer ? take_text(answer, "createUrl") : NULL;
    *token = *url ? take_text(answer, "token") : NULL;
    cJSON_Delete(answer);
    free(address);
    free(body);
    return *token;
}

/* The server says where the file goes: over TLS, if we talk to it so. */
static bool check_upload_address(const ursa_kaggle *kaggle, const char *url)
{
    bool secure = strncasecmp(kaggle->base, "https://", 8) == 0;
    return strncasecmp(url, "https://", 8) == 0 || (!secure && strncasecmp(url, "http://", 7) == 0) ||
           ursa_fail(URSA_ERROR_FORMAT, "kaggle: the server wants the file at an address that is not https");
}

static char *submit(ursa_kaggle *kaggle, const char *token, const char *message)
{
    char *body = make_body("blobFileTokens", token, "submissionDescription", message);
    char *address = ursa_format("/competitions/submissions/submit/%s", kaggle->subject.name);
    cJSON *answer = body && address ? ursa_kaggle_call(kaggle, address, body) : NULL;
    char *text = answer ? take_text(answer, "message") : NULL;
    cJSON_Delete(answer);
    free(address);
    free(body);
    return text;
}

static char *run(ursa_kaggle *kaggle, const char *path, const ursa_kaggle_submit_options *options)
{
    char *url = NULL, *token = NULL, *answer = NULL;
    if (ursa_kaggle_begin(kaggle, options->url) && ask_where(kaggle, path, &url, &token) &&
        check_upload_address(kaggle, url) && upload_file(path, url))
        answer = submit(kaggle, token, options->message);
    free(url);
    free(token);
    ursa_kaggle_end(kaggle);
    return answer;
}

char *ursa_kaggle_submit_opt(const char *name, const char *path, const ursa_kaggle_submit_options *options)
{
    ursa_kaggle kaggle = {0};
    if (!name || !path || !ursa_kaggle_competition(name, &kaggle.subject))
        return NULL;
    if (!options->message || !*options->message) {
        ursa_fail(URSA_ERROR_ARGUMENT, "kaggle: a submission needs a message that says what it is");
        return NULL;
    }
    if (ursa_file_bytes(path) < 1) {
        ursa_fail(URSA_ERROR_IO, "%s: %s; expected a file of predictions", path,
                  ursa_file_bytes(path) == 0 ? "is empty" : "cannot be read: no such file");
        return NULL;
    }
    return run(&kaggle, path, options);
}
