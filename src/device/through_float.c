/* through_float.c — products of half types by way of floats. */
#include "through_float.h"

/* A call on float copies, and what it has borrowed for them. */
struct detour {
    ursa_device *device;
    ursa_buffer *held[6];
    int count;
    ursa_array own, result; /* the output as it was asked for, and as the float call writes it */
    bool failed;
};

static bool copy(ursa_device *device, const ursa_array *x, const ursa_array *out)
{
    return ursa_array_count(x) == 0 || device->backend->copy(device, &(struct ursa_copy_args){.x = *x, .out = *out});
}

/* A contiguous array of this type and the shape of x, uninitialised. */
static ursa_array room_for(struct detour *d, const ursa_array *x, ursa_dtype dtype)
{
    ursa_array room = *x;
    room.dtype = dtype;
    room.offset = 0;
    int64_t step = 1;
    for (int axis = x->ndim - 1; axis >= 0; axis--) {
        room.stride[axis] = step;
        step *= x->shape[axis];
    }
    room.buffer = ursa_buffer_new(d->device, dtype, step);
    if (room.buffer)
        d->held[d->count++] = room.buffer;
    else
        d->failed = true;
    return room;
}

static ursa_array converted(struct detour *d, const ursa_array *x, ursa_dtype dtype)
{
    if (x->dtype == dtype || d->failed)
        return *x;
    ursa_array out = room_for(d, x, dtype);
    if (!d->failed)
        d->failed = !copy(d->device, x, &out);
    return out;
}

/* A factor, rounded to the type that both are multiplied in, as floats. */
static ursa_array factor(struct detour *d, const ursa_array *x, ursa_dtype half)
{
    ursa_array rounded = converted(d, x, half);
    return converted(d, &rounded, URSA_F32);
}

/* Where the float call may write; `read`: it reads there first. */
static ursa_array output(struct detour *d, const ursa_array *out, bool read)
{
    d->own = *out;
    if (read)
        return d->result = converted(d, out, URSA_F32);
    return d->result = out->dtype == URSA_F32 || d->failed ? *out : room_for(d, out, URSA_F32);
}

static bool arrive(struct detour *d, bool done)
{
    if (done && d->result.buffer != d->own.buffer)
        done = copy(d->device, &d->result, &d->own);
    while (d->count)
        ursa_buffer_release(d->held[--d->count]);
    return done;
}

bool ursa_gemm_through_float(ursa_device *device, const struct ursa_gemm_args *args)
{
    struct detour d = {.device = device};
    struct ursa_gemm_args floats = *args;
    ursa_dtype half = ursa_half_type(&args->x, &args->y, NULL);
    floats.x = factor(&d, &args->x, half);
    floats.y = factor(&d, &args->y, half);
    floats.out = output(&d, &args->out, args->beta != 0);
    return arrive(&d, !d.failed && device->backend->gemm(device, &floats));
}

bool ursa_conv2d_through_float(ursa_device *device, const struct ursa_conv2d_args *args)
{
    struct detour d = {.device = device};
    struct ursa_conv2d_args floats = *args;
    ursa_dtype half = ursa_half_type(&args->x, &args->w, NULL);
    floats.x = factor(&d, &args->x, half);
    floats.w = factor(&d, &args->w, half);
    floats.out = output(&d, &args->out, false);
    return arrive(&d, !d.failed && device->backend->conv2d(device, &floats));
}

bool ursa_conv2d_grad_input_through_float(ursa_device *device, const struct ursa_conv2d_grad_input_args *args)
{
    struct detour d = {.device = device};
    struct ursa_conv2d_grad_input_args floats = *args;
    ursa_dtype half = ursa_half_type(&args->dy, &args->w, NULL);
    floats.dy = factor(&d, &args->dy, half);
    floats.w = factor(&d, &args->w, half);
    floats.dx = output(&d, &args->dx, false);
    return arrive(&d, !d.failed && device->backend->conv2d_grad_input(device, &floats));
}

bool ursa_conv2d_grad_weight_through_float(ursa_device *device, const struct ursa_conv2d_grad_weight_args *args)
{
    struct detour d = {.device = device};
    struct ursa_conv2d_grad_weight_args floats = *args;
    ursa_dtype half = ursa_half_type(&args->x, &args->dy, NULL);
    floats.x = factor(&d, &args->x, half);
    floats.dy = factor(&d, &args->dy, half);
    floats.dw = output(&d, &args->dw, false);
    return arrive(&d, !d.failed && device->backend->conv2d_grad_weight(device, &floats));
}
