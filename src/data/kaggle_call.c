/* kaggle_call.c — requests to Kaggle, and what it means when one is refused. */
#include "fetch.h"
#include "kaggle.h"
#include "base/memory.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_FAILURES = 5 };

/* ---- names ------------------------------------------------------------------------- */

/* Behind the server's name and the words that Kaggle's addresses have there. */
static const char *without_address(const char *text)
{
    static const char *const words[] = {"competitions/", "c/", "datasets/"};
    const char *scheme = strstr(text, "://"), *rest = scheme ? strchr(scheme + 3, '/') : text;
    if (!rest)
        return text;
    rest += *rest == '/';
    for (size_t i = 0; scheme && i < sizeof words / sizeof *words; i++)
        if (strncmp(rest, words[i], strlen(words[i])) == 0)
            return rest + strlen(words[i]);
    return rest;
}

/* Takes a part of letters, digits and -_. up to a slash or the end; NULL when there is none, or it is too long. */
static const char *take_part(const char *text, char *part, size_t size)
{
    size_t length = strcspn(text, "/?#");
    if (length == 0 || length >= size || *text == '.')
        return NULL;
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] >= 0x80 || (!isalnum((unsigned char)text[i]) && !strchr("-_.", text[i])))
            return NULL;
    memcpy(part, text, length);
    part[length] = 0;
    return text + length + (text[length] == '/');
}

bool ursa_kaggle_competition(const char *text, ursa_kaggle_subject *subject)
{
    *subject = (ursa_kaggle_subject){0};
    const char *rest = take_part(without_address(text), subject->name, sizeof subject->name);
    if (rest && (!*rest || strstr(text, "://")))
        return true;
    return ursa_fail(URSA_ERROR_ARGUMENT,
                     "kaggle: \"%s\" is no competition; expected the last part of its address, as in \"titanic\"%s",
                     text, rest ? "; for a data set it is `ursa kaggle datasets`" : "");
}

bool ursa_kaggle_dataset(const char *text, ursa_kaggle_subject *subject)
{
    *subject = (ursa_kaggle_subject){.dataset = true};
    const char *rest = take_part(without_address(text), subject->owner, sizeof subject->owner);
    rest = rest ? take_part(rest, subject->name, sizeof subject->name) : NULL;
    if (rest && strncmp(rest, "versions/", 9) == 0) {
        char *end;
        long version = strtol(rest + 9, &end, 10);
        subject->version = version > 0 && version < 1000000 && !*end ? (int)version : 0;
        rest = subject->version ? end : NULL;
    }
    if (rest && (!*rest || strstr(text, "://")))
        return true;
    return ursa_fail(URSA_ERROR_ARGUMENT,
                     "kaggle: \"%s\" is no data set; expected OWNER/NAME, as in \"zynicide/wine-reviews\"", text);
}

/* ---- refusals ------------------------------------------------------------------------ */

/* What the server says itself, on one line; "" when it says nothing. */
static void server_message(const ursa_http_answer *answer, char *message, size_t size)
{
    cJSON *json = answer->body ? cJSON_ParseWithLength(answer->body, answer->body_bytes) : NULL;
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "message"));
    snprintf(message, size, "%s%.300s", text && *text ? "; the server says: " : "", text ? text : "");
    for (char *c = message; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = ' ';
    cJSON_Delete(json);
}

static void say_forbidden(const ursa_kaggle_subject *subject, const char *message)
{
    if (!*subject->name)
        ursa_fail(URSA_ERROR_STATE, "kaggle: refused (403)%s", message);
    else if (subject->dataset)
        ursa_fail(URSA_ERROR_STATE,
                  "kaggle: %s/%s: refused (403): it is private, or its terms are to be accepted at "
                  "https://www.kaggle.com/datasets/%s/%s%s",
                  subject->owner, subject->name, subject->owner, subject->name, message);
    else
        ursa_fail(URSA_ERROR_STATE,
                  "kaggle: %s: refused (403): accept the competition's rules first, at "
                  "https://www.kaggle.com/competitions/%s/rules%s",
                  subject->name, subject->name, message);
}

