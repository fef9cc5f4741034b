/* cache.c — compiled programs on disk, under $XDG_CACHE_HOME/ursa/opencl.
 *
 * A file is named by a hash of its key and holds the whole key, so that two
 * keys of one hash cannot be mistaken, and a checksum of the binary. Whatever
 * does not fit is as good as missing. */
#include "device/opencl/runtime.h"
#include "base/log.h"
#include "base/memory.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct header {
    char magic[8];
    uint64_t key_bytes, data_bytes, checksum;
};

static const char magic[8] = "ursacl1";
static const uint64_t largest = (uint64_t)1 << 30;

/* FNV-1a (Fowler, Noll, Vo). */
static uint64_t hash(const void *data, size_t bytes)
{
    uint64_t value = 0xcbf29ce484222325u;
    for (size_t i = 0; i < bytes; i++)
        value = (value ^ ((const unsigned char *)data)[i]) * 0x100000001b3u;
    return value;
}

/* The folder, made if need be; NULL when there is no place for it. */
static char *cache_folder(void)
{
    const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    char *folder;
    if (xdg && xdg[0] == '/')
        folder = ursa_format("%s/ursa/opencl", xdg);
    else if (home && home[0] == '/')
        folder = ursa_format("%s/.cache/ursa/opencl", home);
    else
        return NULL;
    if (!folder)
        return NULL;
    for (char *slash = folder + 1; (slash = strchr(slash, '/')); *slash++ = '/') {
        *slash = 0;
        mkdir(folder, 0700);
    }
    mkdir(folder, 0700);
    return folder;
}

char *ursa_cl_cache_path(const char *key, const char *extension)
{
    char *folder = cache_folder();
    if (!folder)
        return NULL;
    char *path = ursa_format("%s/%016llx.%s", folder, (unsigned long long)hash(key, strlen(key)), extension);
    free(folder);
    return path;
}

static unsigned char *read_checked(FILE *file, const char *key, size_t *bytes)
{
    struct header header;
    size_t key_bytes = strlen(key);
    if (fread(&header, sizeof header, 1, file) != 1 || memcmp(header.magic, magic, sizeof magic) != 0 ||
        header.key_bytes != key_bytes || header.data_bytes == 0 || header.data_bytes > largest)
        return NULL;
    char *stored = malloc(key_bytes + 1);
    unsigned char *data = malloc(header.data_bytes);
    bool ok = stored && data && fread(stored, 1, key_bytes, file) == key_bytes && memcmp(stored, key, key_bytes) == 0 &&
              fread(data, 1, header.data_bytes, file) == header.data_bytes &&
              hash(data, header.data_bytes) == header.checksum;
    free(stored);
    if (!ok) {
        free(data);
        return NULL;
    }
    *bytes = header.data_bytes;
    return data;
}

unsigned char *ursa_cl_cache_read(const char *key, size_t *bytes)
{
    char *path = ursa_cl_cache_path(key, "bin");
    FILE *file = path ? fopen(path, "rb") : NULL;
    unsigned char *data = NULL;
    if (file) {
        data = read_checked(file, key, bytes);
        if (!data)
            ursa_log_line(URSA_LOG_INFO, "opencl: %s is not what was expected there; ignored", path);
        fclose(file);
    }
    free(path);
    return data;
}

static bool write_all(const char *path, const char *key, const unsigned char *data, size_t bytes)
{
    FILE *file = fopen(path, "wb");
    if (!file)
        return false;
    struct header header = {.key_bytes = strlen(key), .data_bytes = bytes, .checksum = hash(data, bytes)};
    memcpy(header.magic, magic, sizeof magic);
    bool ok = fwrite(&header, sizeof header, 1, file) == 1 &&
              fwrite(key, 1, header.key_bytes, file) == header.key_bytes && fwrite(data, 1, bytes, file) == bytes;
    return (fclose(file) == 0) && ok;
}

void ursa_cl_cache_write(const char *key, const unsigned char *data, size_t bytes)
{
    static unsigned serial; /* several threads of one process */
    char *path = ursa_cl_cache_path(key, "bin");
    char *beside =
        path ? ursa_format("%s.%ld.%u", path, (long)getpid(), __atomic_fetch_add(&serial, 1, __ATOMIC_RELAXED)) : NULL;
    if (beside && (!write_all(beside, key, data, bytes) || rename(beside, path) != 0)) {
        ursa_log_line(URSA_LOG_INFO, "opencl: cannot keep a compiled program in %s: %s", path, strerror(errno));
        unlink(beside);
    }
    free(beside);
    free(path);
}
