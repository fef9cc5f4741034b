/* precision.c — mixed precision: activations of a half type, and for f16 a loss
 * scale that follows the gradients (Micikevicius et al. 2018).
 *
 * Layers take the type of their activations, so all there is to do is to cast
 * the inputs. The scale, its counters and what was found in the gradients stay
 * on the device: a step waits for nothing, and the optimizer asks the device
 * whether it is to skip.
 */
#include "learner.h"
#include "optim/optimizer.h"
#include "tensor/tensor.h"

#include <stdlib.h>

/* ---- types ------------------------------------------------------------------------- */

ursa_tensor *ursa_enter_network(const ursa_learner *learner, ursa_tensor *x)
{
    bool casts = learner->precision != URSA_F32 && ursa_dtype_is_float(ursa_dtype_of(x));
    return casts ? ursa_cast(x, learner->precision) : x;
}

ursa_tensor *ursa_leave_network(ursa_tensor *prediction)
{
    return prediction && ursa_holds_halves(prediction) ? ursa_cast(prediction, URSA_F32) : prediction;
}

/* ---- the loss scale ------------------------------------------------------------------ */

enum { SCALE, GOOD_STEPS, FOUND, SKIPPED, NUMBERS };

struct loss_scaling {
    ursa_callback callback;
    ursa_loss_scale_options options;
    ursa_tensor *state; /* [NUMBERS], as ursa_unscale_args has it */
    ursa_tensor *found; /* [1], of it */
};

bool ursa_scaled_backward(const ursa_learner *learner, ursa_tensor *loss)
{
    const struct loss_scaling *scaling = (const struct loss_scaling *)learner->scaling;
    if (!scaling || !loss)
        return ursa_backward(loss);
    return ursa_backward_from(loss, ursa_expand(ursa_select(scaling->state, 0, SCALE), ursa_dims_of(loss)));
}

static bool unscale(const struct loss_scaling *scaling, ursa_optimizer *optimizer)
{
    bool done = true;
    for (int i = 0; done && i < optimizer->count; i++) {
        ursa_tensor *grad = ursa_grad(optimizer->parameters[i].tensor);
        if (!grad)
            continue;
        done = ursa_op_unscale(ursa_device_of(grad),
                               &(struct ursa_unscale_args){.grad = grad->array, .scaling = scaling->state->array});
        ursa_tensor_changed(grad);
    }
    return done;
}

static bool update(const struct loss_scaling *scaling)
{
    struct ursa_update_scale_args args = {.scaling = scaling->state->array,
                                          .growth = (float)scaling->options.growth,
                                          .backoff = (float)scaling->options.backoff,
                                          .interval = scaling->options.interval};
    return ursa_op_update_scale(ursa_device_of(scaling->state), &args);
}

static ursa_verdict on_scaling(ursa_callback *callback, ursa_learner *learner, ursa_event event)
{
    const struct loss_scaling *scaling = (struct loss_scaling *)callback;
    bool done = true;
    if (event == URSA_BEFORE_STEP) {
        learner->optimizer->skip = scaling->found;
        done = unscale(scaling, learner->optimizer);
    }
    if (event == URSA_AFTER_STEP)
        done = update(scaling);
    return done ? URSA_CONTINUE : URSA_FAIL;
}

static void release(ursa_callback *callback)
{
    struct loss_scaling *scaling = (struct loss_scaling *)callback;
    ursa_free(scaling->found);
    ursa_free(scaling->state);
    free(scaling);
}

static bool make_state(struct loss_scaling *scaling, ursa_device *device)
{
    float numbers[NUMBERS] = {[SCALE] = (float)scaling->options.scale};
    ursa_scope *scope = ursa_scope_begin();
    ursa_tensor *state = ursa_from(numbers, ursa_shape(NUMBERS), .device = device);
    scaling->state = state ? ursa_keep(state) : NULL;
    ursa_tensor *found = ursa_slice(scaling->state, 0, FOUND, FOUND + 1, 1);
    scaling->found = found ? ursa_keep(found) : NULL;
    ursa_scope_end(scope);
    return scaling->found;
}

static ursa_device *device_of(ursa_learner *learner)
{
    const ursa_parameter *list;
    return ursa_parameters(learner->model, &list) > 0 ? ursa_device_of(list[0].tensor) : ursa_default_device();
}

/* Behind the accumulation of gradients, in front of their clipping. */
static ursa_callback *make_scaling(ursa_learner *learner, const ursa_loss_scale_options *options)
{
    struct loss_scaling *scaling =
        (struct loss_scaling *)ursa_callback_make(sizeof *scaling, "loss_scaling", 9, on_scaling, release);
    if (!scaling)
        return NULL;
    scaling->options = (ursa_loss_scale_options){.scale = options->scale > 0 ? options->scale : 0x1p16,
                                                 .growth = options->growth > 0 ? options->growth : 2,
                                                 .backoff = options->backoff > 0 ? options->backoff : 0.5,
                                                 .interval = options->interval > 0 ? options->interval : 2000};
    if (make_state(scaling, device_of(learner)))
        return &scaling->callback;
    release(&scaling->callback);
    return NULL;
}

static void drop_scaling(ursa_learner *learner)
{
    if (learner->scaling)
        ursa_remove_callback(learner, learner->scaling);
    learner->scaling = NULL;
    learner->optimizer->skip = NULL;
}

ursa_tensor *ursa_scaling_state(const ursa_learner *learner)
{
    return learner->scaling ? ((const struct loss_scaling *)learner->scaling)->state : NULL;
}

double ursa_loss_scale(const ursa_learner *learner, int64_t *skipped)
{
    ursa_tensor *state = learner ? ursa_scaling_state(learner) : NULL;
    float numbers[NUMBERS] = {[SCALE] = 1};
    if (state && !ursa_read(state, URSA_F32, numbers, NUMBERS))
        return 0;
    if (skipped)
        *skipped = (int64_t)numbers[SKIPPED];
    return (double)numbers[SCALE];
}

/* ---- the choice ------------------------------------------------------------------------ */

static ursa_learner *choose(ursa_learner *learner, ursa_dtype precision)
{
    if (!learner)
        return NULL;
    drop_scaling(learner);
    learner->precision = precision;
    return learner;
}

ursa_learner *ursa_to_fp32(ursa_learner *learner)
{
    return choose(learner, URSA_F32);
}

ursa_learner *ursa_to_bf16(ursa_learner *learner)
{
    return choose(learner, URSA_BF16);
}

ursa_learner *ursa_to_fp16_opt(ursa_learner *learner, const ursa_loss_scale_options *options)
{
    ursa_callback *scaling = choose(learner, URSA_F16) ? make_scaling(learner, options) : NULL;
    if (!scaling || !ursa_add_callback(learner, scaling))
        return NULL;
    learner->scaling = scaling;
    return learner;
}

ursa_dtype ursa_learner_precision(const ursa_learner *learner)
{
    return learner ? learner->precision : URSA_F32;
}
