/* table.c — the backend's table of memory functions and operators. */
#include "device/opencl/runtime.h"

#define URSA_OP(name, types, text)                                                                                     \
    __attribute__((weak)) bool ursa_opencl_##name(ursa_device *device, const struct ursa_##name##_args *args);
#include "device/ops.def"
#undef URSA_OP

const struct ursa_backend ursa_opencl_backend = {
    .name = "opencl",
    .allocate = ursa_cl_allocate,
    .release = ursa_cl_release,
    .write = ursa_cl_write,
    .read = ursa_cl_read,
    .sync = ursa_cl_sync,
    .close = ursa_cl_close,
#define URSA_OP(name, types, text) .name = ursa_opencl_##name,
#include "device/ops.def"
#undef URSA_OP
};
