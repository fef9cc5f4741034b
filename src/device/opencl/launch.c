/* launch.c — the one place that enqueues kernels. */
#include "base/error.h"
#include "base/memory.h"
#include "device/opencl/kernel.h"
#include <stdlib.h>
#include <string.h>

/* Launches between two clFlush: the device starts early, and the driver is not
 * called for every one. */
enum { FLUSH_EVERY = 16 };

/* Work items of a group, and of its rows where columns are few. */
enum { GROUP = 256, NARROW = 16 };

static size_t round_up(size_t count, size_t unit)
{
    return (count + unit - 1) / unit * unit;
}

static size_t power_of_two_below(size_t limit)
{
    size_t size = 1;
    while (size * 2 <= limit)
        size *= 2;
    return size;
}

/* A few shapes of groups only, whatever the count: some drivers compile a
 * kernel anew for every shape. */
static size_t group_of(const struct ursa_cl_device *device, int axis, size_t wanted)
{
    size_t limit = device->max_item[axis] < device->max_group ? device->max_item[axis] : device->max_group;
    return power_of_two_below(limit < wanted ? limit : wanted);
}

ursa_cl_grid ursa_cl_items(const struct ursa_cl_device *device, int64_t count)
{
    return (ursa_cl_grid){.dims = 1, .global = {count > 0 ? (size_t)count : 0}, .local = {group_of(device, 0, GROUP)}};
}

ursa_cl_grid ursa_cl_items2(const struct ursa_cl_device *device, int64_t columns, int64_t rows)
{
    ursa_cl_grid grid = ursa_cl_items(device, columns);
    grid.dims = 2;
    grid.global[1] = rows > 0 ? (size_t)rows : 0;
    grid.local[0] = group_of(device, 0, columns >= GROUP / 2 ? GROUP : NARROW);
    grid.local[1] = group_of(device, 1, GROUP / grid.local[0]);
    while (grid.local[0] * grid.local[1] > device->max_group)
        grid.local[1] /= 2;
    return grid;
}

ursa_cl_grid ursa_cl_groups(int64_t count, size_t size)
{
    return (ursa_cl_grid){.dims = 1, .global = {count > 0 ? (size_t)count * size : 0}, .local = {size}};
}

cl_int ursa_cl_count(const char *op, const ursa_array *array)
{
    int64_t count = ursa_array_count(array);
    if (count <= INT32_MAX)
        return (cl_int)count;
    ursa_fail(URSA_ERROR_UNSUPPORTED, "%s: an array of %lld elements; OpenCL kernels take up to 2147483647", op,
              (long long)count);
    return -1;
}

/* The code of a fault, entered in the device's list when new; 0 when memory
 * ran out. Equal faults share a code: there are few. */
static cl_int fault_code(struct ursa_cl_device *device, const char *op, cl_long limit)
{
    for (int i = 0; i < device->fault_count; i++)
        if (device->faults[i].limit == limit && strcmp(device->faults[i].op, op) == 0)
            return i + 1;
    struct ursa_cl_fault *grown = ursa_grow(device->faults, (size_t)(device->fault_count + 1) * sizeof *grown);
    if (!grown)
        return 0;
    device->faults = grown;
    device->faults[device->fault_count++] = (struct ursa_cl_fault){op, limit};
    return device->fault_count;
}

static cl_int set_fault(struct ursa_cl_device *device, cl_kernel kernel, cl_uint *index, const ursa_cl_arg *arg)
{
    cl_int number = fault_code(device, arg->value.pointer, arg->offset), limit = (cl_int)arg->offset;
    if (number == 0)
        return CL_OUT_OF_HOST_MEMORY;
    cl_int code = ursa_cl.SetKernelArg(kernel, (*index)++, sizeof device->fault, &device->fault);
    if (code == CL_SUCCESS)
        code = ursa_cl.SetKernelArg(kernel, (*index)++, sizeof number, &number);
    if (code == CL_SUCCESS)
        code = ursa_cl.SetKernelArg(kernel, (*index)++, sizeof limit, &limit);
    device->fault_armed = true;
    return code;
}

