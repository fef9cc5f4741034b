/* lanes.h — masks by lane number, for tails where a zero would not do. */
#ifndef URSA_SIMD_LANES_H
#define URSA_SIMD_LANES_H

#include "vec.h"

static const float v_lane_numbers[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

/* True in the first n lanes. */
V_INLINE vm v_first(int64_t n)
{
    return vf_lt(vf_load(v_lane_numbers), vf_set((float)n));
}

/* The first n lanes from memory, `other` in the rest. */
V_INLINE vf v_load_or(const float *p, int64_t n, vf other)
{
    return vf_select(v_first(n), vf_load_n(p, n), other);
}

/* min(V_LANES, left): how many lanes of the next vector are in use. */
V_INLINE int64_t v_lanes_of(int64_t left)
{
    return left < V_LANES ? left : V_LANES;
}

/* A full vector or a tail: loops over a length in steps of V_LANES read and
 * write through these, and the compiler hoists the test. */
V_INLINE vf v_load_part(const float *p, int64_t lanes)
{
    return lanes == V_LANES ? vf_load(p) : vf_load_n(p, lanes);
}
V_INLINE void v_store_part(float *p, vf v, int64_t lanes)
{
    if (lanes == V_LANES)
        vf_store(p, v);
    else
        vf_store_n(p, v, lanes);
}

/* Like v_store_part, but may write more, up to `room` elements: for outputs
 * that are written front to back, where the lanes after a tail are overwritten
 * by what follows. Masked stores are slow on some processors. */
V_INLINE void v_store_ahead(float *p, vf v, int64_t lanes, int64_t room)
{
    if (lanes == V_LANES || room >= V_LANES)
        vf_store(p, v);
    else
        vf_store_n(p, v, lanes);
}

#endif
