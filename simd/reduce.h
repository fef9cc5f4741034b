/* reduce.h — sums and their like over rows and over columns of floats.
 *
 * Floats are added up in many lanes over short stretches, and the stretches in
 * double, so that a sum of a million elements is good to the last bits of a
 * float.
 */
#ifndef URSA_SIMD_REDUCE_H
#define URSA_SIMD_REDUCE_H

#include "device/ops.h"

struct ursa_simd_reduce {
    /* Over n elements: the sum (for SUM and MEAN), product, minimum, maximum,
     * sum of |x| or of x². Of none: 0, 1, +inf or -inf. */
    double (*row[URSA_REDUCE_COUNT])(int64_t n, const float *x);
    /* total[j] += x[r stride + j] over all rows r, for n columns j; and
     * likewise. */
    void (*columns[URSA_REDUCE_COUNT])(int64_t rows, int64_t stride, int64_t n, const float *x, double *total);

    /* Σ(x - centre)² */
    double (*row_deviation)(int64_t n, const float *x, float centre);
    /* For each column, the sum of at most 128 rows and the sum of squares of
     * the deviations from sum / rows, computed in float. */
    void (*columns_deviation)(int64_t rows, int64_t stride, int64_t n, const float *x, float *sum, float *squares);
};

#endif
