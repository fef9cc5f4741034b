/* inplace.c — the functions that change a tensor. None is recorded. */
#include "tensor.h"
#include "base/error.h"
#include "device/backend.h"

static bool may_change(const char *function, const ursa_tensor *tensor)
{
    return !tensor->requires_grad || ursa_no_grad_depth() > 0 ||
           ursa_fail(
               URSA_ERROR_STATE,
               "%s: the tensor requires a gradient; change it between ursa_no_grad_begin() and ursa_no_grad_end()",
               function);
}

/* `from` as an operand of an operator that writes to `to`: of its type, on its
 * device, stretched to its shape, and never partly in its memory. Temporaries
 * go to the current scope. */
static bool operand(const char *function, const ursa_tensor *to, const ursa_tensor *from, ursa_dtype dtype,
                    ursa_array *out)
{
    ursa_dims shape = ursa_array_dims(&to->array), both;
    if (!ursa_broadcast(function, shape, ursa_array_dims(&from->array), &both))
        return false;
    if (!ursa_same_dims(&shape, &both))
        return ursa_fail(URSA_ERROR_SHAPE, "%s: %s does not broadcast to %s", function,
                         ursa_shape_text(from->array.ndim, from->array.shape).text,
                         ursa_shape_text(shape.ndim, shape.dim).text);
    ursa_tensor *x = ursa_detach((ursa_tensor *)from);
    if (x && ursa_device_of(x) != ursa_device_of(to))
        x = ursa_to_device(x, ursa_device_of(to));
    x = ursa_typed(x, dtype);
    if (x && x->array.buffer == to->array.buffer)
        x = ursa_clone(x);
    if (!x)
        return false;
    *out = ursa_stretch(&x->array, &shape);
    return true;
}

bool ursa_copy_(ursa_tensor *to, const ursa_tensor *from)
{
    if (!to || !from || !may_change("copy_", to))
        return false;
    ursa_scope *scope = ursa_scope_begin();
    struct ursa_copy_args args = {.out = to->array};
    bool convert = ursa_device_of(from) == ursa_device_of(to); /* in the copy itself */
    bool done = operand("copy_", to, from, convert ? from->array.dtype : to->array.dtype, &args.x) &&
                ursa_op_copy(ursa_device_of(to), &args);
    ursa_tensor_changed(to);
    ursa_scope_end(scope);
    return done;
}

bool ursa_fill_(ursa_tensor *tensor, double value)
{
    if (!tensor || !may_change("fill_", tensor))
        return false;
    ursa_tensor_changed(tensor);
    return ursa_op_fill(ursa_device_of(tensor), &(struct ursa_fill_args){.out = tensor->array, .value = value});
}

static bool binary_in_place(const char *function, ursa_binary_kind kind, ursa_tensor *to, const ursa_tensor *from,
                            double a, double b)
{
    if (!to || !from || !may_change(function, to))
        return false;
    ursa_scope *scope = ursa_scope_begin();
    struct ursa_binary_args args = {.kind = kind, .x = to->array, .out = to->array, .a = (float)a, .b = (float)b};
    bool done = operand(function, to, from, to->array.dtype, &args.y) && ursa_op_binary(ursa_device_of(to), &args);
    ursa_tensor_changed(to);
    ursa_scope_end(scope);
    return done;
}

bool ursa_add_(ursa_tensor *to, const ursa_tensor *from, double scale)
{
    if (!to || !from)
        return false;
    if (scale == 1)
        return binary_in_place("add_", URSA_BINARY_add, to, from, 0, 0);
    if (!ursa_dtype_is_float(to->array.dtype))
        return ursa_fail(URSA_ERROR_TYPE, "add_: the tensor is %s, expected a float type for a scale of %g",
                         ursa_dtype_name(to->array.dtype), scale);
    return binary_in_place("add_", URSA_BINARY_lincomb, to, from, 1, scale);
}

bool ursa_mul_(ursa_tensor *to, const ursa_tensor *by)
{
    return binary_in_place("mul_", URSA_BINARY_mul, to, by, 0, 0);
}

bool ursa_lerp_(ursa_tensor *to, const ursa_tensor *from, double weight)
{
    return binary_in_place("lerp_", URSA_BINARY_lincomb, to, from, 1 - weight, weight);
}

bool ursa_write_(ursa_tensor *tensor, ursa_dtype dtype, const void *data, int64_t count)
{
    if (!tensor || !may_change("write_", tensor))
        return false;
    if (count != ursa_count(tensor))
        return ursa_fail(URSA_ERROR_SHAPE, "write_: %lld elements for a tensor of %s", (long long)count,
                         ursa_shape_text(tensor->array.ndim, tensor->array.shape).text);
    if (!ursa_is_contiguous(tensor))
        return ursa_fail(URSA_ERROR_ARGUMENT, "write_: the tensor is not contiguous");
    if (dtype == tensor->array.dtype) {
        ursa_tensor_changed(tensor);
        return ursa_buffer_write(tensor->array.buffer, tensor->array.offset, dtype, data, count);
    }
    ursa_scope *scope = ursa_scope_begin();
    ursa_tensor *given = ursa_from(data, ursa_dims_of(tensor), .dtype = dtype, .device = ursa_device_of(tensor));
    bool done = ursa_copy_(tensor, given);
    ursa_scope_end(scope);
    return done;
}
