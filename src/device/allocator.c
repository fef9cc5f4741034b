/* allocator.c — the caching allocator: size classes, free lists, statistics. */
#include "allocator.h"
#include "base/error.h"
#include "base/memory.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Classes are the multiples of 1/8 of every power of two, so at most an eighth
 * of a block goes to waste; all are whole cache lines of 64 bytes. */
enum {
    SMALLEST_LOG2 = 6,
    LARGEST_LOG2 = 48,
    STEPS_LOG2 = 3,
    STEPS = 1 << STEPS_LOG2,
    CLASSES = (LARGEST_LOG2 - SMALLEST_LOG2) * STEPS,
};

/* A buffer and its place in a free list. The struct is recycled with the memory. */
struct block {
    ursa_buffer buffer; /* first, so that a buffer is its block */
    int class;
    struct block *next;
};

struct ursa_allocator {
    pthread_mutex_t lock;
    struct block *free[CLASSES];
    struct block *spent; /* what was given back to an allocator that is wasteful */
    bool poisons;        /* for tests: nothing may depend on what memory held before */
    bool wastes;         /* for tools that watch memory */
};

/* The class of a request, and the bytes of its blocks; -1 when it is larger
 * than any machine. */
static int class_of(size_t bytes, size_t *rounded)
{
    if (bytes < (size_t)1 << SMALLEST_LOG2)
        bytes = (size_t)1 << SMALLEST_LOG2;
    if (bytes > (size_t)1 << (LARGEST_LOG2 - 1))
        return -1;
    bytes = (bytes + 63) / 64 * 64;
    int log2 = 63 - __builtin_clzll(bytes);
    size_t step = (size_t)1 << (log2 - STEPS_LOG2);
    size_t steps = (bytes - ((size_t)1 << log2) + step - 1) >> (log2 - STEPS_LOG2);
    *rounded = ((size_t)1 << log2) + steps * step;
    return (log2 - SMALLEST_LOG2) * STEPS + (int)steps;
}

static bool is_set(const char *name)
{
    const char *value = getenv(name);
    return value && strcmp(value, "1") == 0;
}

struct ursa_allocator *ursa_allocator_new(void)
{
    struct ursa_allocator *allocator = ursa_alloc(sizeof *allocator);
    if (!allocator)
        return NULL;
    pthread_mutex_init(&allocator->lock, NULL);
    allocator->poisons = is_set("URSA_POISON");
    allocator->wastes = is_set("URSA_WASTE");
    return allocator;
}

/* The blocks of a list to the driver; how many bytes they had. */
static uint64_t release_list(ursa_device *device, struct block **list)
{
    uint64_t bytes = 0;
    for (struct block *block = *list, *next; block; block = next) {
        next = block->next;
        bytes += block->buffer.bytes;
        device->backend->release(device, block->buffer.handle, block->buffer.bytes);
        free(block);
    }
    *list = NULL;
    return bytes;
}

/* With the lock held. */
static void trim(ursa_device *device)
{
    for (int c = 0; c < CLASSES; c++)
        device->memory.cached -= release_list(device, &device->allocator->free[c]);
}

void ursa_allocator_close(ursa_device *device)
{
    trim(device);
    release_list(device, &device->allocator->spent);
    pthread_mutex_destroy(&device->allocator->lock);
    free(device->allocator);
    device->allocator = NULL;
}

/* Memory from the driver, within what the device has; with the lock held. An
 * operating system may promise more memory than there is, and end the process
 * that takes it at its word: so the limit is kept here. */
static void *ask_driver(ursa_device *device, size_t bytes)
{
    uint64_t limit = device->info.memory ? device->info.memory : UINT64_MAX;
    const ursa_memory_stats *held = &device->memory;
    if (held->used + held->cached + bytes > limit)
        trim(device);
    if (held->used + bytes > limit)
        return NULL;
    void *handle = device->backend->allocate(device, bytes);
    if (!handle && held->cached) {
        trim(device);
        handle = device->backend->allocate(device, bytes);
    }
    if (handle)
        device->memory.allocations++;
    return handle;
}

