/* convert.h — arrays of one element type into another. Floats become integers
 * by truncation, saturating, NaN becoming 0; anything becomes bool by != 0;
 * integers become narrower ones by dropping the upper bits. */
#ifndef URSA_SIMD_CONVERT_H
#define URSA_SIMD_CONVERT_H

#include "device/ops.h"

typedef void ursa_convert_kernel(int64_t n, const void *x, void *y);

struct ursa_simd_convert {
    ursa_convert_kernel *kernel[URSA_DTYPE_COUNT][URSA_DTYPE_COUNT]; /* [from][to]; NULL where they are the same */
};

#endif
