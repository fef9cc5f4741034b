/* loop.c — the shared plan of an elementwise operator, as kernels take it. */
#include "base/error.h"
#include "device/opencl/runtime.h"
#include <stdlib.h>
#include <string.h>

/* Whether every offset an operand reaches fits in an int. */
static bool reaches(const ursa_loop *plan, int operand)
{
    int64_t reach = 0;
    for (int axis = 0; axis < plan->ndim; axis++) {
        int64_t stride = plan->stride[operand][axis], steps = plan->shape[axis] - 1;
        stride = stride < 0 ? -stride : stride;
        if (stride > INT32_MAX || (steps > 0 && stride > INT32_MAX / steps))
            return false;
        reach += steps > 0 ? stride * steps : 0;
    }
    return reach <= INT32_MAX;
}

bool ursa_cl_loop_plan(const char *op, struct ursa_cl_loop *loop, int operands, const ursa_array *const *arrays)
{
    ursa_loop plan;
    ursa_loop_plan(&plan, operands, arrays);
    memset(loop, 0, sizeof *loop);
    bool fits = plan.count <= INT32_MAX, contiguous = plan.ndim == 1;
    for (int i = 0; i < operands && fits; i++) {
        fits = reaches(&plan, i);
        contiguous = contiguous && (!arrays[i] || !arrays[i]->buffer || plan.stride[i][0] == 1 || plan.count <= 1);
    }
    if (!fits)
        return ursa_fail(URSA_ERROR_UNSUPPORTED,
                         "%s: a view of %lld elements reaches too far; OpenCL kernels take "
                         "offsets up to 2147483647",
                         op, (long long)plan.count);
    /* Kernels are compiled for none, two or all six axes: in front go axes of
     * extent 1. */
    int ndim = contiguous ? 0 : plan.ndim <= 2 ? 2 : URSA_MAX_DIMS, empty = contiguous ? 0 : ndim - plan.ndim;
    loop->ndim = ndim;
    loop->axes.count = (cl_int)plan.count;
    for (int axis = 0; axis < ndim; axis++) {
        bool real = axis >= empty;
        loop->axes.shape[axis] = real ? (cl_int)plan.shape[axis - empty] : 1;
        for (int i = 0; i < operands && real; i++)
            loop->axes.stride[i][axis] = (cl_int)plan.stride[i][axis - empty];
    }
    return true;
}
