/* accumulate.c — steps from the gradients of several batches, and smoothed targets. */
#include "learner.h"

#include <stdlib.h>

static void release(ursa_callback *callback)
{
    free(callback);
}

/* ---- accumulating ------------------------------------------------------------------ */

struct accumulate {
    ursa_callback callback;
    int64_t wanted, seen; /* items; `seen` is kept in checkpoints */
};

static ursa_verdict on_accumulate(ursa_callback *callback, ursa_learner *learner, ursa_event event)
{
    struct accumulate *accumulate = (struct accumulate *)callback;
    ursa_training *training = &learner->training;
    if (event == URSA_BEFORE_FIT) {
        accumulate->seen = 0;
        ursa_optimizer_zero_grad(learner->optimizer);
    }
    if (event == URSA_AFTER_LOSS && training->training && training->loss_grad) {
        double share = (double)training->items / (double)accumulate->wanted;
        training->loss_grad = ursa_mul_scalar(training->loss_grad, share);
        return training->loss_grad ? URSA_CONTINUE : URSA_FAIL;
    }
    if (event == URSA_BEFORE_STEP) {
        accumulate->seen += training->items;
        if (accumulate->seen < accumulate->wanted)
            return URSA_SKIP_BATCH; /* gradients stay */
        accumulate->seen = 0;
    }
    return URSA_CONTINUE;
}

/* Before gradients are clipped: those of a part of the items are not. */
ursa_callback *ursa_accumulate_gradients(int items)
{
    struct accumulate *accumulate =
        (struct accumulate *)ursa_callback_make(sizeof *accumulate, "accumulate_gradients", 8, on_accumulate, release);
    if (!accumulate)
        return NULL;
    accumulate->wanted = items > 0 ? items : 32;
    accumulate->callback.state = &accumulate->seen;
    accumulate->callback.state_bytes = sizeof accumulate->seen;
    return &accumulate->callback;
}

/* ---- label smoothing ------------------------------------------------------------------ */

struct smoothing {
    ursa_callback callback;
    double eps, before;
};

static ursa_verdict on_smoothing(ursa_callback *callback, ursa_learner *learner, ursa_event event)
{
    struct smoothing *smoothing = (struct smoothing *)callback;
    ursa_loss *loss = &learner->options.loss;
    if (event == URSA_BEFORE_FIT) {
        if (!loss->class->classes)
            return ursa_fail(URSA_ERROR_ARGUMENT, "label_smoothing: the loss is %s, expected one of classes",
                             loss->class->name),
                   URSA_FAIL;
        smoothing->before = loss->options.smoothing;
        loss->options.smoothing = smoothing->eps;
    }
    if (event == URSA_AFTER_FIT && loss->class->classes)
        loss->options.smoothing = smoothing->before;
    return URSA_CONTINUE;
}

ursa_callback *ursa_label_smoothing(double eps)
{
    struct smoothing *smoothing =
        (struct smoothing *)ursa_callback_make(sizeof *smoothing, "label_smoothing", 0, on_smoothing, release);
    if (!smoothing)
        return NULL;
    smoothing->eps = eps > 0 ? eps : 0.1;
    return &smoothing->callback;
}
