/* profile.h — what every call of an operator took.
 *
 * The wrapper of an operator begins and ends its call; the checks, which see all
 * arrays, tell it the bytes. On a device that works while the host goes on, the
 * time of a call is that of the kernels it enqueued, which the backend reports
 * later as spans (backend.h: `collect`): nothing waits for them meanwhile. On
 * the others it is the time between begin and end. profile_report.c shows it.
 */
#ifndef URSA_DEVICE_PROFILE_H
#define URSA_DEVICE_PROFILE_H

#include "ops.h"

/* A call that is being measured: of an operator, or a copy to or from the host. */
struct ursa_call {
    const char *op;
    ursa_device *device;
    double begin, end;   /* on the host */
    double flops, bytes; /* flops: of products, else 0; bytes: of all arrays, each read or written once */
    double busy;         /* seconds of its spans */
    int spans;           /* 0 where the device keeps no time of its own */
    bool is_copy;
    int64_t number;
    char shapes[88]; /* of x, and of w or y in products */
};

/* A piece of work on a device that keeps its own time, on the host's clock. */
struct ursa_span {
    int64_t call;
    bool beside; /* in a queue beside the one of kernels: uploads */
    double begin, end;
    char name[32]; /* of the kernel */
};

/* Whether calls are measured at all. */
bool ursa_profile_is_on(void);

/* Prepares a call, where calls are measured at all; else NULL. */
struct ursa_call *ursa_profile_prepare(struct ursa_call *call, const char *op, ursa_device *device);
/* Told of every array of the call. */
void ursa_profile_array(struct ursa_call *call, const char *name, const ursa_array *array);
/* Just before and just after the work of a call; `args` are those of the operator, or NULL. Both take NULL. */
void ursa_profile_begin(struct ursa_call *call);
void ursa_profile_end(struct ursa_call *call, const void *args);

/* For backends: the call this thread is in (-1: none), and a span of one. */
int64_t ursa_profile_current(void);
void ursa_profile_span(int64_t call, const char *name, bool beside, double begin, double end);

/* All that was measured, and what to do with it. */
struct ursa_profile {
    struct ursa_call *calls;
    struct ursa_span *spans;
    int64_t call_count, call_capacity, span_count, span_capacity;
    ursa_device *devices[16]; /* of the calls, in order of appearance */
    int device_count;
    ursa_profile_options wish;
};
void ursa_profile_report(const struct ursa_profile *profile);

#endif
