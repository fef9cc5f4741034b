/* memory.c — what to say when a device has no memory for a step of training: what
 * takes it, and which batch would fit.
 *
 * How much a step needs shows only when one fits. So two small ones are tried,
 * without an update: what the larger needs more is that of its additional items. */
#include "learner.h"
#include "base/error.h"
#include "device/backend.h"
#include "state.h"

#include <stdio.h>
#include <stdlib.h>

/* Blocks are rounded up, and free ones may have the wrong size. */
static const double usable = 0.92;

static uint64_t bytes_of(const ursa_tensor *tensor)
{
    return tensor ? (uint64_t)ursa_count(tensor) * ursa_dtype_size(ursa_dtype_of(tensor)) : 0;
}

/* What does not depend on the batch. */
static uint64_t standing_bytes(ursa_learner *learner)
{
    const ursa_parameter *parameters;
    const ursa_optimizer_state *states;
    uint64_t bytes = 0;
    int count = ursa_parameters(learner->model, &parameters);
    for (int i = 0; i < count; i++)
        bytes += bytes_of(parameters[i].tensor) + bytes_of(ursa_grad(parameters[i].tensor));
    count = ursa_optimizer_states(learner->optimizer, false, &states);
    for (int i = 0; i < count; i++)
        bytes += bytes_of(states[i].tensor);
    return bytes;
}

/* ---- small steps -------------------------------------------------------------------- */

static ursa_tensor *zeros(ursa_dims shape, ursa_dtype dtype, int64_t items, ursa_device *device)
{
    shape.dim[0] = items;
    return ursa_zeros(shape, .dtype = dtype, .device = device);
}

/* The memory in use at the height of a step with so many items. */
static bool measure_step(ursa_learner *learner, int64_t items, double *bytes)
{
    const struct ursa_last_batch *last = &learner->last_batch;
    ursa_scope *scope = ursa_scope_begin();
    ursa_device_reset_peak(last->device);
    ursa_tensor *x = zeros(last->x_shape, last->x_dtype, items, last->device);
    ursa_tensor *y = zeros(last->y_shape, last->y_dtype, items, last->device);
    ursa_tensor *prediction =
        x && y ? ursa_leave_network(ursa_forward(learner->model, ursa_enter_network(learner, x))) : NULL;
    ursa_tensor *loss = ursa_loss_value(&learner->options.loss, prediction, y, URSA_MEAN);
    bool done = ursa_backward(loss);
    ursa_optimizer_zero_grad(learner->optimizer);
    ursa_scope_end(scope);
    *bytes = (double)ursa_device_memory(last->device).peak;
    return done;
}

/* The largest batch that is expected to fit; 0: none does, -1: not known. */
static int64_t fitting_batch(ursa_learner *learner)
{
    const struct ursa_last_batch *last = &learner->last_batch;
    const ursa_optimizer_state *states;
    int64_t few = last->x_shape.dim[0] >= 8 ? 2 : 1;
    double one, two, limit = usable * (double)last->device->info.memory;
    if (last->x_shape.dim[0] < 2 * few)
        return -1;
    if (ursa_optimizer_states(learner->optimizer, true, &states) < 0 || ursa_error() ||
        !measure_step(learner, few, &one) || !measure_step(learner, 2 * few, &two))
        return ursa_error_kind_of() == URSA_ERROR_MEMORY ? 0 : -1;
    double each = (two - one) / (double)few, fixed = one - each * (double)few;
    if (!(each > 0))
        return -1;
    double fits = (limit - fixed) / each;
    return fits < 1 ? 0 : fits < (double)last->x_shape.dim[0] ? (int64_t)fits : -1;
}

/* Small steps move running statistics, which get back what they were. */
static int64_t try_batches(ursa_learner *learner)
{
    ursa_error_state saved;
    ursa_state state = {0};
    int64_t fits = -1;
    ursa_error_set_aside(&saved);
    if (ursa_state_take_model(&state, learner)) {
        ursa_device_trim(learner->last_batch.device);
        fits = fitting_batch(learner);
        ursa_clear_error();
        ursa_state_give_model(&state, learner);
    }
    ursa_state_clear(&state);
    ursa_error_restore(&saved);
    return fits;
}

/* ---- the message -------------------------------------------------------------------- */

void ursa_explain_memory(ursa_learner *learner)
{
    const struct ursa_last_batch *last = &learner->last_batch;
    char advice[96] = "";
    if (ursa_error_kind_of() != URSA_ERROR_MEMORY || !last->device)
        return;
    double standing = (double)standing_bytes(learner) / (1 << 20);
    long long batch = (long long)last->x_shape.dim[0], fits = (long long)try_batches(learner);
    if (fits > 0)
        snprintf(advice, sizeof advice, "; a batch of %lld would fit", fits);
    else if (fits == 0)
        snprintf(advice, sizeof advice, "; no batch would fit");
    ursa_error_kind kind;
    char *message = ursa_error_take(&kind);
    ursa_fail(kind, "%s; weights, gradients and the optimizer's state take %.1f MiB, the rest is for a batch of %lld%s",
              message ? message : "out of memory", standing, batch, advice);
    free(message);
}
