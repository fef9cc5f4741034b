/* http_curl.c — requests by libcurl. */
#include "http.h"
#include "base/memory.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MOST_REDIRECTS = 10, MOST_BODY = 1 << 20, CONNECT_SECONDS = 20, STALL_SECONDS = 30 };

/* One transfer: the request, the answer so far, and whether a callback ended it. */
struct transfer {
    const ursa_http_request *request;
    ursa_http_answer *answer;
    CURL *curl;
    int64_t sent;
    bool begun, stopped;
};

/* ---- the answer ------------------------------------------------------------------- */

/* The value of a header "Name: value\r\n", when it has this name. */
static bool take_header(const char *line, size_t length, const char *name, char *value, size_t size)
{
    size_t begin = strlen(name);
    if (length <= begin || strncasecmp(line, name, begin) != 0 || line[begin] != ':')
        return false;
    begin++;
    while (begin < length && (line[begin] == ' ' || line[begin] == '\t'))
        begin++;
    while (length > begin && strchr("\r\n \t", line[length - 1]))
        length--;
    /* A value that does not fit is no use cut short. */
    snprintf(value, size, "%.*s", length - begin < size ? (int)(length - begin) : 0, line + begin);
    return true;
}

static size_t on_header(char *line, size_t one, size_t length, void *context)
{
    struct transfer *transfer = context;
    ursa_http_answer *answer = transfer->answer;
    if (length >= 5 && memcmp(line, "HTTP/", 5) == 0) {
        /* The headers of a redirect are not those of the file. */
        *answer->etag = *answer->modified = *answer->range = *answer->retry_after = *answer->content_type =
            *answer->uploaded = 0;
        return one * length;
    }
    (void)(take_header(line, length, "ETag", answer->etag, sizeof answer->etag) ||
           take_header(line, length, "Last-Modified", answer->modified, sizeof answer->modified) ||
           take_header(line, length, "Content-Range", answer->range, sizeof answer->range) ||
           take_header(line, length, "Range", answer->uploaded, sizeof answer->uploaded) ||
           take_header(line, length, "Retry-After", answer->retry_after, sizeof answer->retry_after) ||
           take_header(line, length, "Location", answer->location, sizeof answer->location) ||
           take_header(line, length, "Content-Type", answer->content_type, sizeof answer->content_type));
    return one * length;
}

static void read_status(struct transfer *transfer)
{
    long status = 0;
    curl_off_t length = -1;
    curl_easy_getinfo(transfer->curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(transfer->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    transfer->answer->status = (int)status;
    transfer->answer->length = length;
}

static size_t collect(ursa_http_answer *answer, const char *data, size_t bytes)
{
    size_t room = MOST_BODY - answer->body_bytes, kept = bytes < room ? bytes : room;
    char *grown = ursa_grow(answer->body, answer->body_bytes + kept + 1);
    if (!grown)
        return 0;
    memcpy(grown + answer->body_bytes, data, kept);
    answer->body = grown;
    answer->body_bytes += kept;
    grown[answer->body_bytes] = 0;
    return bytes;
}

static bool begin(struct transfer *transfer)
{
    const ursa_http_request *request = transfer->request;
    if (transfer->begun)
        return true;
    transfer->begun = true;
    return !request->begin || request->begin(request->context, transfer->answer);
}

static size_t on_body(char *data, size_t one, size_t count, void *context)
{
    struct transfer *transfer = context;
    const ursa_http_request *request = transfer->request;
    size_t bytes = one * count;
    read_status(transfer);
    int status = transfer->answer->status;
    if (!request->write || (status != 200 && status != 206)) {
        size_t kept = collect(transfer->answer, data, bytes);
        transfer->stopped = kept != bytes;
        return kept;
    }
    transfer->stopped = !begin(transfer) || !request->write(request->context, data, bytes);
    return transfer->stopped ? 0 : bytes;
}

/* ---- the request -------------------------------------------------------------------- */

static size_t on_upload(char *to, size_t one, size_t count, void *context)
{
    struct transfer *transfer = context;
    const ursa_http_request *request = transfer->request;
    int64_t left = request->upload_bytes - transfer->sent;
    size_t wanted = one * count;
    size_t got = fread(to, 1, (uint64_t)left < wanted ? (size_t)left : wanted, request->upload);
    if (got == 0 && left > 0) {
        ursa_fail(URSA_ERROR_IO, "the file to send became shorter meanwhile");
        transfer->stopped = true;
        return CURL_READFUNC_ABORT;
    }
    transfer->sent += (int64_t)got;
    if (request->sent)
        request->sent(request->context, transfer->sent);
    return got;
}

/* libcurl goes back to the beginning when it has to send a body again. */
static int on_seek(void *context, curl_off_t offset, int origin)
{
    struct transfer *transfer = context;
    if (origin != SEEK_SET || fseeko(transfer->request->upload, offset, SEEK_SET) != 0)
        return CURL_SEEKFUNC_CANTSEEK;
    transfer->sent = offset;
    return CURL_SEEKFUNC_OK;
}

static void set_protocols(CURL *curl, const char *url)
{
    /* What began over TLS stays there. */
    bool secure = strncasecmp(url, "https:", 6) == 0;
#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, secure ? "https" : "http,https");
#else
    long both = CURLPROTO_HTTP | CURLPROTO_HTTPS, only = CURLPROTO_HTTPS;
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS, both);
    curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS, secure ? only : both);
#endif
}

