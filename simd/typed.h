/* typed.h — kernels over every float type.
 *
 * What is stored as f32, f16 or bf16 is computed in float. The source of such a
 * kernel is included once per type with T defined as its token, and writes
 *
 *   ELEM                            what an element is stored as
 *   TYPED(name)                     the name of what exists once per type
 *   LOAD(p, lanes)                  as v_load_part, from elements
 *   STORE(p, v, lanes)              as v_store_part
 *   STORE_AHEAD(p, v, lanes, room)  as v_store_ahead
 *   VALUE(p)                        one element, as a float
 */
#ifndef URSA_SIMD_TYPED_H
#define URSA_SIMD_TYPED_H

#include "half.h"
#include "lanes.h"

#define ELEM           URSA_CAT(elem, T)
#define TYPED(name)    URSA_CAT(name, T)
#define LOAD(p, lanes) URSA_CAT(elem_load, T)(p, lanes)
#define STORE(p, ...)  URSA_CAT(elem_store, T)(p, __VA_ARGS__)
#define STORE_AHEAD(p, v, lanes, room)                                                                                 \
    URSA_CAT(elem_store, T)(p, v, (lanes) == V_LANES || (room) >= V_LANES ? V_LANES : (lanes))

#define VALUE(p) URSA_CAT(elem_value, T)(p)

typedef float elem_f32;
typedef uint16_t elem_f16;
typedef uint16_t elem_bf16;

V_INLINE vf elem_load_f32(const float *p, int64_t lanes)
{
    return v_load_part(p, lanes);
}
V_INLINE void elem_store_f32(float *p, vf v, int64_t lanes)
{
    v_store_part(p, v, lanes);
}

V_INLINE float elem_value_f32(const float *p)
{
    return *p;
}
V_INLINE float elem_value_f16(const uint16_t *p)
{
    return half_from_f16(*p);
}
V_INLINE float elem_value_bf16(const uint16_t *p)
{
    return half_from_bf16(*p);
}

/* A tail goes through a padded vector, so that it meets the same instructions. */
#define HALF_ELEMENTS(type)                                                                                            \
    V_INLINE vf elem_load_##type(const uint16_t *p, int64_t lanes)                                                     \
    {                                                                                                                  \
        if (lanes == V_LANES)                                                                                          \
            return vf_load_##type(p);                                                                                  \
        uint16_t part[V_LANES] = {0};                                                                                  \
        memcpy(part, p, (size_t)lanes * sizeof *part);                                                                 \
        return vf_load_##type(part);                                                                                   \
    }                                                                                                                  \
    V_INLINE void elem_store_##type(uint16_t *p, vf v, int64_t lanes)                                                  \
    {                                                                                                                  \
        if (lanes == V_LANES) {                                                                                        \
            vf_store_##type(p, v);                                                                                     \
            return;                                                                                                    \
        }                                                                                                              \
        uint16_t part[V_LANES];                                                                                        \
        vf_store_##type(part, v);                                                                                      \
        memcpy(p, part, (size_t)lanes * sizeof *part);                                                                 \
    }
HALF_ELEMENTS(f16)
HALF_ELEMENTS(bf16)

#endif
