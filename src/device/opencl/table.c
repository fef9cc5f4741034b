/* table.c — the backend's table of memory functions and operators. */
#include "device/opencl/tuning.h"

const struct ursa_backend ursa_opencl_backend = {
    .name = "opencl",
    .allocate = ursa_cl_allocate,
    .release = ursa_cl_release,
    .write = ursa_cl_write,
    .read = ursa_cl_read,
    .sync = ursa_cl_sync,
    .close = ursa_cl_close,
    .tuner = &ursa_cl_tuner,
    .collect = ursa_cl_collect,
    .peak_gflops = ursa_cl_peak_gflops,
#define URSA_OP(name, types, text) .name = ursa_opencl_##name,
#include "device/ops.def"
#undef URSA_OP
};
