/* memory.c — device memory, reading it, and waiting for the device. Writing is in upload.c. */
#include "base/error.h"
#include "device/opencl/kernel.h"

void *ursa_cl_allocate(ursa_device *base, size_t bytes)
{
    cl_int code = CL_SUCCESS;
    cl_mem mem = ursa_cl.CreateBuffer(ursa_cl_device(base)->context, CL_MEM_READ_WRITE, bytes ? bytes : 1, NULL, &code);
    return code == CL_SUCCESS ? mem : NULL;
}

/* Commands already enqueued keep the memory until they are done. */
void ursa_cl_release(ursa_device *base, void *handle, size_t bytes)
{
    (void)base, (void)bytes;
    ursa_cl.ReleaseMemObject(handle);
}

static bool fail_transfer(const struct ursa_cl_device *device, const char *what, cl_int code)
{
    return ursa_fail(URSA_ERROR_DEVICE, "opencl: %s %s: %s", what, device->base.info.name, ursa_cl_error_name(code));
}

/* ---- device to host ------------------------------------------------------ */

/* Faults are two ints; asking for them is enqueued before the read that waits,
 * so that there is one wait. */
static cl_int begin_fault_check(struct ursa_cl_device *device, cl_int found[2])
{
    found[0] = 0;
    if (!device->fault_armed)
        return CL_SUCCESS;
    return ursa_cl.EnqueueReadBuffer(device->queue, device->fault, CL_FALSE, 0, 2 * sizeof *found, found, 0, NULL,
                                     NULL);
}

static bool end_fault_check(struct ursa_cl_device *device, const cl_int found[2])
{
    device->fault_armed = false;
    if (found[0] == 0)
        return true;
    static const cl_int none[2];
    ursa_cl.EnqueueWriteBuffer(device->queue, device->fault, CL_TRUE, 0, sizeof none, none, 0, NULL, NULL);
    if (found[0] < 0 || found[0] > device->fault_count)
        return ursa_fail(URSA_ERROR_DEVICE, "opencl: %s reports an unknown fault", device->base.info.name);
    const struct ursa_cl_fault *fault = &device->faults[found[0] - 1];
    return ursa_fail(URSA_ERROR_ARGUMENT, "%s: index %d is outside 0 … %lld", fault->op, (int)found[1],
                     (long long)fault->limit - 1);
}

bool ursa_cl_read(ursa_device *base, const ursa_buffer *buffer, int64_t offset, ursa_dtype dtype, void *data,
                  int64_t count)
{
    struct ursa_cl_device *device = ursa_cl_device(base);
    size_t size = ursa_dtype_size(dtype);
    if (count == 0)
        return true;
    pthread_mutex_lock(&device->lock);
    cl_int found[2], code = begin_fault_check(device, found);
    cl_event event = NULL;
    if (code == CL_SUCCESS)
        code = ursa_cl.EnqueueReadBuffer(device->queue, buffer->handle, CL_TRUE, (size_t)offset * size,
                                         (size_t)count * size, data, 0, NULL, device->measures ? &event : NULL);
    if (event)
        ursa_cl_time(device, event, "read", false);
    device->unflushed = 0;
    bool ok = code == CL_SUCCESS ? end_fault_check(device, found) : fail_transfer(device, "reading from", code);
    pthread_mutex_unlock(&device->lock);
    return ok;
}

bool ursa_cl_sync(ursa_device *base)
{
    struct ursa_cl_device *device = ursa_cl_device(base);
    pthread_mutex_lock(&device->lock);
    cl_int found[2], code = begin_fault_check(device, found);
    if (code == CL_SUCCESS)
        code = ursa_cl.Finish(device->queue);
    device->unflushed = 0;
    bool ok = code == CL_SUCCESS ? end_fault_check(device, found) : fail_transfer(device, "waiting for", code);
    pthread_mutex_unlock(&device->lock);
    return ok;
}
