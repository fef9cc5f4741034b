/* init.c — initial values of weights. */
#include "module.h"
#include "base/error.h"
#include "tensor/tensor.h"

#include <math.h>
#include <string.h>

/* Elements of the axes between the first and the last: the receptive field. */
static int64_t field(const ursa_tensor *weight)
{
    int64_t elements = 1;
    for (int axis = 1; axis < ursa_ndim(weight) - 1; axis++)
        elements *= ursa_dim(weight, axis);
    return elements;
}

int64_t ursa_fan_in(const ursa_tensor *weight)
{
    return field(weight) * ursa_dim(weight, -1);
}

int64_t ursa_fan_out(const ursa_tensor *weight)
{
    return field(weight) * ursa_dim(weight, 0);
}

static bool fill_uniform(ursa_tensor *weight, double bound)
{
    return ursa_random_(weight, URSA_RANDOM_UNIFORM, -bound, bound, ursa_stream(URSA_PURPOSE_INIT));
}

static bool fill_normal(ursa_tensor *weight, double std)
{
    return ursa_random_(weight, URSA_RANDOM_NORMAL, 0, std, ursa_stream(URSA_PURPOSE_INIT));
}

bool ursa_init_(ursa_tensor *weight, ursa_init how, double a)
{
    if (!weight)
        return false;
    if (ursa_ndim(weight) < 2)
        return ursa_fail(URSA_ERROR_SHAPE, "init: the weight needs two axes or more, and has %d", ursa_ndim(weight));
    if (!ursa_dtype_is_float(ursa_dtype_of(weight)) || !ursa_is_contiguous(weight))
        return ursa_fail(URSA_ERROR_ARGUMENT, "init: the weight is not a contiguous tensor of floats");
    if (ursa_count(weight) == 0)
        return true;
    double in = (double)ursa_fan_in(weight), out = (double)ursa_fan_out(weight);
    double gain = sqrt(2.0 / (1 + a * a)), xavier = a > 0 ? a : 1;
    switch (how) {
    case URSA_INIT_KAIMING_UNIFORM:
        return fill_uniform(weight, gain * sqrt(3.0 / in));
    case URSA_INIT_KAIMING_NORMAL:
        return fill_normal(weight, gain / sqrt(in));
    case URSA_INIT_KAIMING_NORMAL_FAN_OUT:
        return fill_normal(weight, gain / sqrt(out));
    case URSA_INIT_XAVIER_UNIFORM:
        return fill_uniform(weight, xavier * sqrt(6.0 / (in + out)));
    case URSA_INIT_XAVIER_NORMAL:
        return fill_normal(weight, xavier * sqrt(2.0 / (in + out)));
    }
    return ursa_fail(URSA_ERROR_ARGUMENT, "init: there is no initialisation %d", (int)how);
}

bool ursa_init_layer(ursa_tensor *weight, ursa_tensor *bias)
{
    if (!ursa_init_(weight, URSA_INIT_KAIMING_UNIFORM, sqrt(5)))
        return false;
    return !bias || fill_uniform(bias, 1 / sqrt((double)(ursa_fan_in(weight) ? ursa_fan_in(weight) : 1)));
}

bool ursa_init_module(ursa_module *module, ursa_init how, double a)
{
    const ursa_parameter *list;
    int count = ursa_parameters(module, &list);
    for (int i = 0; i < count; i++) {
        const char *kind = ursa_module_kind(list[i].owner);
        bool layer = strncmp(kind, "conv", 4) == 0 || strcmp(kind, "linear") == 0;
        if (layer && ursa_ndim(list[i].tensor) > 1 && !ursa_init_(list[i].tensor, how, a))
            return false;
    }
    return count >= 0;
}
