/* learner.h — the inside of a learner. */
#ifndef URSA_LEARNER_LEARNER_H
#define URSA_LEARNER_LEARNER_H

#include <ursa/callbacks.h>
#include "attachment.h"
#include "base/owned.h"

struct ursa_learner {
    ursa_dataloaders *data;
    ursa_module *model;
    ursa_optimizer *optimizer;
    ursa_learner_options options;
    int metric_count;
    ursa_training training;
    int64_t fits;           /* begun so far */
    int64_t epochs_trained; /* by all fits: numbers the orders of the items */
    bool finding;           /* a learning rate: callbacks that watch are not told */
    int64_t first_batch;    /* of the next epoch, which is resumed there; else 0 */
    ursa_dtype precision;   /* of activations */

    ursa_callback *scaling; /* of the loss, where precision is f16; among the callbacks */

    ursa_callback **callbacks;
    int callback_count;

    struct ursa_last_batch { /* what the last step of training was given */
        ursa_device *device; /* NULL: there was none in this fit */
        ursa_dims x_shape, y_shape;
        ursa_dtype x_dtype, y_dtype;
    } last_batch;

    ursa_tensor *losses; /* [batches] on the device: of this epoch's steps */
    double *rates;       /* [batches]: their learning rates */
    int64_t *counts;     /* [batches]: their items */
    int64_t losses_recorded;
    int64_t losses_read; /* of them, those in `steps` already */

    ursa_epoch_record *epochs;
    int epoch_count;
    ursa_step_record *steps;
    int64_t step_count;

    ursa_attachment *attachments;
    ursa_owned owned;
};

/* ---- callbacks.c ------------------------------------------------------------------ */

/* Asks every callback; the first that does not say URSA_CONTINUE decides. */
ursa_verdict ursa_learner_notify(ursa_learner *learner, ursa_event event);

/* A callback in memory of its own, freed with free(). */
ursa_callback *ursa_callback_make(size_t size, const char *name, int order,
                                  ursa_verdict (*on)(ursa_callback *, ursa_learner *, ursa_event),
                                  void (*release)(ursa_callback *));
void ursa_release_callback(ursa_callback *callback);
/* Takes a callback out again and frees it. */
void ursa_remove_callback(ursa_learner *learner, ursa_callback *callback);
/* Several; when one cannot be added all of them are freed. */
bool ursa_add_callbacks(ursa_learner *learner, ursa_callback *const *callbacks, int count);
void ursa_remove_callbacks(ursa_learner *learner, ursa_callback *const *callbacks, int count);

/* ---- schedule_callback.c ------------------------------------------------------------ */

/* Moves the learning rates, by a schedule per group, and where there is one for
 * it the momentum of all groups. Takes over the schedules. */
ursa_callback *ursa_schedule_callback(ursa_schedule *const *lr, int groups, ursa_schedule *momentum);

/* ---- record.c ------------------------------------------------------------------------ */

/* For an epoch: makes room, remembers a step without waiting for its loss, and
 * reads them all at the end, giving their mean by items. */
bool ursa_record_begin(ursa_learner *learner, int64_t batches);
bool ursa_record_step(ursa_learner *learner, ursa_tensor *loss);
/* 0 for "train_loss", 1 for "valid_loss", 2 and on for the metrics; -1, with an
 * error, when there is none of this name. */
int ursa_record_find(const ursa_learner *learner, const char *name);
bool ursa_record_end(ursa_learner *learner, double *mean_loss);
bool ursa_record_epoch(ursa_learner *learner, const ursa_epoch_record *record);

/* ---- loop.c -------------------------------------------------------------------------- */

/* What is done with a batch whose x and y are in place. */
typedef ursa_verdict ursa_batch_step(ursa_learner *learner, void *context);

/* Prediction and loss of the batch; no loss where there are no targets. */
ursa_verdict ursa_run_forward(ursa_learner *learner);
/* Goes through all batches of a loader in evaluation mode, within a scope that
 * the caller closes, and nothing is recorded for gradients. */
ursa_verdict ursa_run_evaluation(ursa_learner *learner, ursa_dataloader *loader, int64_t epoch, ursa_batch_step *step,
                                 void *context);

/* Trains for some epochs; of fits.c. */
bool ursa_run_fit(ursa_learner *learner, int64_t epochs);
/* The same with callbacks that leave afterwards, which it takes over. */
bool ursa_run_fit_with(ursa_learner *learner, int64_t epochs, ursa_callback *const *callbacks, int count);

/* ---- precision.c ----------------------------------------------------------------------- */

/* Inputs as the network is to see them, if they are floats; predictions as losses and metrics do. */
ursa_tensor *ursa_enter_network(const ursa_learner *learner, ursa_tensor *x);
ursa_tensor *ursa_leave_network(ursa_tensor *prediction);
/* ursa_backward(), of the loss times its scale where it has one. */
bool ursa_scaled_backward(const ursa_learner *learner, ursa_tensor *loss);
/* The scale and its counters, on the device; NULL where there are none. */
ursa_tensor *ursa_scaling_state(const ursa_learner *learner);

/* ---- memory.c --------------------------------------------------------------------------- */

/* Adds to an error that says that the device's memory is used up what takes it, and
 * which batch would fit. */
void ursa_explain_memory(ursa_learner *learner);

/* ---- validate.c ------------------------------------------------------------------------ */

/* out holds the loss and the metrics; NaN where nothing was validated. */
ursa_verdict ursa_validate_epoch(ursa_learner *learner, double *out);

/* ---- gather.c -------------------------------------------------------------------------- */

/* Outputs of batches that stay on the device until all are read at once. */
struct ursa_gathered {
    struct ursa_gathered_batch {
        ursa_tensor *raw, *prediction, *target, *decoded, *losses;
    } * batches;
    int count;
    int64_t *indices, items;
};
/* Keeps what `training` holds of a batch in the scope around the current one;
 * `all` adds what the loss makes of it. */
bool ursa_gather_batch(struct ursa_gathered *gathered, ursa_learner *learner, bool all);
ursa_outputs *ursa_gather_read(const struct ursa_gathered *gathered);
void ursa_gathered_clear(struct ursa_gathered *gathered);
/* ursa_get_preds() with an epoch's order and random transforms. */
ursa_outputs *ursa_predict_epoch(ursa_learner *learner, ursa_dataloader *loader, int64_t epoch);

/* ---- groups.c -------------------------------------------------------------------------- */

/* Parameter groups as options.split has them. */
bool ursa_learner_split(ursa_learner *learner);
/* The rate of every group for fits whose last group gets lr. */
void ursa_group_rates(const ursa_learner *learner, double lr, double first, double *rates);

#endif
