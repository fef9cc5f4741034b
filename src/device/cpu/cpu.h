/* cpu.h — the CPU backend, as its operators see it. */
#ifndef URSA_DEVICE_CPU_CPU_H
#define URSA_DEVICE_CPU_CPU_H

#include "device/backend.h"
#include "device/ops.h"
#include "simd/simd.h"

/* The kernels in use: those of the best instruction set the processor has,
 * unless URSA_CPU or ursa_cpu_use() chose a lower one. */
const struct ursa_simd *ursa_cpu_simd(void);

/* The sets this processor can run, lowest first: "reference" is number 0.
 * NULL past the last. */
const struct ursa_simd *ursa_cpu_set(int index);

/* Switches to the set of this name, for tests; false with an error that lists
 * the sets there are. No operator may be running. */
bool ursa_cpu_use(const char *set);

/* Host pointer to the first element; NULL for an absent array. */
static inline void *ursa_cpu_data(const ursa_array *array)
{
    if (!array->buffer || !array->buffer->handle)
        return NULL;
    return (char *)array->buffer->handle + array->offset * (int64_t)ursa_dtype_size(array->dtype);
}
static inline float *ursa_cpu_f32(const ursa_array *array)
{
    return ursa_cpu_data(array);
}
static inline int32_t *ursa_cpu_i32(const ursa_array *array)
{
    return ursa_cpu_data(array);
}
static inline int64_t *ursa_cpu_i64(const ursa_array *array)
{
    return ursa_cpu_data(array);
}

/* The operators: ursa_cpu_<name>. Their arguments have been checked. */
#define URSA_OP(name, types, text) bool ursa_cpu_##name(ursa_device *device, const struct ursa_##name##_args *args);
#include "device/ops.def"
#undef URSA_OP

/* x as a contiguous array of `dtype`: itself where it is one, else a copy in
 * *buffer, which is NULL otherwise and the caller's to release in any case. */
bool ursa_cpu_contiguous(ursa_device *device, const ursa_array *x, ursa_dtype dtype, ursa_array *view,
                         ursa_buffer **buffer);

/* An array seen around an axis. */
typedef struct ursa_around {
    int64_t outer, extent, inner;
} ursa_around;
ursa_around ursa_cpu_around(const ursa_array *array, int axis);

/* Memory and transfers; table.c puts them beside the operators. */
void *ursa_cpu_allocate(ursa_device *device, size_t bytes);
void ursa_cpu_release(ursa_device *device, void *handle, size_t bytes);
bool ursa_cpu_write(ursa_device *device, ursa_buffer *buffer, int64_t offset, ursa_dtype dtype, const void *data,
                    int64_t count);
bool ursa_cpu_read(ursa_device *device, const ursa_buffer *buffer, int64_t offset, ursa_dtype dtype, void *data,
                   int64_t count);
bool ursa_cpu_sync(ursa_device *device);
void ursa_cpu_close(ursa_device *device);
double ursa_cpu_peak_gflops(ursa_device *device, ursa_dtype dtype);

extern const struct ursa_backend ursa_cpu_backend;

#endif
