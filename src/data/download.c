/* download.c — a file from the network: resumed where it stopped, checked, and put
 * in its place whole.
 *
 * Beside "x.part" stands "x.part.from" with two lines: the address, and the ETag or
 * date that the server gave the file. Both must still hold for a range of it to be
 * asked for; the server itself compares the second (If-Range, RFC 9110, 13.1.5). */
#include "fetch.h"
#include "base/log.h"
#include "base/memory.h"
#include "io/digest.h"
#include "io/files.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

enum { RETRIES = 5, LONGEST_WAIT = 120, MIB = 1 << 20 };

/* A download under way. */
struct download {
    const char *url, *path;
    const ursa_download_options *options;
    const ursa_fetch_extras *extras;
    char *part, *from; /* the two files beside */
    char *label;
    FILE *file;
    char tag[300];          /* If-Range: an ETag or a date; "" when there is none */
    int64_t asked;          /* where the range asked for begins; 0: all of it */
    int64_t have, total;    /* bytes; total 0: not known */
    int64_t started;        /* `have` when the present try began */
    bool resumed_unchecked; /* a part of before was gone on from, and only the checksums can tell that it fits */
    ursa_progress *progress;
};

/* ---- what came before ------------------------------------------------------------------ */

static void read_tag(struct download *download)
{
    char url[2048] = "";
    FILE *file = fopen(download->from, "r");
    *download->tag = 0;
    if (!file)
        return;
    bool read = fgets(url, sizeof url, file) && fgets(download->tag, sizeof download->tag, file);
    fclose(file);
    url[strcspn(url, "\n")] = download->tag[strcspn(download->tag, "\n")] = 0;
    if (!read || strcmp(url, download->url) != 0)
        *download->tag = 0;
}

/* A weak ETag (W/…) does not promise the same bytes, a date of the file does. */
static void write_tag(struct download *download, const ursa_http_answer *answer)
{
    bool strong = *answer->etag && strncmp(answer->etag, "W/", 2) != 0;
    snprintf(download->tag, sizeof download->tag, "%s", strong ? answer->etag : answer->modified);
    FILE *file = *download->tag ? fopen(download->from, "w") : NULL;
    if (!file) {
        unlink(download->from);
        return;
    }
    fprintf(file, "%s\n%s\n", download->url, download->tag);
    fclose(file);
}

static bool has_checksum(const ursa_download_options *options)
{
    return options->sha256 || options->md5;
}

static bool start_over(struct download *download)
{
    download->have = 0;
    rewind(download->file);
    return ftruncate(fileno(download->file), 0) == 0 ||
           ursa_fail(URSA_ERROR_IO, "%s: cannot be written: %s", download->part, strerror(errno));
}

static bool open_part(struct download *download)
{
    download->file = fopen(download->part, "a+b");
    if (!download->file)
        return ursa_fail(URSA_ERROR_IO, "%s: cannot be written: %s", download->part, strerror(errno));
    fseeko(download->file, 0, SEEK_END);
    download->have = (int64_t)ftello(download->file);
    read_tag(download);
    download->resumed_unchecked = download->have > 0 && !*download->tag;
    bool use = *download->tag || has_checksum(download->options);
    if (download->options->bytes > 0 && download->have > download->options->bytes)
        use = false;
    return download->have == 0 || use || start_over(download);
}

/* ---- one try ------------------------------------------------------------------------------ */

static void show(struct download *download)
{
    char have[URSA_SIZE_TEXT], total[URSA_SIZE_TEXT], note[2 * URSA_SIZE_TEXT + 8];
    ursa_size_text(download->have, have);
    if (download->total)
        snprintf(note, sizeof note, "%s of %s", have, ursa_size_text(download->total, total));
    else
        snprintf(note, sizeof note, "%s", have);
    ursa_progress_step(download->progress, download->have, note);
}

