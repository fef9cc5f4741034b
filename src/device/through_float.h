/* through_float.h — products of half types by way of floats: for a backend that
 * has no kernels for them yet. Correct, and as slow as the copies it makes.
 */
#ifndef URSA_DEVICE_THROUGH_FLOAT_H
#define URSA_DEVICE_THROUGH_FLOAT_H

#include "backend.h"

/* Each runs the backend's operator of that name on copies of what is of a half
 * type. */
bool ursa_gemm_through_float(ursa_device *device, const struct ursa_gemm_args *args);
bool ursa_conv2d_through_float(ursa_device *device, const struct ursa_conv2d_args *args);
bool ursa_conv2d_grad_input_through_float(ursa_device *device, const struct ursa_conv2d_grad_input_args *args);
bool ursa_conv2d_grad_weight_through_float(ursa_device *device, const struct ursa_conv2d_grad_weight_args *args);

#endif
