/* kaggle.h — what the parts of Kaggle's API share. */
#ifndef URSA_DATA_KAGGLE_H
#define URSA_DATA_KAGGLE_H

#include "http.h"

#include <cjson/cJSON.h>
#include <ursa/kaggle.h>

/* ---- credentials -------------------------------------------------------------------- */

typedef struct ursa_kaggle_login {
    char *user, *key;
} ursa_kaggle_login;

bool ursa_kaggle_login_find(ursa_kaggle_login *login);
/* From the text of a kaggle.json; `name` stands for the file in errors. */
bool ursa_kaggle_login_parse(const char *text, size_t bytes, const char *name, ursa_kaggle_login *login);
void ursa_kaggle_login_clear(ursa_kaggle_login *login);

/* ---- requests ------------------------------------------------------------------------- */

/* What a request is about, for errors and addresses. */
typedef struct ursa_kaggle_subject {
    bool dataset;
    char owner[64], name[128]; /* no owner for a competition; both empty for lists */
    int version;               /* of a data set; 0: the newest */
} ursa_kaggle_subject;

/* From "titanic", "owner/name", "owner/name/versions/2" or an address. */
bool ursa_kaggle_competition(const char *text, ursa_kaggle_subject *subject);
bool ursa_kaggle_dataset(const char *text, ursa_kaggle_subject *subject);

/* A conversation with the server. */
typedef struct ursa_kaggle {
    ursa_kaggle_login login;
    char *base; /* "https://www.kaggle.com/api/v1" */
    ursa_kaggle_subject subject;
} ursa_kaggle;

bool ursa_kaggle_begin(ursa_kaggle *kaggle, const char *url);
void ursa_kaggle_end(ursa_kaggle *kaggle);

/* GET, or POST where there is a body; the path begins with a slash. NULL after an
 * error; cJSON_Delete() it. */
cJSON *ursa_kaggle_call(ursa_kaggle *kaggle, const char *path, const char *body);

/* Latches what an answer means that refuses; for ursa_fetch(). `context` is the ursa_kaggle. */
void ursa_kaggle_refused(void *context, const char *url, const ursa_http_answer *answer);

/* ---- answers ---------------------------------------------------------------------------- */

/* A column of a list: its name, and the names its value has in the answers; the first
 * that is there counts. Sizes are numbers of bytes, or texts already. */
typedef struct ursa_kaggle_field {
    const char *column, *keys[3];
    bool size;
} ursa_kaggle_field;

/* A frame from a list of objects; entries that are no objects are left out. */
ursa_frame *ursa_kaggle_table(const cJSON *list, const ursa_kaggle_field *fields, int count);

/* The list in an answer: the answer itself, or its member `key`; NULL, with an error, when it is neither. */
const cJSON *ursa_kaggle_list(const cJSON *answer, const char *key);

#endif
