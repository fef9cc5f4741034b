/* image_memory.h — the memory stb_image may have: a file that claims more than
 * it can hold is refused before anything of that size is allocated. */
#ifndef URSA_VISION_IMAGE_MEMORY_H
#define URSA_VISION_IMAGE_MEMORY_H

#include <stddef.h>

/* The longest single block, for this thread. */
void ursa_image_set_limit(size_t bytes);

/* malloc and realloc that fail beyond the limit. */
void *ursa_image_malloc(size_t bytes);
void *ursa_image_realloc(void *memory, size_t bytes);

#endif
