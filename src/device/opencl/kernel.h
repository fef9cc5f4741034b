/* kernel.h — a compiled kernel, as program.c makes it and launch.c runs it. */
#ifndef URSA_DEVICE_OPENCL_KERNEL_H
#define URSA_DEVICE_OPENCL_KERNEL_H

#include "device/opencl/runtime.h"

struct ursa_cl_kernel {
    struct ursa_cl_kernel *next;
    cl_kernel kernel;
    size_t max_group;
    char name[32]; /* as far as it fits, for profiles */
    char id[];     /* "file kernel options" */
};

/* What the codes in a device's fault buffer stand for: code = index + 1. */
struct ursa_cl_fault {
    const char *op; /* a literal */
    cl_long limit;
};

#endif
