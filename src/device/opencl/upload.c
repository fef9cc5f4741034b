/* upload.c — data on its way from the host to the device, beside the kernels.
 *
 *     host memory -> staging -> landing -> the buffer
 *                 memcpy     queue of     queue of
 *                            uploads      kernels
 *
 * Staging is host memory that the driver can copy from on its own (pinned), and
 * landing is memory of the device. Both are one ring, of the same size and with
 * the same places. The queue of uploads fills landing while the queue of kernels
 * works on an earlier step; a copy within the device, for which the kernels wait
 * in their order, then brings the data where it belongs. So buffers can be reused
 * as soon as the host lets go of them, and nobody keeps track of what uses them.
 *
 * A place in the ring is free again when the copy within the device is done. A
 * host that has filled the whole ring waits for the oldest: it is many batches
 * ahead of the device then, which has work left. */
#include "base/error.h"
#include "base/memory.h"
#include "device/opencl/runtime.h"
#include <stdlib.h>
#include <string.h>

enum { ENTRIES = 512, ALIGNMENT = 256 };

/* Rings are four times as large as the largest upload, within these limits;
 * larger uploads go in pieces. */
static const size_t smallest = (size_t)4 << 20, largest = (size_t)256 << 20;

struct entry {
    size_t begin;
    cl_event landed; /* and copied on: the place is free */
};

struct ursa_cl_ring {
    struct ursa_cl_ring *next; /* a smaller one, from before, that may still be in use */
    size_t capacity, head;     /* where the next entry begins */
    cl_mem pinned, landing;
    unsigned char *staging;
    struct entry entries[ENTRIES]; /* oldest first, from `first` on, around the end */
    int first, count;
};

/* ---- rings ------------------------------------------------------------------- */

static void free_ring(struct ursa_cl_device *device, struct ursa_cl_ring *ring)
{
    if (!ring)
        return;
    for (int i = 0; i < ring->count; i++) {
        cl_event landed = ring->entries[(ring->first + i) % ENTRIES].landed;
        ursa_cl.WaitForEvents(1, &landed);
        ursa_cl.ReleaseEvent(landed);
    }
    if (ring->staging) {
        ursa_cl.EnqueueUnmapMemObject(device->uploads, ring->pinned, ring->staging, 0, NULL, NULL);
        ursa_cl.Finish(device->uploads);
    }
    if (ring->pinned)
        ursa_cl.ReleaseMemObject(ring->pinned);
    if (ring->landing)
        ursa_cl.ReleaseMemObject(ring->landing);
    free(ring);
}

void ursa_cl_free_uploads(struct ursa_cl_device *device)
{
    for (struct ursa_cl_ring *ring = device->ring, *next; ring; ring = next) {
        next = ring->next;
        free_ring(device, ring);
    }
    device->ring = NULL;
}

/* NULL, without an error, where there is no memory for it. */
static struct ursa_cl_ring *make_ring(struct ursa_cl_device *device, size_t capacity)
{
    struct ursa_cl_ring *ring = ursa_alloc(sizeof *ring);
    cl_int code = CL_SUCCESS;
    if (!ring)
        return NULL;
    ring->capacity = capacity;
    ring->landing = ursa_cl.CreateBuffer(device->context, CL_MEM_READ_WRITE, capacity, NULL, &code);
    if (code == CL_SUCCESS)
        ring->pinned =
            ursa_cl.CreateBuffer(device->context, CL_MEM_READ_WRITE | CL_MEM_ALLOC_HOST_PTR, capacity, NULL, &code);
    if (code == CL_SUCCESS)
        ring->staging = ursa_cl.EnqueueMapBuffer(device->uploads, ring->pinned, CL_TRUE, CL_MAP_READ | CL_MAP_WRITE, 0,
                                                 capacity, 0, NULL, NULL, &code);
    if (code == CL_SUCCESS)
        return ring;
    ring->staging = NULL;
    free_ring(device, ring);
    return NULL;
}

/* Frees the entries that are done, and rings of before that have none left. */
static void reclaim(struct ursa_cl_device *device)
{
    for (struct ursa_cl_ring **place = &device->ring, *ring; (ring = *place);) {
        while (ring->count) {
            struct entry *oldest = &ring->entries[ring->first];
            cl_int status = CL_QUEUED;
            ursa_cl.GetEventInfo(oldest->landed, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof status, &status, NULL);
            if (status > CL_COMPLETE)
                break;
            ursa_cl.ReleaseEvent(oldest->landed);
            ring->first = (ring->first + 1) % ENTRIES;
            ring->count--;
        }
        if (ring->count == 0)
            ring->head = 0;
        if (ring->count == 0 && ring != device->ring) {
            *place = ring->next;
            free_ring(device, ring);
        } else {
            place = &ring->next;
        }
    }
}

