/* rows.h — the maximum of a row and the sum of its exponentials, for softmax
 * and cross-entropy. */
#ifndef URSA_SIMD_ROWS_H
#define URSA_SIMD_ROWS_H

#include "lanes.h"
#include <math.h>

/* Terms that are added one after the other; longer sums are sums of such sums,
 * so that rounding grows with the length of a few short ones. */
#define SUM_BLOCK 64

/* What is not a number may be overlooked; it shows in the sum. */
V_INLINE float row_max(const float *x, int64_t n)
{
    vf low = vf_set(-INFINITY), best = low;
    int64_t i = 0;
    for (; i + V_LANES <= n; i += V_LANES)
        best = vf_max(best, vf_load(x + i));
    if (i < n)
        best = vf_max(best, v_load_or(x + i, n - i, low));
    return vf_hmax(best);
}

/* Σ eˣ⁻ᵐᵃˣ; the terms go to y unless it is NULL. */
V_INLINE float row_exp_sum(const float *x, int64_t n, float max, float *y)
{
    vf m = vf_set(max), sum = vf_zero();
    int64_t i = 0;
    while (i + V_LANES <= n) {
        vf part = vf_zero();
        for (int k = 0; k < SUM_BLOCK && i + V_LANES <= n; k++, i += V_LANES) {
            vf e = vf_exp(vf_sub(vf_load(x + i), m));
            part = vf_add(part, e);
            if (y)
                vf_store(y + i, e);
        }
        sum = vf_add(sum, part);
    }
    if (i < n) {
        vf e = vf_exp(vf_sub(vf_load_n(x + i, n - i), m));
        sum = vf_add(sum, vf_select(v_first(n - i), e, vf_zero()));
        if (y)
            vf_store_n(y + i, e, n - i);
    }
    return vf_sum(sum);
}

#endif
