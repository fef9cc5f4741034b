/* unpack.h — where the entries of an archive may go, and how they get there. */
#ifndef URSA_DATA_UNPACK_H
#define URSA_DATA_UNPACK_H

#include <ursa/download.h>

/* A folder that is being filled from an archive that nobody trusts. */
typedef struct ursa_unpacking {
    const char *archive; /* its name, for errors */
    int root;            /* descriptor of the folder */
    int64_t bytes, most_bytes;
    int64_t entries, most_entries;
} ursa_unpacking;

/* The parts of an entry's name that count: no ".", no "/" at the end. False, with an
 * error, for an absolute name, "..", or one that is too deep. `clean` has room for
 * the name; "" stands for the folder itself. */
bool ursa_unpack_name(const ursa_unpacking *unpacking, const char *name, char *clean);

/* Each makes an entry; the name is a clean one. Folders on the way are made, links on
 * the way are refused. */
bool ursa_unpack_folder(ursa_unpacking *unpacking, const char *name);
int ursa_unpack_file(ursa_unpacking *unpacking, const char *name,
                     bool executable); /* a descriptor; -1 after an error */
bool ursa_unpack_symlink(ursa_unpacking *unpacking, const char *name, const char *target);
/* A second name for a file unpacked before: a copy of it. */
bool ursa_unpack_copy(ursa_unpacking *unpacking, const char *name, const char *of);

/* Writes, within the limits. */
bool ursa_unpack_write(ursa_unpacking *unpacking, int file, const void *data, size_t bytes);

/* An entry counts as a block of the disk, so that a million empty files are no small thing. */
bool ursa_unpack_count(ursa_unpacking *unpacking);

/* The name as it may be shown: without control characters, cut short. */
const char *ursa_unpack_shown(const char *name);

/* Fills the folder with all that is in the archive file. */
bool ursa_unpack_all(ursa_unpacking *unpacking, const char *label);

#endif
