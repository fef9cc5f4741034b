/* tuned.c — choices that were measured on a device. */
#include "device/opencl/tuning.h"

bool ursa_cl_stored_choice(const struct ursa_cl_device *device, const char *product_class,
                           struct ursa_cl_choice *choice)
{
    (void)device, (void)product_class, (void)choice;
    return false; /* nothing was measured */
}
