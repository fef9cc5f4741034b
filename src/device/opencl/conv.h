/* conv.h — what the two kinds of convolution share. */
#ifndef URSA_DEVICE_OPENCL_CONV_H
#define URSA_DEVICE_OPENCL_CONV_H

#include "device/opencl/runtime.h"

/* How many pixels make a part of a sum over `pixels`, when `groups` groups of
 * work items run for every part. */
int ursa_cl_part_pixels(const struct ursa_cl_device *device, int64_t pixels, int64_t groups);

/* out = Σ of `count` parts, each of the shape of out. */
bool ursa_cl_sum_parts(struct ursa_cl_device *device, const ursa_buffer *parts, int count, const ursa_array *out);

/* One channel in every group, for x and for out. */
bool ursa_cl_depthwise(struct ursa_cl_device *device, const struct ursa_conv2d_args *args);
bool ursa_cl_depthwise_grad_input(struct ursa_cl_device *device, const struct ursa_conv2d_grad_input_args *args);
bool ursa_cl_depthwise_grad_weight(struct ursa_cl_device *device, const struct ursa_conv2d_grad_weight_args *args);

#endif
