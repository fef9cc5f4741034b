/* allocator.h — the caching allocator between buffers and a backend's memory.
 *
 * Freed memory is kept in lists by size class and handed out again, since the
 * same shapes come round with every training step and asking a driver is slow.
 * Reuse needs no waiting: work on a device is done in the order it was asked
 * for.
 */
#ifndef URSA_DEVICE_ALLOCATOR_H
#define URSA_DEVICE_ALLOCATOR_H

#include "backend.h"

/* Under URSA_POISON=1 (for tests) memory is filled with ones in all bits, not a
 * number in any float type, whenever it is handed out: a result that depends on
 * what it held shows. Under URSA_WASTE=1 (for tools that watch memory) a buffer
 * has not a byte more than was asked for, and its memory is not handed out again
 * while the device is open. NULL with an error. */
struct ursa_allocator *ursa_allocator_new(void);
/* Gives all cached memory of the device back, and ends its allocator. */
void ursa_allocator_close(ursa_device *device);

/* What a buffer is for, as errors tell it. */
struct ursa_wanted {
    size_t bytes;
    ursa_dtype dtype;
    int ndim;
    const int64_t *shape;
};

/* A buffer of at least so many bytes with one reference; NULL with an error that
 * says what was wanted and what is held. */
ursa_buffer *ursa_allocator_take(ursa_device *device, const struct ursa_wanted *wanted);
void ursa_allocator_give(ursa_buffer *buffer);

#endif
