/* lines.c — plans the lines of an array. See lines.h. */
#include "device/opencl/lines.h"
#include "base/error.h"
#include <stdlib.h>
#include <string.h>

/* Axes of one kind, outermost first, neighbours joined where possible. */
struct axes {
    int count;
    int64_t shape[URSA_MAX_DIMS], stride[URSA_MAX_DIMS];
};

static void add_axis(struct axes *axes, int64_t extent, int64_t stride)
{
    int last = axes->count - 1;
    if (extent == 1)
        return;
    if (last >= 0 && axes->stride[last] == extent * stride) {
        axes->shape[last] *= extent;
        axes->stride[last] = stride;
        return;
    }
    axes->shape[axes->count] = extent;
    axes->stride[axes->count++] = stride;
}

/* Kernels are compiled for one, two or all six axes of either kind. */
static int axes_for(int count)
{
    return count <= 1 ? 1 : count <= 2 ? 2 : URSA_MAX_DIMS;
}

/* In front go axes of extent 1. */
static void spread_axes(const struct axes *axes, int all, cl_int *shape, cl_int *stride)
{
    int empty = all - axes->count;
    for (int i = 0; i < all; i++) {
        shape[i] = i < empty ? 1 : (cl_int)axes->shape[i - empty];
        stride[i] = i < empty ? 0 : (cl_int)axes->stride[i - empty];
    }
}

static int64_t reach_of(const ursa_array *x)
{
    int64_t reach = 0;
    for (int i = 0; i < x->ndim; i++) {
        int64_t step = x->stride[i] < 0 ? -x->stride[i] : x->stride[i], product;
        if (x->shape[i] > 1 &&
            (__builtin_mul_overflow(step, x->shape[i] - 1, &product) || __builtin_add_overflow(reach, product, &reach)))
            return INT64_MAX;
    }
    return reach;
}

static int64_t innermost(const struct axes *axes)
{
    if (axes->count == 0)
        return INT64_MAX;
    int64_t stride = axes->stride[axes->count - 1];
    return stride < 0 ? -stride : stride;
}

bool ursa_cl_lines_plan(const char *op, struct ursa_cl_lines *lines, const ursa_array *x, unsigned axes)
{
    struct axes kept = {0}, along = {0};
    int64_t count = 1, extent = 1;
    for (int i = 0; i < x->ndim; i++) {
        bool is_along = axes >> i & 1;
        *(is_along ? &extent : &count) *= x->shape[i];
        add_axis(is_along ? &along : &kept, x->shape[i], x->stride[i]);
    }
    bool empty = count == 0 || extent == 0;
    if (count > INT32_MAX || extent > INT32_MAX || (!empty && (reach_of(x) > INT32_MAX || count > INT32_MAX / extent)))
        return ursa_fail(URSA_ERROR_UNSUPPORTED,
                         "%s: a view of %lld lines of %lld elements; OpenCL kernels take up to 2147483647 elements", op,
                         (long long)count, (long long)extent);
    memset(lines, 0, sizeof *lines);
    lines->shape.lines = (cl_int)count;
    lines->shape.extent = (cl_int)extent;
    lines->axes = axes_for(kept.count > along.count ? kept.count : along.count);
    spread_axes(&kept, lines->axes, lines->shape.kept_shape, lines->shape.kept_stride);
    spread_axes(&along, lines->axes, lines->shape.shape, lines->shape.stride);
    lines->side_by_side = innermost(&kept) < innermost(&along);
    return true;
}

bool ursa_cl_lines_by_item(const struct ursa_cl_device *device, const struct ursa_cl_lines *lines)
{
    int64_t busy = (int64_t)device->units * (device->is_cpu ? 16 : 512);
    if (lines->shape.extent <= 32)
        return true;
    return lines->shape.lines >= busy && (lines->side_by_side || lines->shape.extent <= 128);
}
