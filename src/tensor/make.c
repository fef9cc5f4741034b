/* make.c — making tensors. */
#include "tensor.h"
#include "base/error.h"
#include "device/backend.h"

static ursa_device *device_of(const ursa_tensor_options *options)
{
    return options->device ? options->device : ursa_default_device();
}

static ursa_tensor *finish(ursa_tensor *out, bool done, const ursa_tensor_options *options)
{
    if (!done)
        return NULL;
    return options->requires_grad ? ursa_requires_grad(out, true) : out;
}

ursa_tensor *ursa_empty_opt(ursa_dims shape, const ursa_tensor_options *options)
{
    ursa_tensor *out = ursa_tensor_new(device_of(options), options->dtype, shape);
    return finish(out, out != NULL, options);
}

static bool fill(ursa_tensor *out, double value)
{
    return out && ursa_op_fill(ursa_device_of(out), &(struct ursa_fill_args){.out = out->array, .value = value});
}

ursa_tensor *ursa_full_opt(ursa_dims shape, double value, const ursa_tensor_options *options)
{
    ursa_tensor *out = ursa_tensor_new(device_of(options), options->dtype, shape);
    return finish(out, fill(out, value), options);
}

/* Types that the operator does not make are converted from those it does. */
ursa_tensor *ursa_arange_opt(int64_t count, const ursa_tensor_options *options)
{
    bool small = options->dtype == URSA_U8 || options->dtype == URSA_BOOL;
    ursa_scope *scope = ursa_scope_begin();
    ursa_tensor *out = ursa_tensor_new(device_of(options), small ? URSA_I32 : options->dtype, ursa_shape(count));
    struct ursa_arange_args args = {.start = options->start, .step = options->step == 0 ? 1 : options->step};
    bool done = false;
    if (out) {
        args.out = out->array;
        done = ursa_op_arange(ursa_device_of(out), &args);
    }
    if (done && small)
        out = ursa_typed(out, options->dtype);
    return ursa_leave(scope, finish(out, done && out, options));
}

ursa_tensor *ursa_from_opt(const void *data, ursa_dims shape, const ursa_tensor_options *options)
{
    if (!data) {
        ursa_fail(URSA_ERROR_ARGUMENT, "from: data is NULL");
        return NULL;
    }
    ursa_tensor *out = ursa_tensor_new(device_of(options), options->dtype, shape);
    bool done = out && ursa_buffer_write(out->array.buffer, 0, options->dtype, data, ursa_count(out));
    return finish(out, done, options);
}

ursa_tensor *ursa_scalar_like(const ursa_tensor *like, double value)
{
    if (!like)
        return NULL;
    ursa_tensor *out = ursa_tensor_new(ursa_device_of(like), like->array.dtype, ursa_shape());
    return fill(out, value) ? out : NULL;
}

ursa_tensor *ursa_empty_like(const ursa_tensor *like)
{
    return like ? ursa_tensor_new(ursa_device_of(like), like->array.dtype, ursa_array_dims(&like->array)) : NULL;
}

ursa_tensor *ursa_zeros_like(const ursa_tensor *like)
{
    ursa_tensor *out = ursa_empty_like(like);
    return fill(out, 0) ? out : NULL;
}
