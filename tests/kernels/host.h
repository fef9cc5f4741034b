/* host.h — elements in the host's layout of their type. */
#ifndef URSA_TESTS_HOST_H
#define URSA_TESTS_HOST_H

#include <ursa/device.h>
#include <string.h>

static inline double host_load(ursa_dtype dtype, const void *data, int64_t i)
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

static inline void host_store(ursa_dtype dtype, void *data, int64_t i, double value)
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

static inline int64_t host_load_integer(ursa_dtype dtype, const void *data, int64_t i)
{
    switch (dtype) {
    case URSA_I32:
        return ((const int32_t *)data)[i];
    case URSA_I64:
        return ((const int64_t *)data)[i];
    default:
        return ((const uint8_t *)data)[i];
    }
}

static inline void host_store_integer(ursa_dtype dtype, void *data, int64_t i, int64_t value)
{
    switch (dtype) {
    case URSA_I32:
        ((int32_t *)data)[i] = (int32_t)value;
        break;
    case URSA_I64:
        ((int64_t *)data)[i] = value;
        break;
    default:
        ((uint8_t *)data)[i] = (uint8_t)value;
    }
}

#endif
