/* loop.h — the shape of an elementwise operator with all that can be merged
 * merged: axes of extent 1 dropped, neighbouring axes joined where every
 * operand steps through them as through one. Shared by all backends.
 */
#ifndef URSA_DEVICE_LOOP_H
#define URSA_DEVICE_LOOP_H

#include "ops.h"

#define URSA_LOOP_OPERANDS 5

typedef struct ursa_loop {
    int ndim; /* 1 … URSA_MAX_DIMS; a scalar has one axis of extent 1 */
    int operands;
    int64_t count;
    int64_t shape[URSA_MAX_DIMS];
    int64_t stride[URSA_LOOP_OPERANDS][URSA_MAX_DIMS]; /* elements; an absent operand's are 0 */
} ursa_loop;

/* All arrays that are present have the same shape. Axes are not reordered. */
void ursa_loop_plan(ursa_loop *loop, int operands, const ursa_array *const *arrays);

#endif
