/* kaggle_login.c — who one is at Kaggle: from the environment or from kaggle.json. */
#include "kaggle.h"
#include "base/log.h"
#include "base/memory.h"
#include "io/files.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { LONGEST_FILE = 1 << 16 };

static const char how[] =
    "get kaggle.json at https://www.kaggle.com/settings (\"Create New Token\") and put it there, or "
    "set KAGGLE_USERNAME and KAGGLE_KEY";

void ursa_kaggle_login_clear(ursa_kaggle_login *login)
{
    free(login->user);
    free(login->key);
    *login = (ursa_kaggle_login){0};
}

/* A text that can go into a header. */
static bool usable(const cJSON *item)
{
    const char *text = cJSON_GetStringValue(item);
    if (!text || !*text)
        return false;
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            return false;
    return true;
}

bool ursa_kaggle_login_parse(const char *text, size_t bytes, const char *name, ursa_kaggle_login *login)
{
    *login = (ursa_kaggle_login){0};
    cJSON *json = cJSON_ParseWithLength(text, bytes);
    const cJSON *user = cJSON_GetObjectItemCaseSensitive(json, "username");
    const cJSON *key = cJSON_GetObjectItemCaseSensitive(json, "key");
    bool good = usable(user) && usable(key) && !strchr(user->valuestring, ':');
    if (good) {
        login->user = ursa_copy_string(user->valuestring);
        login->key = ursa_copy_string(key->valuestring);
    } else {
        ursa_fail(URSA_ERROR_FORMAT, "%s: expected {\"username\": \"…\", \"key\": \"…\"}; %s", name, how);
    }
    cJSON_Delete(json);
    if (login->user && login->key)
        return true;
    ursa_kaggle_login_clear(login);
    return false;
}

static char *file_name(void)
{
    const char *folder = getenv("KAGGLE_CONFIG_DIR"), *home = getenv("HOME");
    return folder && *folder ? ursa_format("%s/kaggle.json", folder)
                             : ursa_format("%s/.kaggle/kaggle.json", home ? home : "");
}

static pthread_once_t warned = PTHREAD_ONCE_INIT;
static _Thread_local const char *warn_of;

static void warn(void)
{
    ursa_log_line(URSA_LOG_WARN, "%s: other users may read your key; `chmod 600 %s` keeps it to yourself", warn_of,
                  warn_of);
}

static bool read_file(const char *path, ursa_kaggle_login *login)
{
    struct stat status;
    char text[LONGEST_FILE];
    FILE *file = fopen(path, "rb");
    if (!file && errno == ENOENT)
        return ursa_fail(URSA_ERROR_STATE, "kaggle: there is no %s; %s", path, how);
    if (!file)
        return ursa_fail(URSA_ERROR_IO, "%s: cannot be read: %s", path, strerror(errno));
    if (fstat(fileno(file), &status) == 0 && (status.st_mode & 077)) {
        warn_of = path;
        pthread_once(&warned, warn);
    }
    size_t bytes = fread(text, 1, sizeof text, file);
    fclose(file);
    return ursa_kaggle_login_parse(text, bytes, path, login);
}

bool ursa_kaggle_login_find(ursa_kaggle_login *login)
{
    const char *user = getenv("KAGGLE_USERNAME"), *key = getenv("KAGGLE_KEY");
    *login = (ursa_kaggle_login){0};
    if (user && *user && key && *key) {
        *login = (ursa_kaggle_login){ursa_copy_string(user), ursa_copy_string(key)};
        return login->user && login->key;
    }
    char *path = file_name();
    bool found = path && read_file(path, login);
    free(path);
    return found;
}
