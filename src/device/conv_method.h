/* conv_method.h — how the CPU backend computes a convolution, for those who print it. */
#ifndef URSA_DEVICE_CONV_METHOD_H
#define URSA_DEVICE_CONV_METHOD_H

#include "device/ops.h"

typedef enum ursa_conv_pass { URSA_CONV_FORWARD, URSA_CONV_GRAD_INPUT, URSA_CONV_GRAD_WEIGHT } ursa_conv_pass;

/* "direct", "winograd", "stem", "depthwise" or "grouped", by estimates from the shape alone. x, w and out are the
 * arrays of the forward convolution, or arrays of their shapes. */
const char *ursa_cpu_conv_method(ursa_conv_pass pass, const ursa_conv_geometry *geometry, const ursa_array *x,
                                 const ursa_array *w, const ursa_array *out);

#endif
