/* view.h — elements of an array of the reference device, by index.
 *
 * Slow and obvious: an element is found from its row-major number by dividing
 * through the extents, whatever the strides.
 */
#ifndef URSA_TESTS_VIEW_H
#define URSA_TESTS_VIEW_H

#include "device/backend.h"
#include <math.h>

static inline bool present(const ursa_array *array)
{
    return array->buffer != NULL;
}

static inline int64_t count_of(const ursa_array *array)
{
    int64_t count = 1;
    for (int axis = 0; axis < array->ndim; axis++)
        count *= array->shape[axis];
    return count;
}

static inline bool is_float(ursa_dtype dtype)
{
    return dtype == URSA_F32 || dtype == URSA_F16 || dtype == URSA_BF16;
}

/* Where the multi-index of row-major element i lies in the buffer. */
static inline int64_t place_of(const ursa_array *array, int64_t i)
{
    int64_t place = array->offset;
    for (int axis = array->ndim - 1; axis >= 0; axis--) {
        place += i % array->shape[axis] * array->stride[axis];
        i /= array->shape[axis];
    }
    return place;
}

/* A double as an integer between low and high: truncated, saturated, 0 for
 * what is not a number. */
static inline int64_t truncated(double value, int64_t low, int64_t high)
{
    if (isnan(value))
        return 0;
    if (value <= (double)low)
        return low;
    if (value >= (double)high)
        return high;
    return (int64_t)value;
}

static inline double load(const ursa_buffer *buffer, ursa_dtype dtype, int64_t place)
{
    switch (dtype) {
    case URSA_I32:
        return (double)((const int32_t *)buffer->handle)[place];
    case URSA_I64:
        return (double)((const int64_t *)buffer->handle)[place];
    case URSA_U8:
    case URSA_BOOL:
        return (double)((const uint8_t *)buffer->handle)[place];
    default:
        return ((const double *)buffer->handle)[place];
    }
}

static inline int64_t load_integer(const ursa_buffer *buffer, ursa_dtype dtype, int64_t place)
{
    return dtype == URSA_I64 ? ((const int64_t *)buffer->handle)[place] : (int64_t)load(buffer, dtype, place);
}

/* Wraps to the width of the type. */
static inline void store_integer(ursa_buffer *buffer, ursa_dtype dtype, int64_t place, int64_t value)
{
    switch (dtype) {
    case URSA_I32:
        ((int32_t *)buffer->handle)[place] = (int32_t)(uint32_t)(uint64_t)value;
        break;
    case URSA_I64:
        ((int64_t *)buffer->handle)[place] = value;
        break;
    case URSA_U8:
        ((uint8_t *)buffer->handle)[place] = (uint8_t)value;
        break;
    case URSA_BOOL:
        ((uint8_t *)buffer->handle)[place] = value != 0;
        break;
    default:
        ((double *)buffer->handle)[place] = (double)value;
    }
}

/* Converts as the copy operator does. */
static inline void store(ursa_buffer *buffer, ursa_dtype dtype, int64_t place, double value)
{
    switch (dtype) {
    case URSA_I32:
        store_integer(buffer, dtype, place, truncated(value, INT32_MIN, INT32_MAX));
        break;
    case URSA_I64:
        store_integer(buffer, dtype, place, truncated(value, INT64_MIN, INT64_MAX));
        break;
    case URSA_U8:
        store_integer(buffer, dtype, place, truncated(value, 0, UINT8_MAX));
        break;
    case URSA_BOOL:
        store_integer(buffer, dtype, place, value != 0);
        break;
    default:
        ((double *)buffer->handle)[place] = value;
    }
}

/* Row-major element i. */
static inline double get(const ursa_array *array, int64_t i)
{
    return load(array->buffer, array->dtype, place_of(array, i));
}

static inline void put(const ursa_array *array, int64_t i, double value)
{
    store(array->buffer, array->dtype, place_of(array, i), value);
}

static inline int64_t get_integer(const ursa_array *array, int64_t i)
{
    return load_integer(array->buffer, array->dtype, place_of(array, i));
}

static inline void put_integer(const ursa_array *array, int64_t i, int64_t value)
{
    store_integer(array->buffer, array->dtype, place_of(array, i), value);
}

/* The elements of a contiguous float array; NULL when it is absent. */
static inline double *doubles(const ursa_array *array)
{
    return present(array) ? (double *)array->buffer->handle + array->offset : NULL;
}

/* An array as [outer, extent, inner] around an axis. */
typedef struct around {
    int64_t outer, extent, inner;
} around;

static inline around around_axis(const ursa_array *array, int axis)
{
    around a = {1, array->shape[axis], 1};
    for (int i = 0; i < axis; i++)
        a.outer *= array->shape[i];
    for (int i = axis + 1; i < array->ndim; i++)
        a.inner *= array->shape[i];
    return a;
}

/* The row-major number of element [o, i, n]. */
static inline int64_t number_of(around a, int64_t o, int64_t i, int64_t n)
{
    return (o * a.extent + i) * a.inner + n;
}

#endif
