/* device.c — the reference device: its memory, and the table of its operators. */
#include "reference64.h"
#include "view.h"
#include <stdlib.h>
#include <string.h>

static size_t element_size(ursa_dtype dtype)
{
    return is_float(dtype) ? sizeof(double) : ursa_dtype_size(dtype);
}

static void *allocate(ursa_device *device, size_t bytes)
{
    (void)device;
    return aligned_alloc(64, (bytes + 127) / 64 * 64);
}

static void release(ursa_device *device, void *handle, size_t bytes)
{
    (void)device, (void)bytes;
    free(handle);
}

static double double_from_host(ursa_dtype dtype, const void *data, int64_t i)
{
    switch (dtype) {
    case URSA_F16:
        return (double)ursa_f32_from_f16(((const uint16_t *)data)[i]);
    case URSA_BF16:
        return (double)ursa_f32_from_bf16(((const uint16_t *)data)[i]);
    default:
        return (double)((const float *)data)[i];
    }
}

static void double_to_host(double value, ursa_dtype dtype, void *data, int64_t i)
{
    switch (dtype) {
    case URSA_F16:
        ((uint16_t *)data)[i] = ursa_f16_from_f32((float)value);
        break;
    case URSA_BF16:
        ((uint16_t *)data)[i] = ursa_bf16_from_f32((float)value);
        break;
    default:
        ((float *)data)[i] = (float)value;
    }
}

static bool write(ursa_device *device, ursa_buffer *buffer, int64_t offset, ursa_dtype dtype, const void *data,
                  int64_t count)
{
    (void)device;
    if (is_float(dtype))
        for (int64_t i = 0; i < count; i++)
            ((double *)buffer->handle)[offset + i] = double_from_host(dtype, data, i);
    else if (count > 0)
        memcpy((char *)buffer->handle + (size_t)offset * element_size(dtype), data,
               (size_t)count * element_size(dtype));
    return true;
}

static bool read(ursa_device *device, const ursa_buffer *buffer, int64_t offset, ursa_dtype dtype, void *data,
                 int64_t count)
{
    (void)device;
    if (is_float(dtype))
        for (int64_t i = 0; i < count; i++)
            double_to_host(((const double *)buffer->handle)[offset + i], dtype, data, i);
    else if (count > 0)
        memcpy(data, (const char *)buffer->handle + (size_t)offset * element_size(dtype),
               (size_t)count * element_size(dtype));
    return true;
}

static bool sync(ursa_device *device)
{
    (void)device;
    return true;
}

static ursa_device *the_device;

static void close_device(ursa_device *device)
{
    free(device);
    the_device = NULL;
}

static const struct ursa_backend backend = {
    .name = "reference64",
    .allocate = allocate,
    .release = release,
    .element_size = element_size,
    .write = write,
    .read = read,
    .sync = sync,
    .close = close_device,
#define URSA_OP(name, types, text) .name = reference64_##name,
#include "device/ops.def"
#undef URSA_OP
};

ursa_device *reference64_open(void)
{
    if (the_device)
        return the_device;
    ursa_device *device = calloc(1, sizeof *device);
    if (!device)
        return NULL;
    device->backend = &backend;
    device->info = (ursa_device_info){.id = "reference64", .name = "double precision", .driver = "tests", .level = "C"};
    if (!ursa_device_register(device)) {
        free(device);
        return NULL;
    }
    return the_device = device;
}

void reference64_read(const ursa_array *array, double *values)
{
    int64_t count = count_of(array);
    for (int64_t i = 0; i < count; i++)
        values[i] = get(array, i);
}

void reference64_write(const ursa_array *array, const double *values)
{
    int64_t count = count_of(array);
    for (int64_t i = 0; i < count; i++)
        put(array, i, values[i]);
}
