/* operand.c — bringing operands into the form an operator takes. */
#include "tensor.h"
#include "device/backend.h"

/* An unrecorded copy of another type, contiguous. */
static ursa_tensor *copy_as(const ursa_tensor *x, ursa_dtype dtype)
{
    ursa_device *device = x->array.buffer->device;
    ursa_tensor *copy = ursa_tensor_new(device, dtype, ursa_array_dims(&x->array));
    if (!copy || !ursa_op_copy(device, &(struct ursa_copy_args){.x = x->array, .out = copy->array}))
        return NULL;
    return copy;
}

ursa_tensor *ursa_dense(ursa_tensor *x)
{
    if (!x || ursa_array_is_contiguous(&x->array))
        return x;
    return copy_as(x, x->array.dtype);
}

ursa_tensor *ursa_typed(ursa_tensor *x, ursa_dtype dtype)
{
    if (!x || x->array.dtype == dtype)
        return x;
    return copy_as(x, dtype);
}

ursa_tensor *ursa_dense_typed(ursa_tensor *x, ursa_dtype dtype)
{
    return x && x->array.dtype != dtype ? copy_as(x, dtype) : ursa_dense(x);
}

ursa_tensor *ursa_reuse(ursa_tensor *dy)
{
    if (!dy || ursa_is_sole(dy))
        return dy;
    return ursa_tensor_new(ursa_device_of(dy), dy->array.dtype, ursa_array_dims(&dy->array));
}

bool ursa_holds_halves(const ursa_tensor *x)
{
    return x->array.dtype == URSA_F16 || x->array.dtype == URSA_BF16;
}

ursa_dtype ursa_activation_type(const ursa_tensor *x)
{
    return ursa_dtype_is_float(x->array.dtype) ? x->array.dtype : URSA_F32;
}

ursa_tensor *ursa_factor(ursa_tensor *x, ursa_dtype dtype)
{
    return x && x->array.dtype == dtype ? x : ursa_typed(x, URSA_F32);
}

ursa_tensor *ursa_sum_to(ursa_tensor *x, ursa_dims shape, ursa_dtype dtype)
{
    if (!x)
        return NULL;
    ursa_dims from = ursa_array_dims(&x->array), kept = from;
    if (ursa_same_dims(&from, &shape))
        return x;
    int added = from.ndim - shape.ndim;
    for (int i = 0; i < from.ndim; i++)
        kept.dim[i] = i < added ? 1 : shape.dim[i - added];
    bool widens = dtype == URSA_F32 && ursa_holds_halves(x);
    ursa_tensor *sum = ursa_tensor_new(ursa_device_of(x), widens ? dtype : x->array.dtype, kept);
    struct ursa_reduce_args args = {.kind = URSA_REDUCE_SUM, .x = x->array};
    if (!sum)
        return NULL;
    args.out = sum->array;
    return ursa_op_reduce(ursa_device_of(x), &args) ? ursa_reshape(sum, shape) : NULL;
}
