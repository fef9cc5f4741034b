/* array.c — what every user of ops.h asks of its structs. */
#include "ops.h"
#include <inttypes.h>
#include <stdio.h>

int64_t ursa_array_count(const ursa_array *array)
{
    int64_t count = 1;
    for (int i = 0; i < array->ndim; i++)
        count *= array->shape[i];
    return count;
}

bool ursa_array_is_contiguous(const ursa_array *array)
{
    int64_t expected = 1;
    bool in_order = true;
    for (int i = array->ndim - 1; i >= 0; i--) {
        if (array->shape[i] == 0)
            return true; /* nothing to be out of order */
        in_order &= array->shape[i] == 1 || array->stride[i] == expected;
        expected *= array->shape[i];
    }
    return in_order;
}

ursa_dtype ursa_half_type(const ursa_array *x, const ursa_array *y, const ursa_array *z)
{
    const ursa_array *arrays[] = {x, y, z};
    for (int i = 0; i < 3; i++)
        if (arrays[i] && (arrays[i]->dtype == URSA_F16 || arrays[i]->dtype == URSA_BF16))
            return arrays[i]->dtype;
    return URSA_F32;
}

ursa_grad_needs ursa_unary_needs(ursa_unary_kind kind)
{
    static const ursa_grad_needs needs_of[URSA_UNARY_COUNT] = {
#define URSA_UNARY(name, needs, text) [URSA_UNARY_##name] = URSA_NEEDS_##needs,
#include "unary.def"
#undef URSA_UNARY
    };
    return (unsigned)kind < URSA_UNARY_COUNT ? needs_of[kind] : URSA_NEEDS_ZERO;
}

struct ursa_shape_text ursa_shape_text(int ndim, const int64_t *shape)
{
    struct ursa_shape_text shown = {"["};
    size_t used = 1;
    for (int i = 0; i < ndim && i < URSA_MAX_DIMS; i++)
        used += (size_t)snprintf(shown.text + used, sizeof shown.text - used, "%s%" PRId64, i ? ", " : "", shape[i]);
    snprintf(shown.text + used, sizeof shown.text - used, "]");
    return shown;
}