/* Where `bytes` fit now; false when something must be freed before. */
static bool find_place(const struct ursa_cl_ring *ring, size_t bytes, size_t *begin)
{
    *begin = 0;
    if (ring->count == 0)
        return bytes <= ring->capacity;
    if (ring->count == ENTRIES)
        return false;
    size_t tail = ring->entries[ring->first].begin, head = ring->head; /* taken is what lies between */
    *begin = head;
    if (head > tail) {
        if (bytes <= ring->capacity - head)
            return true;
        *begin = 0;
        return bytes <= tail;
    }
    return bytes <= tail - head;
}

/* A ring for uploads of so many bytes: the newest, or one as large as they need, or as there is memory for. */
static struct ursa_cl_ring *ring_for(struct ursa_cl_device *device, size_t bytes)
{
    size_t capacity = smallest;
    while (capacity < largest && capacity < 4 * bytes)
        capacity *= 2;
    for (; capacity >= smallest; capacity /= 2) {
        if (device->ring && device->ring->capacity >= capacity)
            return device->ring;
        struct ursa_cl_ring *ring = make_ring(device, capacity);
        if (!ring)
            continue;
        ring->next = device->ring;
        return device->ring = ring;
    }
    ursa_fail(URSA_ERROR_MEMORY, "%s is out of memory: wanted %zu bytes to upload through", device->base.info.id,
              2 * smallest);
    return NULL;
}

/* ---- uploading ---------------------------------------------------------------- */

/* Not one of the waits that ursa_device_waits() counts: see above. */
static void wait_for_oldest(struct ursa_cl_device *device, const struct ursa_cl_ring *ring)
{
    ursa_cl.Flush(device->queue);
    ursa_cl.WaitForEvents(1, &ring->entries[ring->first].landed);
}

static cl_int enqueue(struct ursa_cl_device *device, struct ursa_cl_ring *ring, size_t begin, cl_mem buffer,
                      size_t offset, size_t bytes, cl_event *landed)
{
    cl_event uploaded = NULL;
    cl_int code = ursa_cl.EnqueueWriteBuffer(device->uploads, ring->landing, CL_FALSE, begin, bytes,
                                             ring->staging + begin, 0, NULL, &uploaded);
    if (code != CL_SUCCESS)
        return code;
    ursa_cl.Flush(device->uploads);
    code = ursa_cl.EnqueueCopyBuffer(device->queue, ring->landing, buffer, begin, offset, bytes, 1, &uploaded, landed);
    ursa_cl.Flush(device->queue);
    if (device->measures && code == CL_SUCCESS) {
        ursa_cl.RetainEvent(*landed);
        ursa_cl_time(device, uploaded, "upload", true);
        ursa_cl_time(device, *landed, "land", false);
    } else {
        ursa_cl.ReleaseEvent(uploaded);
    }
    return code;
}

static bool upload_piece(struct ursa_cl_device *device, struct ursa_cl_ring *ring, cl_mem buffer, size_t offset,
                         const void *data, size_t bytes)
{
    size_t begin;
    reclaim(device);
    while (!find_place(ring, bytes, &begin)) {
        wait_for_oldest(device, ring);
        reclaim(device);
    }
    memcpy(ring->staging + begin, data, bytes);
    struct entry entry = {.begin = begin};
    cl_int code = enqueue(device, ring, begin, buffer, offset, bytes, &entry.landed);
    if (code != CL_SUCCESS)
        return ursa_fail(URSA_ERROR_DEVICE, "opencl: writing to %s: %s", device->base.info.name,
                         ursa_cl_error_name(code));
    ring->entries[(ring->first + ring->count++) % ENTRIES] = entry;
    ring->head = begin + (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return true;
}

bool ursa_cl_write(ursa_device *base, ursa_buffer *buffer, int64_t offset, ursa_dtype dtype, const void *data,
                   int64_t count)
{
    struct ursa_cl_device *device = ursa_cl_device(base);
    size_t size = ursa_dtype_size(dtype), bytes = (size_t)count * size, begin = (size_t)offset * size;
    pthread_mutex_lock(&device->upload_lock);
    struct ursa_cl_ring *ring = ring_for(device, bytes);
    bool done = ring != NULL;
    for (size_t at = 0, piece; done && at < bytes; at += piece) {
        piece = bytes - at < ring->capacity / 4 ? bytes - at : ring->capacity / 4;
        done = upload_piece(device, ring, buffer->handle, begin + at, (const char *)data + at, piece);
    }
    pthread_mutex_unlock(&device->upload_lock);
    return done;
}