static void say_not_found(const ursa_kaggle_subject *subject, const char *message)
{
    if (!*subject->name)
        ursa_fail(URSA_ERROR_IO, "kaggle: not found (404)%s", message);
    else if (subject->dataset)
        ursa_fail(URSA_ERROR_ARGUMENT,
                  "kaggle: there is no data set \"%s/%s\", or no such file in it (404); `ursa kaggle "
                  "datasets list -s WORD` finds them%s",
                  subject->owner, subject->name, message);
    else
        ursa_fail(URSA_ERROR_ARGUMENT,
                  "kaggle: there is no competition \"%s\", or no such file in it (404); `ursa kaggle "
                  "competitions list -s WORD` finds them%s",
                  subject->name, message);
}

void ursa_kaggle_refused(void *context, const char *url, const ursa_http_answer *answer)
{
    const ursa_kaggle *kaggle = context;
    char message[400];
    server_message(answer, message, sizeof message);
    switch (answer->status) {
    case 401:
        ursa_fail(URSA_ERROR_STATE,
                  "kaggle: the key of user \"%s\" is not accepted (401); make a new one at "
                  "https://www.kaggle.com/settings (\"Create New Token\")%s",
                  kaggle->login.user, message);
        return;
    case 403:
        say_forbidden(&kaggle->subject, message);
        return;
    case 404:
        say_not_found(&kaggle->subject, message);
        return;
    default:
        ursa_fail(URSA_ERROR_IO, "%s: the server answers %s%s", url, ursa_http_status_text(answer->status), message);
    }
}

/* ---- requests ------------------------------------------------------------------------- */

bool ursa_kaggle_begin(ursa_kaggle *kaggle, const char *url)
{
    const char *variable = getenv("URSA_KAGGLE_URL");
    const char *server = url && *url ? url : variable && *variable ? variable : "https://www.kaggle.com";
    size_t length = strlen(server);
    while (length && server[length - 1] == '/')
        length--;
    kaggle->base = ursa_format("%.*s/api/v1", (int)length, server);
    return kaggle->base && ursa_kaggle_login_find(&kaggle->login);
}

void ursa_kaggle_end(ursa_kaggle *kaggle)
{
    ursa_kaggle_login_clear(&kaggle->login);
    free(kaggle->base);
    kaggle->base = NULL;
}

static cJSON *parse_answer(const char *url, const ursa_http_answer *answer)
{
    cJSON *json = answer->body ? cJSON_ParseWithLength(answer->body, answer->body_bytes) : NULL;
    if (!cJSON_IsObject(json) && !cJSON_IsArray(json)) {
        ursa_fail(URSA_ERROR_FORMAT, "%s: the server's answer is no JSON", url);
        cJSON_Delete(json);
        return NULL;
    }
    return json;
}

/* What may be asked again: all that only asks; and what was refused unheard. */
static bool may_repeat(const ursa_http_answer *answer, bool asks)
{
    if (answer->status == 429)
        return true;
    return asks && (*answer->failure ? answer->transient && answer->status : ursa_http_may_pass(answer->status));
}

/* One answer to make the best of: the JSON; or an error; or neither, when it is worth another try. */
static cJSON *take_answer(ursa_kaggle *kaggle, const char *url, bool asks, const ursa_http_answer *answer, int failures)
{
    if (answer->status >= 200 && answer->status < 300 && !*answer->failure)
        return parse_answer(url, answer);
    if (failures < MOST_FAILURES && may_repeat(answer, asks))
        ursa_wait_to_retry(url, answer, failures);
    else if (answer->status >= 300 && !*answer->failure)
        ursa_kaggle_refused(kaggle, url, answer);
    else
        ursa_fail(URSA_ERROR_IO, "%s: %s", url, answer->failure);
    return NULL;
}

cJSON *ursa_kaggle_call(ursa_kaggle *kaggle, const char *path, const char *body)
{
    char *url = ursa_format("%s%s", kaggle->base, path);
    ursa_http_request request = {.url = url,
                                 .user = kaggle->login.user,
                                 .password = kaggle->login.key,
                                 .headers = {"Accept: application/json"},
                                 .body = body,
                                 .body_type = body ? "application/json" : NULL};
    cJSON *json = NULL;
    for (int failures = 1; url && !json && !ursa_error(); failures++) {
        ursa_http_answer answer;
        if (ursa_http(&request, &answer))
            json = take_answer(kaggle, url, !body, &answer, failures);
        ursa_http_answer_clear(&answer);
    }
    free(url);
    return json;
}
