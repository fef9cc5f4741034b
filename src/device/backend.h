/* backend.h — what a backend gives the device room: memory and one function
 * per operator. device.c owns everything that is the same for all of them:
 * finding and naming devices, the caching allocator, checking arguments.
 */
#ifndef URSA_DEVICE_BACKEND_H
#define URSA_DEVICE_BACKEND_H

#include "ops.h"

struct ursa_backend {
    const char *name;

    /* Raw device memory, aligned to 64 bytes or more. NULL, without an error
     * latched, when there is none: the allocator then trims and tries again. */
    void *(*allocate)(ursa_device *device, size_t bytes);
    void (*release)(ursa_device *device, void *handle, size_t bytes);

    /* Bytes an element takes on this device; NULL means ursa_dtype_size. Only
     * the double-precision reference of the tests differs. */
    size_t (*element_size)(ursa_dtype dtype);

    /* Copies `count` elements between host memory (in the host's layout) and a
     * buffer. `write` has taken what it needs from `data` when it returns;
     * `read` waits, and reports whatever failed on the device before. */
    bool (*write)(ursa_device *device, ursa_buffer *buffer, int64_t offset, ursa_dtype dtype, const void *data,
                  int64_t count);
    bool (*read)(ursa_device *device, const ursa_buffer *buffer, int64_t offset, ursa_dtype dtype, void *data,
                 int64_t count);
    bool (*sync)(ursa_device *device);
    void (*close)(ursa_device *device);

    /* For devices that keep the time of their work themselves; else NULL. Waits
     * for all work, and reports what was not yet to ursa_profile_span(). */
    void (*collect)(ursa_device *device);
    /* Where there are several ways to compute products; else NULL: tuner.h. */
    const struct ursa_tuner *tuner;
    /* See ursa_device_peak_gflops(); may be NULL. */
    double (*peak_gflops)(ursa_device *device, ursa_dtype dtype);

#define URSA_OP(name, types, text) bool (*name)(ursa_device * device, const struct ursa_##name##_args *args);
#include "ops.def"
#undef URSA_OP
};

/* A backend's device struct starts with this one. */
struct ursa_device {
    const struct ursa_backend *backend;
    ursa_device_info info;
    ursa_memory_stats memory;
    struct ursa_allocator *allocator; /* made by ursa_device_register() */
    uint64_t waits;                   /* counted by ursa_buffer_read() and ursa_device_sync() */
    ursa_program_stats programs;      /* counted by the backend */
};

struct ursa_buffer {
    ursa_device *device;
    void *handle;     /* host pointer on the CPU, cl_mem on OpenCL */
    size_t bytes;     /* of the allocation, at least what was asked for */
    int references;   /* atomic */
    uint64_t version; /* how often a tensor over it was changed in place; counted by the tensor room */
};

/* Buffers from the caching allocator of the device; contents undefined. One
 * reference is the caller's. `count` 0 is allowed. */
ursa_buffer *ursa_buffer_new(ursa_device *device, ursa_dtype dtype, int64_t count);
/* The same with as many elements as a shape, of no negative extent, has; an error names it. */
ursa_buffer *ursa_buffer_of_shape(ursa_device *device, ursa_dtype dtype, int ndim, const int64_t *shape);
ursa_buffer *ursa_buffer_retain(ursa_buffer *buffer);
void ursa_buffer_release(ursa_buffer *buffer); /* takes NULL */

/* Typed copies between the host and a buffer; false with an error when they
 * fail. */
bool ursa_buffer_write(ursa_buffer *buffer, int64_t offset, ursa_dtype dtype, const void *data, int64_t count);
bool ursa_buffer_read(const ursa_buffer *buffer, int64_t offset, ursa_dtype dtype, void *data, int64_t count);

size_t ursa_device_element_size(const ursa_device *device, ursa_dtype dtype);

/* Adds an opened device of a backend to the process, which owns it from then
 * on. The tests add their reference device with it. */
bool ursa_device_register(ursa_device *device);

/* What the two built-in backends provide. `count` finds how many devices they
 * have without opening any; `describe` and `open` take 0 … count-1. */
struct ursa_provider {
    int (*count)(void);
    bool (*describe)(int index, ursa_device_info *info);
    ursa_device *(*open)(int index); /* NULL with an error */
};
extern const struct ursa_provider ursa_cpu_provider;
extern const struct ursa_provider ursa_opencl_provider; /* count 0 when not built in */

#endif
