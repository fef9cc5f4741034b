/* http.c — what an answer over HTTP means, apart from how it came (RFC 9110). */
#include "http.h"
#include "base/memory.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void ursa_http_answer_clear(ursa_http_answer *answer)
{
    free(answer->body);
    *answer = (ursa_http_answer){.length = -1};
}

const char *ursa_http_status_text(int status)
{
    static const struct {
        int status;
        const char *text;
    } texts[] = {{400, "400 Bad Request"},
                 {401, "401 Unauthorized"},
                 {403, "403 Forbidden"},
                 {404, "404 Not Found"},
                 {408, "408 Request Timeout"},
                 {410, "410 Gone"},
                 {416, "416 Range Not Satisfiable"},
                 {429, "429 Too Many Requests"},
                 {500, "500 Internal Server Error"},
                 {502, "502 Bad Gateway"},
                 {503, "503 Service Unavailable"},
                 {504, "504 Gateway Timeout"}};
    static _Thread_local char other[32];
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i].status == status)
            return texts[i].text;
    snprintf(other, sizeof other, "status %d", status);
    return other;
}

bool ursa_http_may_pass(int status)
{
    return status == 408 || status == 429 || status == 500 || status == 502 || status == 503 || status == 504;
}

double ursa_http_retry_after(const ursa_http_answer *answer)
{
    const char *text = answer->retry_after;
    if (!*text)
        return -1;
    if (isdigit((unsigned char)*text))
        return strtod(text, NULL);
    struct tm date = {0};
    if (!strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &date))
        return -1;
    return fmax(difftime(timegm(&date), time(NULL)), 0);
}

char *ursa_http_escape(const char *text)
{
    char *escaped = ursa_alloc(3 * strlen(text) + 1), *to = escaped;
    for (; escaped && *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c < 0x80 && (isalnum(c) || strchr("-._~", c)))
            *to++ = (char)c;
        else
            to += sprintf(to, "%%%02X", c);
    }
    return escaped;
}
