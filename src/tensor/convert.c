/* convert.c — the same elements in other memory: type, device, layout. */
#include "tensor.h"
#include "base/memory.h"
#include "device/backend.h"
#include <stdlib.h>

/* All these are the identity to the gradient; the tape converts types itself. */
static bool identity_step(const ursa_node *node, ursa_tensor *dy, ursa_tensor **dx)
{
    (void)node;
    dx[0] = dy;
    return true;
}

static ursa_tensor *copy(const char *name, ursa_tensor *x, ursa_dtype dtype)
{
    ursa_tensor *out = ursa_tensor_new(ursa_device_of(x), dtype, ursa_array_dims(&x->array));
    if (!out || !ursa_op_copy(ursa_device_of(x), &(struct ursa_copy_args){.x = x->array, .out = out->array}))
        return NULL;
    ursa_node *node = ursa_dtype_is_float(dtype) ? URSA_RECORD(name, identity_step, 0, 0, x) : NULL;
    return ursa_node_attach(node, out);
}

ursa_tensor *ursa_cast(ursa_tensor *x, ursa_dtype dtype)
{
    return !x || x->array.dtype == dtype ? x : copy("cast", x, dtype);
}

ursa_tensor *ursa_contiguous(ursa_tensor *x)
{
    return !x || ursa_is_contiguous(x) ? x : copy("contiguous", x, x->array.dtype);
}

ursa_tensor *ursa_clone(ursa_tensor *x)
{
    return x ? copy("clone", x, x->array.dtype) : NULL;
}

/* ---- between devices ------------------------------------------------------------------ */

/* Through host memory, since devices cannot see each other's. */
static ursa_tensor *transfer(ursa_tensor *x, ursa_device *device)
{
    int64_t count = ursa_count(x);
    ursa_dtype dtype = x->array.dtype;
    ursa_tensor *out = ursa_tensor_new(device, dtype, ursa_array_dims(&x->array));
    void *host = ursa_alloc_array((size_t)count + 1, ursa_dtype_size(dtype));
    bool done =
        out && host && ursa_read(x, dtype, host, count) && ursa_buffer_write(out->array.buffer, 0, dtype, host, count);
    free(host);
    return done ? out : NULL;
}

static bool to_device_step(const ursa_node *node, ursa_tensor *dy, ursa_tensor **dx)
{
    dx[0] = ursa_to_device(dy, *(ursa_device **)ursa_node_extra(node));
    return dx[0] != NULL;
}

ursa_tensor *ursa_to_device(ursa_tensor *x, ursa_device *device)
{
    if (!x || !device)
        return NULL;
    ursa_device *from = ursa_device_of(x);
    if (device == from)
        return x;
    ursa_tensor *out = transfer(x, device);
    ursa_node *node = URSA_RECORD("to_device", to_device_step, 0, sizeof from, x);
    if (node)
        *(ursa_device **)ursa_node_extra(node) = from;
    return ursa_node_attach(node, out);
}
