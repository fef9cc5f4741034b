/* shape.c — rules that many functions share: axes, broadcasting, promotion. */
#include "tensor.h"
#include "base/error.h"
#include "device/backend.h"

int ursa_find_axis(const char *function, const ursa_tensor *x, int axis)
{
    int ndim = x->array.ndim;
    int found = axis < 0 ? axis + ndim : axis;
    if (found >= 0 && found < ndim)
        return found;
    ursa_fail(URSA_ERROR_ARGUMENT, "%s: axis %d of x, which is %s", function, axis,
              ursa_shape_text(ndim, x->array.shape).text);
    return -1;
}

bool ursa_find_axes(const char *function, const ursa_tensor *x, ursa_dims axes, bool reduced[URSA_MAX_DIMS])
{
    for (int i = 0; i < URSA_MAX_DIMS; i++)
        reduced[i] = axes.ndim == 0;
    for (int i = 0; i < axes.ndim; i++) {
        int axis = ursa_find_axis(function, x, (int)axes.dim[i]);
        if (axis < 0)
            return false;
        if (reduced[axis])
            return ursa_fail(URSA_ERROR_ARGUMENT, "%s: axis %d is named twice", function, axis);
        reduced[axis] = true;
    }
    return true;
}

bool ursa_broadcast(const char *function, ursa_dims x, ursa_dims y, ursa_dims *out)
{
    out->ndim = x.ndim > y.ndim ? x.ndim : y.ndim;
    for (int i = 1; i <= out->ndim; i++) {
        int64_t a = i <= x.ndim ? x.dim[x.ndim - i] : 1;
        int64_t b = i <= y.ndim ? y.dim[y.ndim - i] : 1;
        if (a != b && a != 1 && b != 1)
            return ursa_fail(URSA_ERROR_SHAPE, "%s: shapes %s and %s do not broadcast", function,
                             ursa_shape_text(x.ndim, x.dim).text, ursa_shape_text(y.ndim, y.dim).text);
        out->dim[out->ndim - i] = a == 1 ? b : a;
    }
    return true;
}

ursa_array ursa_stretch(const ursa_array *array, const ursa_dims *shape)
{
    ursa_array out = *array;
    int added = shape->ndim - array->ndim;
    out.ndim = shape->ndim;
    for (int i = 0; i < shape->ndim; i++) {
        bool repeated = i < added || (array->shape[i - added] == 1 && shape->dim[i] != 1);
        out.shape[i] = shape->dim[i];
        out.stride[i] = repeated ? 0 : array->stride[i - added];
    }
    return out;
}

ursa_dtype ursa_promote_types(ursa_dtype x, ursa_dtype y)
{
    static const int rank[URSA_DTYPE_COUNT] = {
        [URSA_BOOL] = 0, [URSA_U8] = 1, [URSA_I32] = 2, [URSA_I64] = 3, [URSA_F16] = 4, [URSA_BF16] = 5, [URSA_F32] = 6,
    };
    if (x == y)
        return x;
    if (rank[x] >= rank[URSA_F16] && rank[y] >= rank[URSA_F16])
        return URSA_F32;
    return rank[x] > rank[y] ? x : y;
}

bool ursa_same_device(const char *function, const ursa_tensor *x, const ursa_tensor *y, const char *y_name)
{
    const ursa_device *a = x->array.buffer->device, *b = y->array.buffer->device;
    return a == b ||
           ursa_fail(URSA_ERROR_DEVICE, "%s: %s is on %s, expected %s", function, y_name, b->info.id, a->info.id);
}
