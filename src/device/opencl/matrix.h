/* matrix.h — the instruction by which a device multiplies matrices of a half type: which one it reports, and
 * whether it does here what cl/mma.cl expects of it. */
#ifndef URSA_DEVICE_OPENCL_MATRIX_H
#define URSA_DEVICE_OPENCL_MATRIX_H

#include "device/opencl/runtime.h"

/* The numbers of cl/mma.cl, where each is explained. */
enum ursa_cl_instruction {
    URSA_CL_NO_MMA,
    URSA_CL_M16N8K16,
    URSA_CL_M16N8K8,
    URSA_CL_WMMA,
    URSA_CL_MFMA,
    URSA_CL_DPAS,
    URSA_CL_INSTRUCTIONS
};

struct ursa_cl_mma {
    enum ursa_cl_instruction instruction;
    bool twin; /* its twin in plain floats takes its place */
    int lanes; /* of a subgroup */
};

/* What a device says about itself, once, when it is opened. */
enum ursa_cl_instruction ursa_cl_reported_mma(cl_device_id id, const char *name, const char *extensions);

bool ursa_cl_mma_takes(enum ursa_cl_instruction instruction, const char *name, ursa_dtype type);

/* The instruction for factors of this type, or URSA_CL_NO_MMA: the one that the device reports, if its
 * compiler takes it and a small product comes out right; that is tried once, at the first question.
 * URSA_CL_MMA=m16n8k16|m16n8k8|wmma|mfma|dpas names one whose twin is used instead, on any device, and URSA_CL_MMA=off
 * none. */
struct ursa_cl_mma ursa_cl_mma(struct ursa_cl_device *device, ursa_dtype type);

/* The same without trying it: for a choice that was made already. */
struct ursa_cl_mma ursa_cl_mma_unchecked(const struct ursa_cl_device *device, ursa_dtype type);

/* As URSA_CL_MMA names it. */
const char *ursa_cl_mma_name(enum ursa_cl_instruction instruction);

#endif
