/* moments.h — mean and variance of channels, from those of parts of the rows. */
#ifndef URSA_DEVICE_OPENCL_MOMENTS_H
#define URSA_DEVICE_OPENCL_MOMENTS_H

#include "device/opencl/runtime.h"

/* Parts of `part_rows` rows each, the last with what is left of `rows`; for each mean and Σ(x - mean)² of the
 * channels: sums [2, parts, channels]. */
struct ursa_cl_moments {
    cl_int rows, channels, part_rows, parts;
    ursa_buffer *sums;
};

/* Room for the sums, to release whatever happens. */
bool ursa_cl_new_moments(struct ursa_cl_device *device, struct ursa_cl_moments *parts);
/* The mean and the biased variance of all rows. */
bool ursa_cl_join_moments(struct ursa_cl_device *device, const struct ursa_cl_moments *parts, const ursa_array *mean,
                          const ursa_array *var);

/* The same of the last axis of x, in a pass of its own. */
bool ursa_cl_channel_moments(struct ursa_cl_device *device, const ursa_array *x, const ursa_array *mean,
                             const ursa_array *var);

#endif
