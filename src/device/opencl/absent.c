/* absent.c — the OpenCL provider of a library built without OpenCL. */
#include "base/error.h"
#include "device/backend.h"

static int count_devices(void)
{
    return 0;
}

static bool describe(int index, ursa_device_info *info)
{
    (void)info;
    return ursa_fail(URSA_ERROR_UNSUPPORTED, "opencl: there is no device %d: this library is built without OpenCL",
                     index);
}

static ursa_device *open_device(int index)
{
    describe(index, NULL);
    return NULL;
}

const struct ursa_provider ursa_opencl_provider = {count_devices, describe, open_device};
