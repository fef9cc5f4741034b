/* pool.c — maximum pooling of one row of pixels, vectorised over channels. */
#include "pool.h"
#include "typed.h"
#include <math.h>

/* Vectors of channels that go through a window together. */
#define MOST 4

/* An index in the bits of a float: such vectors are only selected and stored,
 * never computed with, so any 32 bits pass. */
V_INLINE vf index_set(int64_t index)
{
    int32_t bits = (int32_t)index;
    float carrier;
    memcpy(&carrier, &bits, sizeof carrier);
    return vf_set(carrier);
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

/* Indices up to here are exact as floats, and larger ones do not come out
 * smaller. */
#define EXACT (1 << 24)

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
