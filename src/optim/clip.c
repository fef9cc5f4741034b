/* clip.c — gradient clipping, without waiting for the device. */
#include "optimizer.h"

#include <math.h>
#include <stdlib.h>

/* The L2 norms of all gradients side by side; NULL after an error. */
static ursa_tensor *norms_of(ursa_optimizer *optimizer)
{
    ursa_tensor **norms = calloc((size_t)optimizer->count + 1, sizeof *norms);
    int count = 0;
    for (int i = 0; norms && i < optimizer->count; i++) {
        ursa_tensor *gradient = ursa_grad(optimizer->parameters[i].tensor);
        if (gradient)
            norms[count++] = ursa_norm(gradient, 2, ursa_axes(), false);
    }
    ursa_tensor *all = norms && count ? ursa_stack(norms, count, 0) : NULL;
    if (norms && !count)
        ursa_fail(URSA_ERROR_STATE, "clip_grad_norm: no parameter has a gradient; call ursa_backward() first");
    free(norms);
    return all;
}

ursa_tensor *ursa_clip_grad_norm(ursa_optimizer *optimizer, double max_norm)
{
    if (!optimizer)
        return NULL;
    if (!(max_norm > 0)) {
        ursa_fail(URSA_ERROR_ARGUMENT, "clip_grad_norm: max_norm is %g; it must be above 0", max_norm);
        return NULL;
    }
    ursa_no_grad_begin();
    ursa_scope *scope = ursa_scope_begin();
    ursa_tensor *norm = ursa_norm(norms_of(optimizer), 2, ursa_axes(), false);
    /* As PyTorch: max / (norm + 1e-6), at most 1. */
    ursa_tensor *factor =
        ursa_clamp(ursa_mul_scalar(ursa_reciprocal(ursa_add_scalar(norm, 1e-6)), max_norm), -INFINITY, 1);
    bool done = factor;
    for (int i = 0; done && i < optimizer->count; i++) {
        ursa_tensor *gradient = ursa_grad(optimizer->parameters[i].tensor);
        done = !gradient || ursa_mul_(gradient, factor);
    }
    norm = done ? ursa_promote(norm) : NULL;
    ursa_scope_end(scope);
    ursa_no_grad_end();
    return norm;
}

bool ursa_clip_grad_value(ursa_optimizer *optimizer, double limit)
{
    if (!optimizer)
        return false;
    if (!(limit > 0))
        return ursa_fail(URSA_ERROR_ARGUMENT, "clip_grad_value: the limit is %g; it must be above 0", limit);
    ursa_no_grad_begin();
    bool done = true;
    for (int i = 0; done && i < optimizer->count; i++) {
        ursa_tensor *gradient = ursa_grad(optimizer->parameters[i].tensor);
        ursa_scope *scope = ursa_scope_begin();
        done = !gradient || ursa_copy_(gradient, ursa_clamp(gradient, -limit, limit));
        ursa_scope_end(scope);
    }
    ursa_no_grad_end();
    return done;
}
