/* mapped.h — a whole file, readable as memory. */
#ifndef URSA_IO_MAPPED_H
#define URSA_IO_MAPPED_H

#include <ursa/base.h>

typedef struct ursa_mapped {
    const uint8_t *data; /* page-aligned; not NULL, even of an empty file */
    size_t bytes;
    bool mapped;
} ursa_mapped;

/* False, with an error that names the path, when it cannot be read. */
bool ursa_mapped_open(const char *path, ursa_mapped *out);
void ursa_mapped_close(ursa_mapped *file); /* does nothing where it was not opened */

#endif
