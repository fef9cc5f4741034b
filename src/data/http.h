/* http.h — one request over HTTP or HTTPS, by libcurl. */
#ifndef URSA_DATA_HTTP_H
#define URSA_DATA_HTTP_H

#include <ursa/base.h>
#include <stdio.h>

/* What the server said, before and apart from the body. */
typedef struct ursa_http_answer {
    int status;            /* of the last answer after redirects; 0 when there was none */
    int64_t length;        /* of the body; -1 when not known */
    char etag[256];        /* "" when it said none */
    char modified[64];     /* Last-Modified */
    char uploaded[64];     /* Range, of an upload that goes on */
    char range[96];        /* Content-Range */
    char retry_after[64];  /* Retry-After */
    char location[1024];   /* of the last redirect */
    char content_type[96]; /* Content-Type */
    char *body;            /* text of the answer, unless it went to `write`; cut at a MiB; free() it */
    size_t body_bytes;
    char failure[256]; /* why the transfer ended before its time; "" when it did not */
    bool transient;    /* such a failure may pass: the connection was cut, not refused */
} ursa_http_answer;

typedef struct ursa_http_request {
    const char *method; /* default GET */
    const char *url;
    const char *user, *password;  /* sent to the server named in `url`, never to one it redirects to */
    const char *headers[8];       /* "Name: value" */
    const char *body, *body_type; /* text to send, and its Content-Type */
    FILE *upload;                 /* or a file to send, from where it stands */
    int64_t upload_bytes;
    /* Takes the body of an answer with status 200 or 206, piece by piece; `begin` is called before the first. NULL: the
     * body is collected in the answer. False ends the transfer. */
    bool (*begin)(void *context, const ursa_http_answer *answer);
    bool (*write)(void *context, const void *data, size_t bytes);
    void (*sent)(void *context, int64_t bytes); /* how much of `upload` has been sent; may be NULL */
    void *context;
    double stall_seconds; /* without a byte for so long, the connection counts as cut; 0: 30 */
} ursa_http_request;

/* Carries out a request. True also when the server refuses, or the connection
 * fails: the answer says so. False, with an error, when the request could not be
 * made or a callback failed. */
bool ursa_http(const ursa_http_request *request, ursa_http_answer *answer);
void ursa_http_answer_clear(ursa_http_answer *answer);

/* "404 Not Found" and the like. */
const char *ursa_http_status_text(int status);

/* Whether a status may be another one a while later: 408, 429, 500, 502, 503, 504. */
bool ursa_http_may_pass(int status);

/* Seconds that a Retry-After asks to wait, given as such or as a date; -1 without one. */
double ursa_http_retry_after(const ursa_http_answer *answer);

/* A text as part of a path or query: everything but letters, digits and -._~ as %XX; to free(). */
char *ursa_http_escape(const char *text);

#endif
