/* learner.h — the inside of a learner. */
#ifndef URSA_LEARNER_LEARNER_H
#define URSA_LEARNER_LEARNER_H

#include <ursa/learner.h>

enum { METRICS = 8 };

struct ursa_learner {
    ursa_dataloaders *data;
    ursa_module *model;
    ursa_optimizer *optimizer;
    ursa_learner_options options;
    int metric_count;
    ursa_training training;
    int64_t epochs_trained; /* by all fits: numbers the orders of the items */

    ursa_callback **callbacks;
    int callback_count;

    ursa_tensor *losses; /* [batches] on the device: of this epoch's steps */
    double *rates;       /* [batches]: their learning rates */
    int64_t *counts;     /* [batches]: their items */
    int64_t losses_recorded;

    ursa_epoch_record *epochs;
    int epoch_count;
    ursa_step_record *steps;
    int64_t step_count;
};

/* Asks every callback; the first that does not say URSA_CONTINUE decides. */
ursa_verdict ursa_learner_notify(ursa_learner *learner, ursa_event event);

/* For an epoch: makes room, remembers a step without waiting for its loss, and
 * reads them all at the end, giving their mean by items. */
bool ursa_record_begin(ursa_learner *learner, int64_t batches);
bool ursa_record_step(ursa_learner *learner, ursa_tensor *loss, int64_t items);
bool ursa_record_end(ursa_learner *learner, double *mean_loss);
bool ursa_record_epoch(ursa_learner *learner, const ursa_epoch_record *record);

/* The input of the network for a batch. */
ursa_tensor *ursa_learner_prepare(ursa_learner *learner, ursa_tensor *x);

/* A callback in memory of its own, freed with free(). */
ursa_callback *ursa_callback_make(size_t size, const char *name, int order,
                                  ursa_verdict (*on)(ursa_callback *, ursa_learner *, ursa_event),
                                  void (*release)(ursa_callback *));

/* Moves the learning rate and, where there is a schedule for it, the momentum
 * of all groups. Takes over the schedules. */
ursa_callback *ursa_schedule_callback(ursa_schedule *lr, ursa_schedule *momentum);
/* Takes a callback out again and frees it. */
void ursa_remove_callback(ursa_learner *learner, ursa_callback *callback);

#endif
