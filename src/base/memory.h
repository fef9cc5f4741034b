/* memory.h — host memory and strings; failures latch URSA_ERROR_MEMORY. */
#ifndef URSA_BASE_MEMORY_H
#define URSA_BASE_MEMORY_H

#include <ursa/base.h>
#include <stdarg.h>

void *ursa_alloc(size_t bytes);                    /* zeroed */
void *ursa_alloc_array(size_t count, size_t size); /* zeroed; checks the product */
void *ursa_grow(void *memory, size_t bytes);       /* realloc; the old block stays valid on failure */
void *ursa_alloc_aligned(size_t bytes);            /* 64-byte aligned, not zeroed; free() frees it */
char *ursa_format(const char *format, ...) URSA_PRINTF(1, 2);
char *ursa_copy_string(const char *text);

#endif
