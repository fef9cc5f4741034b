/* conv_choice.c — which method computes a convolution. It depends on the shape
 * alone, and so do the bits of the result.
 *
 * Depthwise convolutions and groups of few channels have kernels of their own,
 * and so have images with few channels, whose taps are too short for the others. 3 × 3 windows of
 * stride 1 go to Winograd's method where its count of operations is lower
 * (URSA_WINOGRAD=0: nowhere), everything else is a product of matrices.
 */
#include "device/cpu/window.h"

#include <stdlib.h>
#include <string.h>

static bool takes_winograd(const struct ursa_conv_shape *s, ursa_conv_pass pass)
{
    const char *wanted = getenv("URSA_WINOGRAD");
    if (wanted && strcmp(wanted, "0") == 0)
        return false;
    switch (pass) {
    case URSA_CONV_FORWARD:
        return ursa_winograd_applies(s);
    case URSA_CONV_GRAD_INPUT:
        return ursa_winograd_grad_input_applies(s);
    default:
        return ursa_winograd_grad_weight_applies(s);
    }
}

enum ursa_conv_method ursa_conv_choose(const struct ursa_conv_shape *s, ursa_conv_pass pass)
{
    if (ursa_depthwise_applies(s, pass))
        return URSA_CONV_DEPTHWISE;
    if (ursa_grouped_applies(s, pass))
        return URSA_CONV_GROUPED;
    if (takes_winograd(s, pass))
        return URSA_CONV_WINOGRAD;
    return ursa_stem_applies(s) ? URSA_CONV_STEM : URSA_CONV_DIRECT;
}

const char *ursa_cpu_conv_method(ursa_conv_pass pass, const ursa_conv_geometry *geometry, const ursa_array *x,
                                 const ursa_array *w, const ursa_array *out)
{
    static const char *const names[] = {
        [URSA_CONV_DIRECT] = "direct",       [URSA_CONV_WINOGRAD] = "winograd", [URSA_CONV_STEM] = "stem",
        [URSA_CONV_DEPTHWISE] = "depthwise", [URSA_CONV_GROUPED] = "grouped",
    };
    struct ursa_conv_shape s = ursa_conv_shape_of(geometry, x, w, out);
    return names[ursa_conv_choose(&s, pass)];
}
