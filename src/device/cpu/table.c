/* table.c — the CPU backend's table of operators. */
#include "device/cpu/cpu.h"

const struct ursa_backend ursa_cpu_backend = {
    .name = "cpu",
    .allocate = ursa_cpu_allocate,
    .release = ursa_cpu_release,
    .write = ursa_cpu_write,
    .read = ursa_cpu_read,
    .sync = ursa_cpu_sync,
    .close = ursa_cpu_close,
    .peak_gflops = ursa_cpu_peak_gflops,
#define URSA_OP(name, types, text) .name = ursa_cpu_##name,
#include "device/ops.def"
#undef URSA_OP
};
