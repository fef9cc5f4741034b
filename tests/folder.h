/* folder.h — folders of files that a test makes and removes. */
#ifndef URSA_TESTS_FOLDER_H
#define URSA_TESTS_FOLDER_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct folder {
    char path[64];
} folder;

static inline folder folder_new(void)
{
    folder made = {"/tmp/ursa-test-XXXXXX"};
    if (!mkdtemp(made.path))
        abort();
    return made;
}

/* folder/name, in one of a few buffers. */
static inline const char *folder_path(const folder *where, const char *name)
{
    static char paths[8][256];
    static int next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof *paths, "%s/%s", where->path, name);
    return path;
}

/* Writes a file, with the folders it is in. */
static inline void folder_write(const folder *where, const char *name, const void *data, size_t bytes)
{
    char path[256];
    snprintf(path, sizeof path, "%s", folder_path(where, name));
    for (char *slash = path + strlen(where->path) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        mkdir(path, 0777);
        *slash = '/';
    }
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(data, 1, bytes, file) != bytes || fclose(file) != 0)
        abort();
}

static inline int folder_remove_one(const char *path, const struct stat *status, int type, struct FTW *level)
{
    (void)status, (void)type, (void)level;
    return remove(path);
}

static inline void folder_remove(const folder *where)
{
    nftw(where->path, folder_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
