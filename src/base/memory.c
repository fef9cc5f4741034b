/* memory.c — host memory and strings. */
#include "memory.h"
#include "error.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <string.h>

static void *out_of_memory(size_t bytes)
{
    ursa_fail(URSA_ERROR_MEMORY, "out of memory: %zu bytes were asked for", bytes);
    return NULL;
}

void *ursa_alloc(size_t bytes)
{
    void *memory = calloc(1, bytes ? bytes : 1);
    return memory ? memory : out_of_memory(bytes);
}

void *ursa_alloc_array(size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        ursa_fail(URSA_ERROR_MEMORY, "out of memory: %zu times %zu bytes were asked for", count, size);
        return NULL;
    }
    return ursa_alloc(bytes);
}

void *ursa_grow(void *memory, size_t bytes)
{
    void *grown = realloc(memory, bytes ? bytes : 1);
    return grown ? grown : out_of_memory(bytes);
}

/* Large blocks begin on a huge page, where the system has them: kernels that
 * walk through panels and matrices otherwise wait for the page tables. */
#define HUGE_PAGE ((size_t)2 << 20)

void *ursa_alloc_aligned(size_t bytes)
{
    void *memory = NULL;
    size_t alignment = bytes >= HUGE_PAGE ? HUGE_PAGE : 64;
    if (posix_memalign(&memory, alignment, bytes ? bytes : 1) != 0)
        return out_of_memory(bytes);
#ifdef MADV_HUGEPAGE
    /* Only a wish. Whole pages: what lies behind the block is not ours. */
    if (alignment == HUGE_PAGE)
        madvise(memory, bytes / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE);
#endif
    return memory;
}

char *ursa_format(const char *format, ...)
{
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    return length < 0 ? out_of_memory(0) : text;
}

char *ursa_copy_string(const char *text)
{
    if (!text)
        return NULL;
    size_t bytes = strlen(text) + 1;
    char *copy = malloc(bytes);
    return copy ? memcpy(copy, text, bytes) : out_of_memory(bytes);
}
