/* tensor.c — tensors: making, holding and describing them. */
#include "scope.h"
#include "base/error.h"
#include "base/memory.h"
#include "device/backend.h"
#include <inttypes.h>
#include <stdlib.h>

/* ---- making --------------------------------------------------------------------- */

static ursa_tensor *new_tensor(ursa_buffer *buffer)
{
    ursa_tensor *tensor = ursa_alloc(sizeof *tensor);
    if (!tensor) {
        ursa_buffer_release(buffer);
        return NULL;
    }
    tensor->array.buffer = buffer;
    ursa_scope_adopt(tensor);
    return tensor;
}

static bool check_dims(const ursa_dims *shape, int64_t *count)
{
    *count = 1;
    if (shape->ndim < 0 || shape->ndim > URSA_MAX_DIMS)
        return ursa_fail(URSA_ERROR_SHAPE, "a tensor of %d dimensions, expected up to %d", shape->ndim, URSA_MAX_DIMS);
    for (int i = 0; i < shape->ndim; i++)
        if (shape->dim[i] < 0 || __builtin_mul_overflow(*count, shape->dim[i], count))
            return ursa_fail(URSA_ERROR_SHAPE, "a tensor of shape %s is not possible",
                             ursa_shape_text(shape->ndim, shape->dim).text);
    return true;
}

ursa_tensor *ursa_tensor_new(ursa_device *device, ursa_dtype dtype, ursa_dims shape)
{
    int64_t count;
    if (!device || !check_dims(&shape, &count))
        return NULL;
    ursa_buffer *buffer = ursa_buffer_of_shape(device, dtype, shape.ndim, shape.dim);
    ursa_tensor *tensor = buffer ? new_tensor(buffer) : NULL;
    if (!tensor)
        return NULL;
    ursa_array *array = &tensor->array;
    array->dtype = dtype;
    array->ndim = shape.ndim;
    int64_t stride = 1;
    for (int i = shape.ndim - 1; i >= 0; i--) {
        array->shape[i] = shape.dim[i];
        array->stride[i] = stride;
        stride *= shape.dim[i];
    }
    return tensor;
}

ursa_tensor *ursa_tensor_of(const ursa_array *array)
{
    ursa_tensor *tensor = new_tensor(ursa_buffer_retain(array->buffer));
    if (tensor)
        tensor->array = *array;
    return tensor;
}

ursa_tensor *ursa_tensor_view(const ursa_tensor *base, int ndim, const int64_t *shape, const int64_t *stride,
                              int64_t offset)
{
    ursa_array array = {.buffer = base->array.buffer, .dtype = base->array.dtype, .ndim = ndim, .offset = offset};
    for (int i = 0; i < ndim; i++) {
        array.shape[i] = shape[i];
        array.stride[i] = stride[i];
    }
    return ursa_tensor_of(&array);
}

/* ---- holding -------------------------------------------------------------------------- */

void ursa_tensor_destroy(ursa_tensor *tensor)
{
    ursa_buffer_release(tensor->array.buffer);
    ursa_tensor_release(tensor->grad);
    ursa_node_release(tensor->node);
    free(tensor);
}

static void destroy_if_unheld(ursa_tensor *tensor)
{
    if (!tensor->references && !tensor->kept && !tensor->scope)
        ursa_tensor_destroy(tensor);
}

ursa_tensor *ursa_tensor_retain(ursa_tensor *tensor)
{
    if (tensor)
        tensor->references++;
    return tensor;
}

void ursa_tensor_release(ursa_tensor *tensor)
{
    if (!tensor)
        return;
    tensor->references--;
    destroy_if_unheld(tensor);
}

ursa_tensor *ursa_keep(ursa_tensor *tensor)
{
    if (tensor)
        tensor->kept++;
    return tensor;
}

/* Of a tensor that was never kept it takes the scope's reference: the tensor
 * goes before its scope does. */
void ursa_free(ursa_tensor *tensor)
{
    if (!tensor)
        return;
    if (tensor->kept)
        tensor->kept--;
    else
        ursa_scope_disown(tensor);
    destroy_if_unheld(tensor);
}

void ursa_tensor_let_go(ursa_tensor *tensor)
{
    if (!tensor || !tensor->scope)
        return;
    ursa_scope_disown(tensor);
    destroy_if_unheld(tensor);
}

void ursa_tensor_changed(ursa_tensor *tensor)
{
    if (tensor)
        tensor->array.buffer->version++;
}

/* ---- describing ------------------------------------------------------------------------- */

int ursa_ndim(const ursa_tensor *tensor)
{
    return tensor ? tensor->array.ndim : -1;
}

int64_t ursa_dim(const ursa_tensor *tensor, int axis)
{
    if (!tensor)
        return -1;
    if (axis < 0)
        axis += tensor->array.ndim;
    return axis >= 0 && axis < tensor->array.ndim ? tensor->array.shape[axis] : -1;
}

ursa_dims ursa_dims_of(const ursa_tensor *tensor)
{
    return tensor ? ursa_array_dims(&tensor->array) : (ursa_dims){.ndim = -1};
}

int64_t ursa_count(const ursa_tensor *tensor)
{
    return tensor ? ursa_array_count(&tensor->array) : -1;
}

ursa_dtype ursa_dtype_of(const ursa_tensor *tensor)
{
    return tensor ? tensor->array.dtype : URSA_F32;
}

ursa_device *ursa_device_of(const ursa_tensor *tensor)
{
    return tensor ? tensor->array.buffer->device : NULL;
}

bool ursa_is_contiguous(const ursa_tensor *tensor)
{
    return tensor && ursa_array_is_contiguous(&tensor->array);
}
