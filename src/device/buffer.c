/* buffer.c — buffers: typed pieces of a device's memory, shared by reference. */
#include "allocator.h"
#include "base/error.h"
#include "profile.h"
#include <inttypes.h>

size_t ursa_device_element_size(const ursa_device *device, ursa_dtype dtype)
{
    const struct ursa_backend *backend = device->backend;
    return backend->element_size ? backend->element_size(dtype) : ursa_dtype_size(dtype);
}

ursa_buffer *ursa_buffer_of_shape(ursa_device *device, ursa_dtype dtype, int ndim, const int64_t *shape)
{
    if (!device)
        return NULL;
    struct ursa_wanted wanted = {ursa_device_element_size(device, dtype), dtype, ndim, shape};
    for (int i = 0; i < ndim; i++)
        if (shape[i] < 0 || __builtin_mul_overflow(wanted.bytes, (size_t)shape[i], &wanted.bytes)) {
            ursa_fail(URSA_ERROR_MEMORY, "a buffer of %s elements is not possible", ursa_shape_text(ndim, shape).text);
            return NULL;
        }
    return ursa_allocator_take(device, &wanted);
}

ursa_buffer *ursa_buffer_new(ursa_device *device, ursa_dtype dtype, int64_t count)
{
    return ursa_buffer_of_shape(device, dtype, 1, &count);
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

static struct ursa_call *begin_copy(struct ursa_call *call, const char *name, const ursa_buffer *buffer,
                                    ursa_dtype dtype, int64_t count)
{
    call = ursa_profile_prepare(call, name, buffer->device);
    if (!call)
        return NULL;
    call->is_copy = true;
    call->bytes = (double)count * (double)ursa_dtype_size(dtype);
    ursa_profile_begin(call);
    return call;
}

bool ursa_buffer_write(ursa_buffer *buffer, int64_t offset, ursa_dtype dtype, const void *data, int64_t count)
{
    if (!buffer || !is_inside(buffer, offset, dtype, count, "write"))
        return false;
    struct ursa_call call, *measured = begin_copy(&call, "upload", buffer, dtype, count);
    bool done = count == 0 || buffer->device->backend->write(buffer->device, buffer, offset, dtype, data, count);
    ursa_profile_end(measured, NULL);
    return done;
}

bool ursa_buffer_read(const ursa_buffer *buffer, int64_t offset, ursa_dtype dtype, void *data, int64_t count)
{
    if (!buffer || !is_inside(buffer, offset, dtype, count, "read"))
        return false;
    __atomic_add_fetch(&buffer->device->waits, 1, __ATOMIC_RELAXED);
    struct ursa_call call, *measured = begin_copy(&call, "read", buffer, dtype, count);
    bool done = count == 0 || buffer->device->backend->read(buffer->device, buffer, offset, dtype, data, count);
    ursa_profile_end(measured, NULL);
    return done;
}
