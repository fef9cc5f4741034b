/* image.h — the channels of a pixel as floats, whatever type they are kept in:
 * f32, f16 or bf16, the latter rounded to nearest, ties to even. The type is a
 * constant where these functions are used.
 */
#ifndef URSA_SIMD_IMAGE_H
#define URSA_SIMD_IMAGE_H

#include "device/ops.h"
#include "vec.h"

/* The first n lanes, all where n is more than there are. */
V_INLINE vf load_some(const float *p, int64_t n)
{
    return n >= V_LANES ? vf_load(p) : vf_load_n(p, n);
}

V_INLINE void store_some(float *p, vf v, int64_t n)
{
    if (n >= V_LANES)
        vf_store(p, v);
    else
        vf_store_n(p, v, n);
}

/* Elements of an image, from number `at` on. */
V_INLINE vf load_image(const void *image, int64_t at, int64_t n, const ursa_dtype type)
{
    if (type == URSA_F32)
        return load_some((const float *)image + at, n);
    const uint16_t *p = (const uint16_t *)image + at;
    uint16_t lanes[V_LANES] = {0};
    if (n < V_LANES) {
        memcpy(lanes, p, (size_t)n * sizeof *p);
        p = lanes;
    }
    return type == URSA_F16 ? vf_load_f16(p) : vf_load_bf16(p);
}

V_INLINE void store_image(void *image, int64_t at, vf v, int64_t n, const ursa_dtype type)
{
    if (type == URSA_F32) {
        store_some((float *)image + at, v, n);
        return;
    }
    uint16_t lanes[V_LANES], *p = (uint16_t *)image + at, *to = n < V_LANES ? lanes : p;
    if (type == URSA_F16)
        vf_store_f16(to, v);
    else
        vf_store_bf16(to, v);
    if (n < V_LANES)
        memcpy(p, lanes, (size_t)n * sizeof *p);
}

#endif