/* What 206 says: "bytes 100-999/1000". */
static bool right_range(struct download *download, const ursa_http_answer *answer)
{
    int64_t first = -1, last = -1, total = -1;
    int read = sscanf(answer->range, "bytes %" SCNd64 "-%" SCNd64 "/%" SCNd64, &first, &last, &total);
    if (read < 2 || first != download->asked)
        return ursa_fail(URSA_ERROR_FORMAT, "%s: the server was asked for the bytes from %lld and sent \"%s\"",
                         download->url, (long long)download->asked, answer->range);
    download->total = read == 3 ? total : 0;
    return true;
}

static bool right_size(const struct download *download)
{
    int64_t expected = download->options->bytes;
    return expected <= 0 || download->total <= 0 || download->total == expected ||
           ursa_fail(URSA_ERROR_FORMAT, "%s: the server's file has %lld bytes, expected %lld: it is another one",
                     download->url, (long long)download->total, (long long)expected);
}

static bool on_begin(void *context, const ursa_http_answer *answer)
{
    struct download *download = context;
    if (answer->status == 206) {
        if (!right_range(download, answer))
            return false;
    } else {
        download->total = answer->length > 0 ? answer->length : 0;
        download->resumed_unchecked = false;
        if (!start_over(download))
            return false;
    }
    write_tag(download, answer);
    if (download->extras && download->extras->answered)
        download->extras->answered(download->extras->context, answer);
    if (!download->progress)
        download->progress = ursa_progress_begin(download->label, download->total);
    return right_size(download);
}

static bool on_write(void *context, const void *data, size_t bytes)
{
    struct download *download = context;
    int64_t expected = download->options->bytes;
    if (fwrite(data, 1, bytes, download->file) != bytes)
        return ursa_fail(URSA_ERROR_IO, "%s: cannot be written: %s", download->part, strerror(errno));
    download->have += (int64_t)bytes;
    if (expected > 0 && download->have > expected)
        return ursa_fail(URSA_ERROR_FORMAT, "%s: the server sent more than the %lld bytes expected", download->url,
                         (long long)expected);
    show(download);
    return true;
}

static bool try_once(struct download *download, ursa_http_answer *answer)
{
    char range[64], condition[340];
    ursa_http_request request = {.url = download->url, .begin = on_begin, .write = on_write, .context = download};
    if (download->extras) {
        request.user = download->extras->user;
        request.password = download->extras->password;
    }
    download->asked = download->started = download->have;
    if (download->have > 0) {
        snprintf(range, sizeof range, "Range: bytes=%lld-", (long long)download->have);
        snprintf(condition, sizeof condition, "If-Range: %s", download->tag);
        request.headers[0] = range;
        request.headers[1] = *download->tag ? condition : NULL;
    }
    return ursa_http(&request, answer);
}

/* ---- try after try --------------------------------------------------------------------------- */

bool ursa_wait_to_retry(const char *url, const ursa_http_answer *answer, int failures)
{
    double asked = ursa_http_retry_after(answer), wait = asked >= 0 ? asked : fmin(0.5 * exp2(failures - 1), 30);
    const char *what = answer->status ? ursa_http_status_text(answer->status) : answer->failure;
    if (wait > LONGEST_WAIT)
        return ursa_fail(URSA_ERROR_IO, "%s: %s: the server asks to wait %.0f s; try again then", url, what, wait);
    ursa_log_line(URSA_LOG_WARN, "%s: %s; trying again in %.1f s", url, what, wait);
    struct timespec time = {(time_t)wait, (long)((wait - floor(wait)) * 1e9)};
    nanosleep(&time, NULL);
    return true;
}

