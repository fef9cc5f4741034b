/* mapped.c — maps files into memory, so that what is not looked at is not read. */
#include "mapped.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* What an empty file, which cannot be mapped, is shown as. */
static const uint8_t nothing[1];

static bool map(int descriptor, const char *path, ursa_mapped *out)
{
    struct stat status;
    if (fstat(descriptor, &status) != 0)
        return ursa_fail(URSA_ERROR_IO, "%s: cannot be read: %s", path, strerror(errno));
    if (!S_ISREG(status.st_mode))
        return ursa_fail(URSA_ERROR_IO, "%s: cannot be read: not a file", path);
    *out = (ursa_mapped){.data = nothing, .bytes = (size_t)status.st_size};
    if (!out->bytes)
        return true;
    void *data = mmap(NULL, out->bytes, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (data == MAP_FAILED)
        return ursa_fail(URSA_ERROR_IO, "%s: cannot be read: %s", path, strerror(errno));
    out->data = data;
    out->mapped = true;
    return true;
}

bool ursa_mapped_open(const char *path, ursa_mapped *out)
{
    *out = (ursa_mapped){0};
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return ursa_fail(URSA_ERROR_IO, "%s: cannot be read: %s", path, strerror(errno));
    bool mapped = map(descriptor, path, out);
    close(descriptor);
    return mapped;
}

void ursa_mapped_close(ursa_mapped *file)
{
    if (file->mapped)
        munmap((void *)file->data, file->bytes);
    *file = (ursa_mapped){0};
}
