/* read.c — reading and printing elements: where the host waits for the device. */
#include "tensor.h"
#include "read.h"
#include "base/error.h"
#include "base/memory.h"
#include "device/backend.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

bool ursa_read(const ursa_tensor *tensor, ursa_dtype dtype, void *out, int64_t count)
{
    if (!tensor || !out)
        return false;
    if (count != ursa_count(tensor))
        return ursa_fail(URSA_ERROR_SHAPE, "read: %" PRId64 " elements of a tensor of %s", count,
                         ursa_shape_text(tensor->array.ndim, tensor->array.shape).text);
    ursa_scope *scope = ursa_scope_begin();
    const ursa_tensor *from = ursa_dense_typed((ursa_tensor *)tensor, dtype);
    bool done = from && ursa_buffer_read(from->array.buffer, from->array.offset, dtype, out, count);
    ursa_scope_end(scope);
    return done;
}

double ursa_item(const ursa_tensor *tensor)
{
    if (!tensor)
        return NAN;
    if (ursa_count(tensor) != 1) {
        ursa_fail(URSA_ERROR_SHAPE, "item: the tensor is %s, expected one element",
                  ursa_shape_text(tensor->array.ndim, tensor->array.shape).text);
        return NAN;
    }
    if (ursa_dtype_is_float(tensor->array.dtype)) {
        float value;
        return ursa_read(tensor, URSA_F32, &value, 1) ? (double)value : NAN;
    }
    int64_t value;
    return ursa_read(tensor, URSA_I64, &value, 1) ? (double)value : NAN;
}

/* ---- printing ------------------------------------------------------------------------------------- */

enum { SHOWN = 3 }; /* elements at each end of a long axis */

/* A text that grows; `failed` once memory ran out. */
struct text {
    char *bytes;
    size_t used, capacity;
    bool failed;
};

static void put(struct text *text, const char *piece, size_t length)
{
    if (text->used + length + 1 > text->capacity && !text->failed) {
        size_t capacity = 2 * (text->used + length + 1);
        char *grown = ursa_grow(text->bytes, capacity);
        text->failed = !grown;
        if (grown) {
            text->bytes = grown;
            text->capacity = capacity;
        }
    }
    if (text->failed)
        return;
    for (size_t i = 0; i < length; i++)
        text->bytes[text->used++] = piece[i];
    text->bytes[text->used] = '\0';
}

static void put_number(struct text *text, const ursa_tensor *tensor, const float *floats, const int64_t *integers,
                       int64_t i)
{
    char number[40];
    int length;
    if (floats)
        length = snprintf(number, sizeof number, "%.6g", (double)floats[i]);
    else if (tensor->array.dtype == URSA_BOOL)
        length = snprintf(number, sizeof number, "%s", integers[i] ? "true" : "false");
    else
        length = snprintf(number, sizeof number, "%" PRId64, integers[i]);
    put(text, number, (size_t)length);
}

/* Goes no deeper than a tensor has axes. */
static void put_axis(struct text *text, const ursa_tensor *tensor, const float *floats, const int64_t *integers,
                     int axis, int64_t first, int64_t count)
{
    const ursa_array *array = &tensor->array;
    if (axis == array->ndim) {
        put_number(text, tensor, floats, integers, first);
        return;
    }
    int64_t extent = array->shape[axis], inner = extent ? count / extent : 0;
    put(text, "[", 1);
    for (int64_t i = 0; i < extent; i++) {
        if (i > 0)
            put(text, axis == array->ndim - 1 ? ", " : ",\n ", axis == array->ndim - 1 ? 2 : 3);
        if (extent > 2 * SHOWN && i == SHOWN) {
            put(text, "…", sizeof "…" - 1);
            i = extent - SHOWN - 1;
            continue;
        }
        put_axis(text, tensor, floats, integers, axis + 1, first + i * inner, inner);
    }
    put(text, "]", 1);
}

char *ursa_tensor_text(const ursa_tensor *tensor)
{
    if (!tensor)
        return NULL;
    const ursa_array *array = &tensor->array;
    bool is_float = ursa_dtype_is_float(array->dtype);
    int64_t count = ursa_count(tensor);
    void *values = ursa_alloc_array((size_t)count + 1, is_float ? sizeof(float) : sizeof(int64_t));
    if (!values || !ursa_read(tensor, is_float ? URSA_F32 : URSA_I64, values, count)) {
        free(values);
        return NULL;
    }
    struct text text = {NULL};
    char head[256];
    int length = snprintf(head, sizeof head, "%s %s on %s\n", ursa_shape_text(array->ndim, array->shape).text,
                          ursa_dtype_name(array->dtype), ursa_device_id(ursa_device_of(tensor)));
    put(&text, head, (size_t)length < sizeof head ? (size_t)length : sizeof head - 1);
    put_axis(&text, tensor, is_float ? values : NULL, is_float ? NULL : values, 0, 0, count);
    free(values);
    if (text.failed) {
        free(text.bytes);
        return NULL;
    }
    return text.bytes;
}

void ursa_print(const ursa_tensor *tensor)
{
    char *text = ursa_tensor_text(tensor);
    if (text)
        printf("%s\n", text);
    free(text);
}
