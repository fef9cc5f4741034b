/* idx.c — the IDX format of MNIST. zlib reads plain files and gzipped ones alike. */
#include <ursa/io.h>
#include "base/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { UNSIGNED_BYTE = 0x08, CHUNK = 1 << 20 };

static bool read_exactly(gzFile file, void *out, size_t bytes)
{
    return gzread(file, out, (unsigned)bytes) == (int)bytes;
}

static uint32_t big_endian(const uint8_t bytes[4])
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* The shape, and in `total` how many bytes it takes. */
static bool read_header(gzFile file, const char *path, ursa_dims *shape, uint64_t *total)
{
    uint8_t magic[4], size[4];
    if (!read_exactly(file, magic, sizeof magic))
        return ursa_fail(URSA_ERROR_FORMAT, "%s: too short for an IDX file: its header takes 4 bytes or more", path);
    if (magic[0] || magic[1] || magic[2] != UNSIGNED_BYTE)
        return ursa_fail(
            URSA_ERROR_FORMAT,
            "%s: not an IDX file of unsigned bytes: expected it to begin with 00 00 08, found %02x %02x %02x", path,
            magic[0], magic[1], magic[2]);
    if (magic[3] < 1 || magic[3] > 4)
        return ursa_fail(URSA_ERROR_FORMAT, "%s: an IDX file of %d dimensions; expected 1 to 4", path, magic[3]);
    *shape = (ursa_dims){.ndim = magic[3]};
    *total = 1;
    for (int axis = 0; axis < shape->ndim; axis++) {
        if (!read_exactly(file, size, sizeof size))
            return ursa_fail(URSA_ERROR_FORMAT, "%s: ends within its header of %d dimensions", path, shape->ndim);
        shape->dim[axis] = big_endian(size);
        if (__builtin_mul_overflow(*total, (uint64_t)shape->dim[axis], total))
            return ursa_fail(URSA_ERROR_FORMAT, "%s: claims more elements than can be counted", path);
    }
    return true;
}

/* Reads `total` bytes, growing as they come: a header can claim anything. */
static uint8_t *read_body(gzFile file, const char *path, uint64_t total)
{
    uint8_t *data = NULL;
    uint64_t have = 0, room = 0;
    do {
        if (room == have && have < total) {
            room = have ? have * 2 : CHUNK;
            room = room < total ? room : total;
        }
        uint8_t *grown = ursa_grow(data, room ? room : 1);
        if (!grown)
            break;
        data = grown;
        uint64_t wanted = room - have < CHUNK ? room - have : CHUNK;
        int got = wanted ? gzread(file, data + have, (unsigned)wanted) : 0;
        if (got < 0 || (wanted && got == 0)) {
            ursa_fail(URSA_ERROR_FORMAT, "%s: truncated or damaged: its header promises %llu bytes, found %llu", path,
                      (unsigned long long)total, (unsigned long long)have);
            break;
        }
        have += (uint64_t)got;
        if (have == total)
            return data;
    } while (true);
    free(data);
    return NULL;
}

bool ursa_read_idx(const char *path, ursa_idx *out)
{
    *out = (ursa_idx){0};
    errno = 0;
    gzFile file = gzopen(path, "rb");
    if (!file)
        return ursa_fail(URSA_ERROR_IO, "%s: cannot be read: %s", path, errno ? strerror(errno) : "out of memory");
    gzbuffer(file, 1 << 17);
    uint64_t total = 0;
    if (read_header(file, path, &out->shape, &total))
        out->data = read_body(file, path, total);
    gzclose(file);
    return out->data != NULL;
}
