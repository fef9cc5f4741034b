/* image_memory.c — malloc with a limit. See image_memory.h. */
#include "image_memory.h"

#include <stdlib.h>

static _Thread_local size_t limit;

void ursa_image_set_limit(size_t bytes)
{
    limit = bytes;
}

void *ursa_image_malloc(size_t bytes)
{
    return bytes <= limit ? malloc(bytes) : NULL;
}

void *ursa_image_realloc(void *memory, size_t bytes)
{
    return bytes <= limit ? realloc(memory, bytes) : NULL;
}
