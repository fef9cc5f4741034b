/* integer.h — functions of two integers, and choices between elements of any
 * type, over contiguous arrays. */
#ifndef URSA_SIMD_INTEGER_H
#define URSA_SIMD_INTEGER_H

#include "device/ops.h"

/* z[i] = f(x[i xs], y[i ys]); xs and ys are 1, or 0 for one number; z may be x
 * or y where it has their type. Comparisons and logic give bytes. */
typedef void ursa_integer_kernel(int64_t n, const void *x, int xs, const void *y, int ys, void *z);

/* z[i] = condition[i] ? x[i] : y[i] */
typedef void ursa_where_kernel(int64_t n, const uint8_t *condition, const void *x, const void *y, void *z);

struct ursa_simd_integer {
    /* For URSA_I32, URSA_I64, URSA_U8 and URSA_BOOL; NULL where binary.def
     * does not list the type. */
    ursa_integer_kernel *binary[URSA_DTYPE_COUNT][URSA_BINARY_COUNT];
    ursa_where_kernel *where[9]; /* by the size of an element: 1, 2, 4, 8 */
};

#endif
