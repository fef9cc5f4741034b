/* guards.c — callbacks that keep training in bounds. */
#include "learner.h"

#include <math.h>
#include <stdlib.h>

static void release(ursa_callback *callback)
{
    free(callback);
}

/* Looks once an epoch, when the losses have been read anyway. */
static ursa_verdict on_nan(ursa_callback *callback, ursa_learner *learner, ursa_event event)
{
    (void)callback;
    if (event != URSA_AFTER_TRAIN)
        return URSA_CONTINUE;
    const ursa_step_record *records;
    int64_t count = ursa_step_records(learner, &records);
    for (int64_t i = count - learner->losses_recorded; i < count; i++) {
        if (isfinite(records[i].loss))
            continue;
        ursa_fail(URSA_ERROR_STATE, "fit: the loss is %g at step %lld; a lower learning rate than %g may help",
                  records[i].loss, (long long)i + 1, records[i].lr);
        return URSA_FAIL;
    }
    return URSA_CONTINUE;
}

ursa_callback *ursa_stop_on_nan(void)
{
    return ursa_callback_make(sizeof(ursa_callback), "stop_on_nan", 55, on_nan, release);
}

struct clip_callback {
    ursa_callback callback;
    double max_norm;
};

static ursa_verdict on_clip(ursa_callback *callback, ursa_learner *learner, ursa_event event)
{
    const struct clip_callback *clip = (struct clip_callback *)callback;
    if (event != URSA_BEFORE_STEP)
        return URSA_CONTINUE;
    return ursa_clip_grad_norm(ursa_learner_optimizer(learner), clip->max_norm) ? URSA_CONTINUE : URSA_FAIL;
}

ursa_callback *ursa_clip_gradients(double max_norm)
{
    struct clip_callback *clip =
        (struct clip_callback *)ursa_callback_make(sizeof *clip, "clip_gradients", 10, on_clip, release);
    if (!clip)
        return NULL;
    clip->max_norm = max_norm;
    return &clip->callback;
}

struct stop_callback {
    ursa_callback callback;
    int64_t steps;
};

static ursa_verdict on_stop(ursa_callback *callback, ursa_learner *learner, ursa_event event)
{
    const ursa_training *training = ursa_learner_training(learner);
    bool reached = training->training && training->step >= ((struct stop_callback *)callback)->steps;
    return event == URSA_AFTER_BATCH && reached ? URSA_STOP_FIT : URSA_CONTINUE;
}

ursa_callback *ursa_stop_after(int64_t steps)
{
    struct stop_callback *stop =
        (struct stop_callback *)ursa_callback_make(sizeof *stop, "stop_after", 90, on_stop, release);
    if (!stop)
        return NULL;
    stop->steps = steps;
    return &stop->callback;
}
