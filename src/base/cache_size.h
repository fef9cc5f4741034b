/* cache_size.h — how large the caches of a core are, in bytes.
 *
 * Blocks are cut by them. They may decide which numbers are computed together, never the order in which any are added
 * up: results must not depend on the machine. */
#ifndef URSA_BASE_CACHE_SIZE_H
#define URSA_BASE_CACHE_SIZE_H

#include <stdbool.h>
#include <stdint.h>

/* The first level is that of data. The last is shared with other cores, and is the second where there is no third. */
struct ursa_caches {
    int64_t first, second, last;
};

/* What the system says, asked once, and something usual where it says nothing. */
struct ursa_caches ursa_caches(void);

/* For tests: assumes others from now on; NULL: those of the machine again. No operator may be running. */
void ursa_caches_assume(const struct ursa_caches *caches);

#endif
