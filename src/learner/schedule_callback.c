/* schedule_callback.c — moves learning rates and momentum over a training. */
#include "learner.h"

#include <stdlib.h>

struct schedule_callback {
    ursa_callback callback;
    ursa_schedule *lr[URSA_GROUPS], *momentum;
    int groups;
};

static ursa_verdict on(ursa_callback *callback, ursa_learner *learner, ursa_event event)
{
    const struct schedule_callback *schedule = (struct schedule_callback *)callback;
    const ursa_training *training = ursa_learner_training(learner);
    if (event != URSA_BEFORE_BATCH || !training->training)
        return URSA_CONTINUE;
    ursa_optimizer *optimizer = ursa_learner_optimizer(learner);
    for (int i = 0; i < schedule->groups; i++)
        ursa_optimizer_set_lr(optimizer, i, ursa_schedule_at(schedule->lr[i], training->position));
    if (schedule->momentum)
        ursa_optimizer_set_momentum(optimizer, -1, ursa_schedule_at(schedule->momentum, training->position));
    return URSA_CONTINUE;
}

static void release(ursa_callback *callback)
{
    struct schedule_callback *schedule = (struct schedule_callback *)callback;
    for (int i = 0; i < schedule->groups; i++)
        ursa_schedule_free(schedule->lr[i]);
    ursa_schedule_free(schedule->momentum);
    free(schedule);
}

ursa_callback *ursa_schedule_callback(ursa_schedule *const *lr, int groups, ursa_schedule *momentum)
{
    bool whole = true;
    for (int i = 0; i < groups; i++)
        whole = whole && lr[i];
    struct schedule_callback *schedule =
        whole ? (struct schedule_callback *)ursa_callback_make(sizeof *schedule, "schedule", -50, on, release) : NULL;
    if (!schedule) {
        for (int i = 0; i < groups; i++)
            ursa_schedule_free(lr[i]);
        ursa_schedule_free(momentum);
        return NULL;
    }
    schedule->groups = groups;
    for (int i = 0; i < groups; i++)
        schedule->lr[i] = lr[i];
    schedule->momentum = momentum;
    return &schedule->callback;
}