/* A block that was never used before; with the lock held. */
static struct block *new_block(ursa_device *device, int class, size_t bytes)
{
    struct block *block = ursa_alloc(sizeof *block);
    if (!block)
        return NULL;
    block->class = class;
    block->buffer.device = device;
    block->buffer.bytes = bytes;
    block->buffer.handle = ask_driver(device, bytes);
    if (!block->buffer.handle) {
        free(block);
        return NULL;
    }
    return block;
}

static double mebibytes(uint64_t bytes)
{
    return (double)bytes / (1024.0 * 1024.0);
}

static void fail_memory(const ursa_device *device, const struct ursa_wanted *wanted, uint64_t used)
{
    const ursa_device_info *info = &device->info;
    char total[48] = "", most[64] = "";
    if (info->memory) /* 0 where the device does not say */
        snprintf(total, sizeof total, " of %.1f MiB", mebibytes(info->memory));
    if (info->largest && wanted->bytes > info->largest)
        snprintf(most, sizeof most, "; one buffer can have up to %.1f MiB there", mebibytes(info->largest));
    ursa_fail(URSA_ERROR_MEMORY, "%s is out of memory: wanted %.1f MiB for %s %s, with %.1f MiB in use%s%s", info->id,
              mebibytes(wanted->bytes), ursa_dtype_name(wanted->dtype),
              ursa_shape_text(wanted->ndim, wanted->shape).text, mebibytes(used), total, most);
}

/* Ones in all bits are not a number in every float type. */
static void poison(ursa_buffer *buffer)
{
    static const uint8_t ones[4096] = {[0 ... 4095] = 0xff};
    for (size_t done = 0; done < buffer->bytes; done += sizeof ones) {
        size_t left = buffer->bytes - done, count = left < sizeof ones ? left : sizeof ones;
        buffer->device->backend->write(buffer->device, buffer, (int64_t)done, URSA_U8, ones, (int64_t)count);
    }
}

ursa_buffer *ursa_allocator_take(ursa_device *device, const struct ursa_wanted *wanted)
{
    struct ursa_allocator *allocator = device->allocator;
    ursa_memory_stats *memory = &device->memory;
    size_t rounded = 0;
    int class = class_of(wanted->bytes, &rounded);
    if (allocator->wastes && class >= 0)
        rounded = wanted->bytes ? wanted->bytes : 1;
    pthread_mutex_lock(&allocator->lock);
    struct block *block = NULL;
    if (class >= 0) {
        block = allocator->free[class];
        if (block) {
            allocator->free[class] = block->next;
            memory->cached -= rounded;
        } else {
            block = new_block(device, class, rounded);
        }
    }
    if (block) {
        block->buffer.references = 1;
        memory->used += rounded;
        if (memory->used > memory->peak)
            memory->peak = memory->used;
    }
    memory->refused += !block;
    uint64_t used = memory->used;
    pthread_mutex_unlock(&allocator->lock);
    if (!block)
        fail_memory(device, wanted, used);
    if (block && allocator->poisons)
        poison(&block->buffer);
    return block ? &block->buffer : NULL;
}

void ursa_allocator_give(ursa_buffer *buffer)
{
    struct block *block = (struct block *)buffer;
    ursa_device *device = buffer->device;
    struct ursa_allocator *allocator = device->allocator;
    pthread_mutex_lock(&allocator->lock);
    struct block **list = allocator->wastes ? &allocator->spent : &allocator->free[block->class];
    block->next = *list;
    *list = block;
    device->memory.used -= buffer->bytes;
    device->memory.cached += allocator->wastes ? 0 : buffer->bytes;
    pthread_mutex_unlock(&allocator->lock);
}

ursa_memory_stats ursa_device_memory(const ursa_device *device)
{
    if (!device)
        return (ursa_memory_stats){0};
    pthread_mutex_lock(&device->allocator->lock);
    ursa_memory_stats memory = device->memory;
    pthread_mutex_unlock(&device->allocator->lock);
    return memory;
}

void ursa_device_reset_peak(ursa_device *device)
{
    if (!device)
        return;
    pthread_mutex_lock(&device->allocator->lock);
    device->memory.peak = device->memory.used;
    pthread_mutex_unlock(&device->allocator->lock);
}

void ursa_device_trim(ursa_device *device)
{
    if (!device)
        return;
    pthread_mutex_lock(&device->allocator->lock);
    trim(device);
    pthread_mutex_unlock(&device->allocator->lock);
}
