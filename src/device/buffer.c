/* buffer.c — buffers: typed pieces of a device's memory, shared by reference. */
#include "allocator.h"
#include "base/error.h"
#include <inttypes.h>

size_t ursa_device_element_size(const ursa_device *device, ursa_dtype dtype)
{
    const struct ursa_backend *backend = device->backend;
    return backend->element_size ? backend->element_size(dtype) : ursa_dtype_size(dtype);
}

ursa_buffer *ursa_buffer_new(ursa_device *device, ursa_dtype dtype, int64_t count)
{
    if (!device)
        return NULL;
    size_t bytes;
    if (count < 0 || __builtin_mul_overflow((size_t)count, ursa_device_element_size(device, dtype), &bytes)) {
        ursa_fail(URSA_ERROR_MEMORY, "a buffer of %" PRId64 " elements is not possible", count);
        return NULL;
    }
    return ursa_allocator_take(device, bytes);
}

ursa_buffer *ursa_buffer_retain(ursa_buffer *buffer)
{
    if (buffer)
        __atomic_add_fetch(&buffer->references, 1, __ATOMIC_RELAXED);
    return buffer;
}

void ursa_buffer_release(ursa_buffer *buffer)
{
    if (buffer && __atomic_sub_fetch(&buffer->references, 1, __ATOMIC_ACQ_REL) == 0)
        ursa_allocator_give(buffer);
}

static bool is_inside(const ursa_buffer *buffer, int64_t offset, ursa_dtype dtype, int64_t count, const char *what)
{
    size_t held = buffer->bytes / ursa_device_element_size(buffer->device, dtype);
    if (offset >= 0 && count >= 0 && (uint64_t)offset <= held && (uint64_t)count <= held - (uint64_t)offset)
        return true;
    return ursa_fail(URSA_ERROR_ARGUMENT, "%s of elements %" PRId64 " … %" PRId64 " in a buffer of %zu", what, offset,
                     offset + count, held);
}

bool ursa_buffer_write(ursa_buffer *buffer, int64_t offset, ursa_dtype dtype, const void *data, int64_t count)
{
    if (!buffer || !is_inside(buffer, offset, dtype, count, "write"))
        return false;
    return count == 0 || buffer->device->backend->write(buffer->device, buffer, offset, dtype, data, count);
}

bool ursa_buffer_read(const ursa_buffer *buffer, int64_t offset, ursa_dtype dtype, void *data, int64_t count)
{
    if (!buffer || !is_inside(buffer, offset, dtype, count, "read"))
        return false;
    __atomic_add_fetch(&buffer->device->waits, 1, __ATOMIC_RELAXED);
    return count == 0 || buffer->device->backend->read(buffer->device, buffer, offset, dtype, data, count);
}
