/* loader.h — OpenCL and CLBlast as tables of functions found at run time, so
 * that the library works where neither is installed. */
#ifndef URSA_DEVICE_OPENCL_LOADER_H
#define URSA_DEVICE_OPENCL_LOADER_H

#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>
#include <clblast_c.h>
#include <stdbool.h>

struct ursa_cl_api {
#define URSA_CL(name) __typeof__(&cl##name) name;
#include "cl.def"
#undef URSA_CL
};

struct ursa_clblast_api {
#define URSA_CLBLAST(name) __typeof__(&CLBlast##name) name;
#include "clblast.def"
#undef URSA_CLBLAST
};

/* Fills `ursa_cl`, once; false, without an error, where there is no loader. */
bool ursa_cl_load(void);
extern struct ursa_cl_api ursa_cl; /* valid after ursa_cl_load() returned true */

/* NULL, without an error, where CLBlast is not installed, or where
 * URSA_CLBLAST=0 says not to use it. */
const struct ursa_clblast_api *ursa_clblast(void);

/* "CL_OUT_OF_RESOURCES", or "error -123" for codes of extensions. */
const char *ursa_cl_error_name(cl_int code);

#endif
