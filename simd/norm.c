/* norm.c — the passes of batch, group and layer normalisation.
 *
 * The column kernels read memory front to back, four rows at a time, and keep
 * their sums in small arrays that stay in the first-level cache: the passes
 * run at the speed of memory.
 */
#include "norm.h"
#include "typed.h"
#include <math.h>

#define ROWS 4

/* Rows whose mean is near enough to the mean of all that sums of differences
 * from it do not cancel. */
#define SAMPLE 16

/* Columns whose sums are held at a time. */
#define BLOCK 1024

/* An end, where `end` is known to the compiler. */
V_INLINE vf finish(vf v, enum ursa_norm_end end)
{
    if (end == URSA_END_NONE)
        return v;
    v = vf_max(vf_zero(), v);
    return end == URSA_END_RELU6 ? vf_min(vf_set(6.0f), v) : v;
}

V_INLINE vf pass(vf g, vf y, enum ursa_norm_end end)
{
    vm open = vf_gt(y, vf_zero());
    if (end == URSA_END_RELU6)
        open = vm_and(open, vf_lt(y, vf_set(6.0f)));
    return vf_select(open, g, vf_zero());
}

/* Where the gradient's loops take the end from. */
enum source { FROM_NOTHING, FROM_X, FROM_Y };

V_INLINE vf load_if(bool used, const float *p, int64_t lanes)
{
    return used ? v_load_part(p, lanes) : vf_zero();
}

/* Sums over a row keep four vectors going, added at the end in a fixed order. */
#define CHAINS 4

V_INLINE float chains_sum(const vf *chain)
{
    return vf_sum(vf_add(vf_add(chain[0], chain[1]), vf_add(chain[2], chain[3])));
}

/* With K the sample's mean, s = Σ(x - K), q = Σ(x - K)² and n rows, the mean
 * is K + s/n and the squares q - s²/n. The sample is part of the data, so q is
 * at most n / SAMPLE times the result, and usually a little more than it:
 * little cancels, whatever the mean. (Chan, Golub, LeVeque, "Algorithms for
 * computing the sample variance", 1983, on shifted data.) */
static void moments_settle(int64_t rows, int64_t width, float *mean, const float *s, float *squares)
{
    vf scale = vf_set(1.0f / (float)rows);
    for (int64_t c = 0; c < width; c += V_LANES) {
        int64_t lanes = v_lanes_of(width - c);
        vf sum = v_load_part(s + c, lanes), shift = vf_mul(sum, scale);
        vf square = vf_fnma(shift, sum, v_load_part(squares + c, lanes));
        v_store_part(mean + c, vf_add(v_load_part(mean + c, lanes), shift), lanes);
        /* The second operand of max is the one that may not be a number. */
        v_store_part(squares + c, vf_max(vf_zero(), square), lanes);
    }
}

#define T f32
#include "norm_kernels.h"
#undef T
#define T f16
#include "norm_kernels.h"
#undef T
#define T bf16
#include "norm_kernels.h"
#undef T

#define KERNELS(type)                                                                                                  \
    {                                                                                                                  \
        .moments = moments_##type, .moments_add = moments_add_##type, .moments_settle = moments_settle,                \
        .apply = apply_##type, .grad_sums = grad_sums_##type, .grad_apply = grad_apply_##type, .layer = layer_##type,  \
        .layer_grad = layer_grad_##type,                                                                               \
    }

const struct ursa_simd_norm SIMD(ursa_simd_norm) = {
    .of = {[URSA_F32] = KERNELS(f32), [URSA_F16] = KERNELS(f16), [URSA_BF16] = KERNELS(bf16)}};