static cl_int set_argument(struct ursa_cl_device *device, cl_kernel kernel, cl_uint *index, const ursa_cl_arg *arg)
{
    cl_int code = CL_SUCCESS;
    switch (arg->kind) {
    case URSA_CL_ARRAY:
        code = ursa_cl.SetKernelArg(kernel, (*index)++, arg->size, &arg->value.mem);
        if (code == CL_SUCCESS)
            code = ursa_cl.SetKernelArg(kernel, (*index)++, sizeof arg->offset, &arg->offset);
        return code;
    case URSA_CL_FAULT:
        return set_fault(device, kernel, index, arg);
    case URSA_CL_STRUCT:
        return ursa_cl.SetKernelArg(kernel, (*index)++, arg->size, arg->value.pointer);
    case URSA_CL_LOCAL:
        return ursa_cl.SetKernelArg(kernel, (*index)++, arg->size, NULL);
    case URSA_CL_VALUE:
        break;
    }
    return ursa_cl.SetKernelArg(kernel, (*index)++, arg->size, &arg->value);
}

/* Some drivers find memory for a buffer only when a kernel uses it. */
static bool fail_enqueue(const struct ursa_cl_device *device, const struct ursa_cl_kernel *kernel, cl_int code)
{
    const ursa_device *base = &device->base;
    if (code != CL_MEM_OBJECT_ALLOCATION_FAILURE)
        return ursa_fail(URSA_ERROR_DEVICE, "opencl: kernel \"%s\" on %s: %s", kernel->id, base->info.name,
                         ursa_cl_error_name(code));
    return ursa_fail(URSA_ERROR_MEMORY, "%s is out of memory: its driver has none for kernel %s, with %.1f MiB in use",
                     base->info.id, kernel->name, (double)ursa_device_memory(base).used / (1 << 20));
}

static bool enqueue(struct ursa_cl_device *device, struct ursa_cl_kernel *kernel, const ursa_cl_grid *grid, int count,
                    const ursa_cl_arg *args)
{
    cl_uint index = 0;
    for (int i = 0; i < count; i++) {
        cl_int code = set_argument(device, kernel->kernel, &index, &args[i]);
        if (code != CL_SUCCESS)
            return ursa_fail(URSA_ERROR_DEVICE, "opencl: argument %u of kernel \"%s\": %s", index, kernel->id,
                             ursa_cl_error_name(code));
    }
    size_t global[3];
    for (int i = 0; i < grid->dims; i++)
        global[i] = round_up(grid->global[i], grid->local[i]);
    cl_event event = NULL;
    cl_int code = ursa_cl.EnqueueNDRangeKernel(device->queue, kernel->kernel, (cl_uint)grid->dims, NULL, global,
                                               grid->local, 0, NULL, device->measures ? &event : NULL);
    if (code == CL_MEM_OBJECT_ALLOCATION_FAILURE) {
        ursa_device_trim(&device->base);
        code = ursa_cl.EnqueueNDRangeKernel(device->queue, kernel->kernel, (cl_uint)grid->dims, NULL, global,
                                            grid->local, 0, NULL, device->measures ? &event : NULL);
    }
    if (code != CL_SUCCESS)
        return fail_enqueue(device, kernel, code);
    if (event)
        ursa_cl_time(device, event, kernel->name, false);
    if (++device->unflushed >= FLUSH_EVERY) {
        device->unflushed = 0;
        ursa_cl.Flush(device->queue);
    }
    return true;
}

bool ursa_cl_run(struct ursa_cl_device *device, struct ursa_cl_kernel *kernel, ursa_cl_grid grid, int count,
                 const ursa_cl_arg *args)
{
    if (!kernel)
        return false;
    for (int i = 0; i < grid.dims; i++)
        if (grid.global[i] == 0)
            return true;
    pthread_mutex_lock(&device->lock); /* the arguments of a kernel object are its state */
    bool ok = enqueue(device, kernel, &grid, count, args);
    pthread_mutex_unlock(&device->lock);
    return ok;
}