static void set_body(struct transfer *transfer)
{
    const ursa_http_request *request = transfer->request;
    CURL *curl = transfer->curl;
    if (request->body) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(request->body));
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body);
    }
    if (request->upload) {
        curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)request->upload_bytes);
        curl_easy_setopt(curl, CURLOPT_READFUNCTION, on_upload);
        curl_easy_setopt(curl, CURLOPT_READDATA, transfer);
        curl_easy_setopt(curl, CURLOPT_SEEKFUNCTION, on_seek);
        curl_easy_setopt(curl, CURLOPT_SEEKDATA, transfer);
    }
    if (request->method)
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
}

static void set_options(struct transfer *transfer, struct curl_slist *headers)
{
    const ursa_http_request *request = transfer->request;
    CURL *curl = transfer->curl;
    double stall = request->stall_seconds > 0 ? request->stall_seconds : STALL_SECONDS;
    curl_easy_setopt(curl, CURLOPT_URL, request->url);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "ursa/" URSA_VERSION);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(curl, CURLOPT_MAXREDIRS, (long)MOST_REDIRECTS);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)(stall < 1 ? 1 : stall));
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, transfer);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, transfer->answer->failure);
    if (request->user) {
        curl_easy_setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
        curl_easy_setopt(curl, CURLOPT_USERNAME, request->user);
        curl_easy_setopt(curl, CURLOPT_PASSWORD, request->password ? request->password : "");
    }
    set_protocols(curl, request->url);
    set_body(transfer);
}

static struct curl_slist *make_headers(const ursa_http_request *request)
{
    struct curl_slist *list = NULL;
    for (size_t i = 0; i < sizeof request->headers / sizeof *request->headers && request->headers[i]; i++)
        list = curl_slist_append(list, request->headers[i]);
    if (request->body_type) {
        char line[160];
        snprintf(line, sizeof line, "Content-Type: %s", request->body_type);
        list = curl_slist_append(list, line);
    }
    return curl_slist_append(list, "Expect:"); /* no waiting for a 100 that some servers never send */
}

static bool is_transient(CURLcode code)
{
    switch (code) {
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
    case CURLE_HTTP3:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST:
        return true;
    default:
        return false;
    }
}

static bool perform(struct transfer *transfer)
{
    ursa_http_answer *answer = transfer->answer;
    CURLcode code = curl_easy_perform(transfer->curl);
    read_status(transfer);
    if (transfer->stopped)
        return ursa_fail(URSA_ERROR_IO, "%s: the transfer was ended", transfer->request->url);
    if (code == CURLE_OUT_OF_MEMORY)
        return ursa_fail(URSA_ERROR_MEMORY, "%s: libcurl ran out of memory", transfer->request->url);
    if (code == CURLE_OK) {
        *answer->failure = 0;
        bool empty = (answer->status == 200 || answer->status == 206) && transfer->request->write;
        return !empty || begin(transfer); /* an empty body begins, too */
    }
    if (!*answer->failure)
        snprintf(answer->failure, sizeof answer->failure, "%s", curl_easy_strerror(code));
    answer->transient = is_transient(code);
    return true;
}

static void start_library(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

bool ursa_http(const ursa_http_request *request, ursa_http_answer *answer)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, start_library);
    *answer = (ursa_http_answer){.length = -1};
    struct transfer transfer = {.request = request, .answer = answer, .curl = curl_easy_init()};
    if (!transfer.curl)
        return ursa_fail(URSA_ERROR_MEMORY, "%s: libcurl could not be started", request->url);
    struct curl_slist *headers = make_headers(request);
    set_options(&transfer, headers);
    bool done = perform(&transfer);
    curl_easy_cleanup(transfer.curl);
    curl_slist_free_all(headers);
    return done;
}
