/* loop.c — merges the axes of an elementwise operator. See loop.h. */
#include "device/loop.h"

/* Whether every operand steps through axes (outer, inner) as through one. */
static bool mergeable(const ursa_loop *loop, int outer, const ursa_array *const *arrays, int inner, int64_t extent)
{
    for (int i = 0; i < loop->operands; i++) {
        int64_t step = arrays[i] && arrays[i]->buffer ? arrays[i]->stride[inner] : 0;
        if (loop->stride[i][outer] != step * extent)
            return false;
    }
    return true;
}

void ursa_loop_plan(ursa_loop *loop, int operands, const ursa_array *const *arrays)
{
    const ursa_array *model = NULL;
    for (int i = 0; i < operands && !model; i++)
        if (arrays[i] && arrays[i]->buffer)
            model = arrays[i];

    *loop = (ursa_loop){.operands = operands, .count = model ? ursa_array_count(model) : 0};
    if (loop->count == 0) {
        loop->ndim = 1;
        return;
    }
    for (int axis = 0; axis < model->ndim; axis++) {
        int64_t extent = model->shape[axis];
        if (extent == 1)
            continue;
        int last = loop->ndim - 1;
        if (last >= 0 && mergeable(loop, last, arrays, axis, extent))
            loop->shape[last] *= extent;
        else
            loop->shape[last = loop->ndim++] = extent;
        for (int i = 0; i < operands; i++)
            loop->stride[i][last] = arrays[i] && arrays[i]->buffer ? arrays[i]->stride[axis] : 0;
    }
    if (loop->ndim == 0) {
        loop->ndim = 1;
        loop->shape[0] = 1;
    }
}
