/* schedule_callback.c — moves learning rate and momentum over a training. */
#include "learner.h"

#include <stdlib.h>

struct schedule_callback {
    ursa_callback callback;
    ursa_schedule *lr, *momentum;
};

static ursa_verdict on(ursa_callback *callback, ursa_learner *learner, ursa_event event)
{
    const struct schedule_callback *schedule = (struct schedule_callback *)callback;
    const ursa_training *training = ursa_learner_training(learner);
    if (event != URSA_BEFORE_BATCH || !training->training)
        return URSA_CONTINUE;
    ursa_optimizer *optimizer = ursa_learner_optimizer(learner);
    ursa_optimizer_set_lr(optimizer, -1, ursa_schedule_at(schedule->lr, training->position));
    if (schedule->momentum)
        ursa_optimizer_set_momentum(optimizer, -1, ursa_schedule_at(schedule->momentum, training->position));
    return URSA_CONTINUE;
}

static void release(ursa_callback *callback)
{
    struct schedule_callback *schedule = (struct schedule_callback *)callback;
    ursa_schedule_free(schedule->lr);
    ursa_schedule_free(schedule->momentum);
    free(schedule);
}

ursa_callback *ursa_schedule_callback(ursa_schedule *lr, ursa_schedule *momentum)
{
    struct schedule_callback *schedule =
        lr ? (struct schedule_callback *)ursa_callback_make(sizeof *schedule, "schedule", -50, on, release) : NULL;
    if (!schedule) {
        ursa_schedule_free(lr);
        ursa_schedule_free(momentum);
        return NULL;
    }
    schedule->lr = lr;
    schedule->momentum = momentum;
    return &schedule->callback;
}