static bool fail_for_good(const struct download *download, const ursa_http_answer *answer)
{
    if (answer->status >= 400 && download->extras && download->extras->refused) {
        download->extras->refused(download->extras->context, download->url, answer);
        return false;
    }
    char have[URSA_SIZE_TEXT];
    const char *kept = download->have > 0 ? "; what has come is kept, and the next try goes on from there" : "";
    if (*answer->failure && download->have == 0)
        return ursa_fail(URSA_ERROR_IO, "%s: %s", download->url, answer->failure);
    if (*answer->failure)
        return ursa_fail(URSA_ERROR_IO, "%s: %s after %s%s", download->url, answer->failure,
                         ursa_size_text(download->have, have), kept);
    return ursa_fail(URSA_ERROR_IO, "%s: the server answers %s%s", download->url, ursa_http_status_text(answer->status),
                     kept);
}

/* The part is as long as the file, or longer ("bytes *" "/1000"): it is whole, or not of this file. */
static bool settle_unsatisfiable(struct download *download, const ursa_http_answer *answer, bool *whole)
{
    int64_t total = -1;
    *whole = sscanf(answer->range, "bytes */%" SCNd64, &total) == 1 && total == download->have &&
             (*download->tag || has_checksum(download->options));
    return *whole || start_over(download);
}

/* One try, and what to make of it: `whole` when all has come; otherwise another is due. */
static bool step(struct download *download, int *failures, bool *whole)
{
    int retries = download->options->retries ? download->options->retries : RETRIES;
    ursa_http_answer answer;
    bool made = try_once(download, &answer), fine = made && (answer.status == 200 || answer.status == 206);
    *whole = fine && !*answer.failure;
    if (made && !*whole) {
        /* A first connection that cannot be made is no cut one: who is offline need not wait. */
        bool reached = answer.status != 0 || download->have > 0 || *failures > 0;
        bool again = *answer.failure ? answer.transient && reached : ursa_http_may_pass(answer.status);
        *failures = fine && download->have > download->started ? 1 : *failures + 1;
        if (answer.status == 416 && !*answer.failure && download->asked > 0)
            made = settle_unsatisfiable(download, &answer, whole);
        else if (!again || *failures > retries)
            made = fail_for_good(download, &answer);
        else
            made = ursa_wait_to_retry(download->url, &answer, *failures);
    }
    ursa_http_answer_clear(&answer);
    return made;
}

static bool bring(struct download *download)
{
    int failures = 0;
    bool whole = false;
    while (!whole)
        if (!step(download, &failures, &whole))
            return false;
    return true;
}

/* ---- checking ------------------------------------------------------------------------------------ */

static bool check_digest(const char *path, const char *url, const char *name, const char *expected, char *found)
{
    /* As many digits as are expected: names of files hold only the first. */
    return strncasecmp(found, expected, strlen(expected)) == 0 ||
           ursa_fail(URSA_ERROR_FORMAT, "%s: its %s is %s, expected %s: damaged, or not the file that was meant (%s)",
                     path, name, found, expected, url);
}

static bool check_file(const char *file, const struct download *download)
{
    const ursa_download_options *options = download->options;
    char found[URSA_DIGEST_TEXT];
    if (options->bytes > 0 && ursa_file_bytes(file) != options->bytes)
        return ursa_fail(URSA_ERROR_FORMAT, "%s: has %lld bytes, expected %lld (%s)", download->path,
                         (long long)ursa_file_bytes(file), (long long)options->bytes, download->url);
    if (options->md5_mib &&
        !(ursa_digest_file(file, URSA_MD5, MIB, found) &&
          check_digest(download->path, download->url, "MD5 of the first MiB", options->md5_mib, found)))
        return false;
    if (options->md5 && !(ursa_digest_file(file, URSA_MD5, 0, found) &&
                          check_digest(download->path, download->url, "MD5", options->md5, found)))
        return false;
    return !options->sha256 || (ursa_digest_file(file, URSA_SHA256, 0, found) &&
                                check_digest(download->path, download->url, "SHA-256", options->sha256, found));
}

/* Whether the file is there already, and right. */
static bool is_there(const struct download *download)
{
    if (ursa_file_bytes(download->path) < 0 || download->options->overwrite)
        return false;
    if (check_file(download->path, download))
        return true;
    ursa_log_line(URSA_LOG_WARN, "%s; bringing it again", ursa_error());
    ursa_clear_error();
    return false;
}

