/* winograd.h — a convolution as Winograd's method takes it: windows of 3 × 3,
 * stride 1, one group.
 */
#ifndef URSA_DEVICE_OPENCL_WINOGRAD_H
#define URSA_DEVICE_OPENCL_WINOGRAD_H

#include "device/opencl/tile.h"

struct ursa_winograd_conv {
    const ursa_array *x, *w, *bias, *out; /* bias: without a buffer where there is none */
    int start[2];                         /* the pixel of x that the first tap of the first result meets */
    /* Where the weight of tap (a, b), channel d of x and channel c of out is:
     * w_start + a w_tap[0] + b w_tap[1] + d w_row + c w_column. */
    int w_start, w_tap[2], w_row, w_column;
    bool relu;
};

/* Channels that the kernels take. */
bool ursa_cl_winograd_takes(int64_t depth, int64_t width);

bool ursa_cl_winograd(struct ursa_cl_device *device, const struct ursa_winograd_conv *conv);

#endif
