/* pool.c — maximum pooling of one row of pixels, vectorised over channels. */
#include "pool.h"
#include "typed.h"

/* Vectors of channels that go through a window together. */
#define MOST 4

/* Places are compared and chosen as floats, which hold them exactly. */
V_INLINE vf load_places(const void *places, int size, int64_t at)
{
    return size == 1 ? vf_from_u8((const uint8_t *)places + at) : vf_from_i32((const int32_t *)places + at);
}

/* The first `lanes`, or all where there is `room` for what lies behind them. */
V_INLINE void store_places(void *places, int size, int64_t at, vf v, int64_t lanes, int64_t room)
{
    char *to = (char *)places + at * size;
    int32_t part[V_LANES];
    bool whole = lanes == V_LANES || room >= V_LANES;
    if (size == 1)
        vf_to_u8(whole ? (uint8_t *)to : (uint8_t *)part, v);
    else
        vf_to_i32(whole ? (int32_t *)to : part, v);
    if (!whole)
        memcpy(to, part, (size_t)(lanes * size));
}

/* Whether a whole vector may stand for the last channels: what it reads beyond
 * the last pixel of the span is still in its rows of `width` pixels, and what
 * it writes is overwritten later. */
V_INLINE bool is_padded(struct ursa_span rows, struct ursa_span columns, int64_t width, int64_t c, int64_t k,
                        int64_t room)
{
    int64_t last = ((rows.end - 1) * width + columns.end - 1) * c + k;
    return last + V_LANES <= rows.end * width * c && k + V_LANES <= room;
}

#define T f32
#include "pool_kernels.h"
#undef T
#define T f16
#include "pool_kernels.h"
#undef T
#define T bf16
#include "pool_kernels.h"
#undef T

const struct ursa_simd_pool SIMD(ursa_simd_pool) = {.of = {[URSA_F32] = {max_f32, max_grad_f32},
                                                           [URSA_F16] = {max_f16, max_grad_f16},
                                                           [URSA_BF16] = {max_bf16, max_grad_bf16}}};