static void remove_parts(struct download *download)
{
    unlink(download->part);
    unlink(download->from);
}

static bool put_in_place(struct download *download)
{
    bool written = fflush(download->file) == 0 && fsync(fileno(download->file)) == 0;
    if (!written)
        return ursa_fail(URSA_ERROR_IO, "%s: cannot be written: %s", download->part, strerror(errno));
    if (!check_file(download->part, download)) {
        remove_parts(download);
        return false;
    }
    if (rename(download->part, download->path) != 0)
        return ursa_fail(URSA_ERROR_IO, "%s: cannot be replaced: %s", download->path, strerror(errno));
    unlink(download->from);
    ursa_sync_folder_of(download->path);
    return true;
}

/* A part of before that turns out wrong was of another file: once more, from the beginning. */
static bool bring_and_check(struct download *download)
{
    if (!open_part(download) || !bring(download))
        return false;
    bool stale = download->resumed_unchecked && download->have > 0;
    if (put_in_place(download))
        return true;
    if (!stale || ursa_error_kind_of() != URSA_ERROR_FORMAT)
        return false;
    ursa_clear_error();
    fclose(download->file);
    return open_part(download) && bring(download) && put_in_place(download);
}

/* ---- all of it ------------------------------------------------------------------------------------- */

static char *label_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return ursa_copy_string(slash ? slash + 1 : path);
}

static bool check_arguments(const char *url, const ursa_download_options *options)
{
    if (strncasecmp(url, "http://", 7) != 0 && strncasecmp(url, "https://", 8) != 0)
        return ursa_fail(URSA_ERROR_ARGUMENT, "download: \"%s\" is no address; expected http://… or https://…", url);
    if (strpbrk(url, "\r\n"))
        return ursa_fail(URSA_ERROR_ARGUMENT, "download: the address has a line end in it");
    if (options->sha256 && !ursa_digest_valid(options->sha256, URSA_SHA256))
        return ursa_fail(URSA_ERROR_ARGUMENT, "download: sha256 is \"%s\"; expected 8 to 64 hexadecimal digits",
                         options->sha256);
    if ((options->md5 && !ursa_digest_valid(options->md5, URSA_MD5)) ||
        (options->md5_mib && !ursa_digest_valid(options->md5_mib, URSA_MD5)))
        return ursa_fail(URSA_ERROR_ARGUMENT, "download: md5 is \"%s\"; expected 32 hexadecimal digits",
                         options->md5 ? options->md5 : options->md5_mib);
    return true;
}

static bool fetch_locked(struct download *download)
{
    bool brought = is_there(download) || bring_and_check(download);
    if (download->file)
        fclose(download->file);
    /* Nothing came: nothing is left behind. */
    if (!brought && ursa_file_bytes(download->part) == 0)
        remove_parts(download);
    ursa_progress_end(download->progress);
    return brought;
}

bool ursa_fetch(const char *url, const char *path, const ursa_download_options *options,
                const ursa_fetch_extras *extras)
{
    if (!url || !path || !check_arguments(url, options) || !ursa_make_folder_of(path))
        return false;
    struct download download = {
        .url = url,
        .path = path,
        .options = options,
        .extras = extras,
        .part = ursa_format("%s.part", path),
        .from = ursa_format("%s.part.from", path),
        .label = options->label ? ursa_copy_string(options->label) : label_of(path),
    };
    int lock = download.part && download.from && download.label ? ursa_lock_path(path) : -1;
    bool brought = lock >= 0 && fetch_locked(&download);
    ursa_unlock_path(lock, path);
    free(download.part);
    free(download.from);
    free(download.label);
    return brought;
}

bool ursa_download_opt(const char *url, const char *path, const ursa_download_options *options)
{
    return ursa_fetch(url, path, options, NULL);
}
