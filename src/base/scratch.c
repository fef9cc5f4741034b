/* scratch.c — scratch memory of a thread, kept from one kernel to the next. */
#include "memory.h"
#include "parallel.h"
#include "thread.h"

#include <stdlib.h>

#define SLOTS 7

static _Thread_local struct {
    void *memory;
    size_t bytes;
} slots[SLOTS];

static void free_slots(void)
{
    for (int i = 0; i < SLOTS; i++) {
        free(slots[i].memory);
        slots[i].memory = NULL;
        slots[i].bytes = 0;
    }
}

void *ursa_scratch(int slot, size_t bytes)
{
    if (slot < 0 || slot >= SLOTS) {
        ursa_fail(URSA_ERROR_ARGUMENT, "scratch: slot %d is not one of 0 … %d", slot, SLOTS - 1);
        return NULL;
    }
    if (slots[slot].memory && bytes <= slots[slot].bytes)
        return slots[slot].memory;
    /* Pages at a time, and half again: sizes that creep up do not allocate each time. */
    size_t wanted = (bytes + bytes / 2 + 4095) & ~(size_t)4095;
    void *memory = ursa_alloc_aligned(wanted);
    if (!memory)
        return NULL;
    ursa_at_thread_exit(free_slots);
    free(slots[slot].memory);
    slots[slot].memory = memory;
    slots[slot].bytes = wanted;
    return memory;
}
