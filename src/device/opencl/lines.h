/* lines.h — an array seen as lines along some of its axes, for reductions,
 * scans and sorts. */
#ifndef URSA_DEVICE_OPENCL_LINES_H
#define URSA_DEVICE_OPENCL_LINES_H

#include "device/opencl/runtime.h"

/* Twin of lines_t in cl/lines.cl. Goes to the kernel by value. */
struct ursa_cl_lines_shape {
    cl_int lines, extent;
    cl_int kept_shape[URSA_MAX_DIMS], kept_stride[URSA_MAX_DIMS];
    cl_int shape[URSA_MAX_DIMS], stride[URSA_MAX_DIMS];
};

struct ursa_cl_lines {
    struct ursa_cl_lines_shape shape;
    int axes;          /* of either kind, for -DAXES */
    bool side_by_side; /* neighbouring lines are closer than neighbours along a line */
};

/* Lines run along the axes whose bit is set in `axes`; they are numbered in
 * row-major order of the others. False with an error where `int` does not
 * reach. */
bool ursa_cl_lines_plan(const char *op, struct ursa_cl_lines *lines, const ursa_array *x, unsigned axes);

/* Whether a work item per line serves better than a work group. */
bool ursa_cl_lines_by_item(const struct ursa_cl_device *device, const struct ursa_cl_lines *lines);

#endif
