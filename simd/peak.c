/* peak.c — as many multiply-adds as the processor can do. See peak.h. */
#include "peak.h"
#include "vec.h"
#ifdef URSA_SIMD_AMX
#include "amx.h"
#endif

/* Two can start per cycle (four on some Arm cores) and each takes four: twelve
 * chains that do not wait for one another keep every unit busy. Sixteen would
 * leave no register for the factors on AVX2. */
#define CHAINS 12
#define REPEAT 16

V_INLINE vf add_product(vf sum, vf x, vf y)
{
    return vf_fma(sum, x, y);
}

#if defined(URSA_SIMD_BF16)
V_INLINE vf add_pair(vf sum, vf x, vf y)
{
    return vf_fma_pairs(x, y, sum);
}
#define PAIR 2
#else
#define add_pair add_product
#define PAIR     1
#endif

#define CHAINED(name, add, depth)                                                                                      \
    static double name(int64_t rounds, float *sink)                                                                    \
    {                                                                                                                  \
        vf sum[CHAINS], x = vf_set(0.999f), y = vf_set(1e-4f);                                                         \
        for (int i = 0; i < CHAINS; i++)                                                                               \
            sum[i] = vf_set((float)i);                                                                                 \
        for (int64_t round = 0; round < rounds; round++)                                                               \
            _Pragma("GCC unroll 16") for (int r = 0; r < REPEAT; r++)                                                  \
                _Pragma("GCC unroll 16") for (int i = 0; i < CHAINS; i++) sum[i] = add(sum[i], x, y);                  \
        vf total = sum[0];                                                                                             \
        for (int i = 1; i < CHAINS; i++)                                                                               \
            total = vf_add(total, sum[i]);                                                                             \
        *sink = vf_sum(total);                                                                                         \
        return (double)rounds * REPEAT * CHAINS * V_LANES * 2 * (depth);                                               \
    }
CHAINED(run, add_product, 1)
#ifdef URSA_SIMD_AMX
/* Four tiles of sums, from two by two factors that are zero. */
static double run_bf16(int64_t rounds, float *sink)
{
    amx_begin();
    for (int64_t round = 0; round < rounds; round++)
        UNROLL
    for (int r = 0; r < REPEAT; r++) {
        _tile_dpbf16ps(0, 4, 6);
        _tile_dpbf16ps(1, 4, 7);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
    }
    _tile_release();
    *sink = 0;
    return (double)rounds * REPEAT * 4 * 16 * 16 * 32 * 2;
}
#else
CHAINED(run_bf16, add_pair, PAIR)
#endif

const struct ursa_simd_peak SIMD(ursa_simd_peak) = {.run = run, .run_bf16 = run_bf16};
