/* fetch.h — downloads for what needs more than an address: credentials, and a word
 * of its own for what the server refuses. */
#ifndef URSA_DATA_FETCH_H
#define URSA_DATA_FETCH_H

#include "http.h"

#include <ursa/download.h>

typedef struct ursa_fetch_extras {
    const char *user, *password;
    /* Says why the server refused, by an error; the status is none that may pass. NULL: an error of the usual kind. */
    void (*refused)(void *context, const char *url, const ursa_http_answer *answer);
    /* Called when the file begins to come; may be NULL. */
    void (*answered)(void *context, const ursa_http_answer *answer);
    void *context;
} ursa_fetch_extras;

/* As ursa_download_opt(). */
bool ursa_fetch(const char *url, const char *path, const ursa_download_options *options,
                const ursa_fetch_extras *extras);

/* Sleeps before another try: for as long as the answer asks for, or longer after each
 * failure. False, with an error, when the server asks for longer than two minutes. */
bool ursa_wait_to_retry(const char *url, const ursa_http_answer *answer, int failures);

#endif
