/* profile.h — what every call of an operator took: URSA_PROFILE.
 *
 * URSA_PROFILE=1 prints a table to stderr at ursa_finish(): operators by their
 * shapes, with time, share, GFLOP/s and GB/s. URSA_PROFILE=FILE.json writes
 * every call to a trace instead, which chrome://tracing and Perfetto show and
 * bench/roofline reads. Devices that work asynchronously are waited for after
 * every call meanwhile.
 */
#ifndef URSA_DEVICE_PROFILE_H
#define URSA_DEVICE_PROFILE_H

#include "ops.h"

/* A call that is being measured. */
struct ursa_call {
    const char *op;
    double begin, end, flops; /* flops: of products, else 0 */
    double bytes;             /* of all arrays, each read or written once */
    char shapes[88];          /* of x, and of w or y in products */
};

/* Starts a call, where calls are measured at all; else NULL. */
struct ursa_call *ursa_profile_begin(struct ursa_call *call, const char *op);
/* Told of every array of the call. */
void ursa_profile_array(struct ursa_call *call, const char *name, const ursa_array *array);
/* Ends a call of an operator with its arguments. */
void ursa_profile_end(struct ursa_call *call, const void *args);

#endif
