/* learner.h — the training loop, its callbacks, metrics and records.
 *
 * A learner puts data, a network, a loss and an optimizer together. Everything
 * that happens around a step is a callback: progress, logs, schedules.
 */
#ifndef URSA_LEARNER_H
#define URSA_LEARNER_H

#include <ursa/data.h>
#include <ursa/io.h>
#include <ursa/optim.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ursa_learner ursa_learner;

/* ---- metrics ------------------------------------------------------------------- */

/* A number computed over the whole validation set. `update` sees one batch's
 * predictions and targets and adds to `state`, a few numbers on the device, so
 * that nothing waits before the end of the epoch; `finish` turns them into the
 * metric. A metric is a value: arguments are fixed by filling `argument`. */
enum { URSA_METRIC_STATE = 8 };
typedef struct ursa_metric {
    const char *name;
    bool (*update)(const struct ursa_metric *metric, ursa_tensor *prediction, ursa_tensor *target, ursa_tensor *state);
    double (*finish)(const struct ursa_metric *metric, const double state[URSA_METRIC_STATE], int64_t items);
    double argument[4];
} ursa_metric;

URSA_API extern const ursa_metric ursa_metric_accuracy, ursa_metric_error_rate;
#define ursa_accuracy   ursa_metric_accuracy
#define ursa_error_rate ursa_metric_error_rate
/* The share of items whose class is among the k most likely. */
URSA_API ursa_metric ursa_top_k_accuracy(int k);

/* ---- the learner ----------------------------------------------------------------- */

typedef ursa_tensor *ursa_loss_function(ursa_tensor *prediction, ursa_tensor *target);
/* The mean cross-entropy: the default. */
URSA_API ursa_tensor *ursa_cross_entropy_loss(ursa_tensor *prediction, ursa_tensor *target);

typedef struct ursa_learner_options {
    ursa_loss_function *loss;      /* default: cross-entropy */
    ursa_optimizer_kind optimizer; /* with `optimizer_set`; default AdamW */
    bool optimizer_set;
    ursa_optimizer_options hyper; /* weight decay and so on; defaults as in optim.h */
    ursa_metric metrics[8];       /* up to the first without a name */
    /* Turns the loader's x into the network's input, on the device: 8-bit
     * images into normalised floats, say. NULL: x as it is. */
    ursa_tensor *(*prepare)(void *context, ursa_tensor *x);
    void *prepare_context;
} ursa_learner_options;

/* Uses the loaders, which must outlive it, and takes over the model. */
URSA_API ursa_learner *ursa_learner_new_opt(ursa_dataloaders *data, ursa_module *model,
                                            const ursa_learner_options *options);
#define ursa_learner_new(data, model, ...) ursa_learner_new_opt(data, model, &(ursa_learner_options){__VA_ARGS__})
URSA_API void ursa_learner_free(ursa_learner *learner); /* takes NULL */

/* Trains for some epochs at a constant rate, or through one cycle (Smith 2018,
 * as fastai: momentum 0.95 → 0.85 → 0.95). lr 0 is 1e-3. */
URSA_API bool ursa_fit(ursa_learner *learner, int epochs, double lr);
typedef struct ursa_one_cycle_options {
    double pct_start, div, div_final; /* defaults 0.25, 25, 1e5 */
} ursa_one_cycle_options;
URSA_API bool ursa_fit_one_cycle_opt(ursa_learner *learner, int epochs, double lr_max,
                                     const ursa_one_cycle_options *options);
#define ursa_fit_one_cycle(learner, epochs, lr_max, ...)                                                               \
    ursa_fit_one_cycle_opt(learner, epochs, lr_max, &(ursa_one_cycle_options){__VA_ARGS__})

/* Loss and metrics over the validation set: out[0] the loss, then the metrics. */
URSA_API bool ursa_validate(ursa_learner *learner, double *out, int count);

URSA_API ursa_module *ursa_learner_model(ursa_learner *learner);
URSA_API ursa_dataloaders *ursa_learner_data(ursa_learner *learner);
URSA_API ursa_optimizer *ursa_learner_optimizer(ursa_learner *learner);

/* ---- callbacks --------------------------------------------------------------------- */

typedef enum ursa_event {
    URSA_BEFORE_FIT,
    URSA_BEFORE_EPOCH,
    URSA_BEFORE_TRAIN,
    URSA_BEFORE_BATCH,
    URSA_AFTER_PRED,
    URSA_AFTER_LOSS,
    URSA_BEFORE_BACKWARD,
    URSA_AFTER_BACKWARD,
    URSA_BEFORE_STEP,
    URSA_AFTER_STEP,
    URSA_AFTER_BATCH,
    URSA_AFTER_TRAIN,
    URSA_BEFORE_VALIDATE,
    URSA_AFTER_VALIDATE,
    URSA_AFTER_EPOCH,
    URSA_AFTER_FIT,
} ursa_event;

/* What a callback may want of the rest of the loop. */
typedef enum ursa_verdict {
    URSA_CONTINUE,
    URSA_SKIP_STEP,  /* no optimizer step, gradients stay */
    URSA_SKIP_BATCH, /* on to the next batch */
    URSA_STOP_EPOCH,
    URSA_STOP_FIT, /* ends training, without an error */
    URSA_FAIL,     /* ends training; the callback has latched an error */
} ursa_verdict;

typedef struct ursa_callback {
    const char *name;
    int order; /* lower runs first; equal: in the order they were added */
    ursa_verdict (*on)(struct ursa_callback *callback, ursa_learner *learner, ursa_event event);
    void (*free)(struct ursa_callback *callback); /* NULL: the caller's own */
} ursa_callback;

/* Adds a callback for all that follows; freed with the learner, or at once
 * when it cannot be added. */
URSA_API bool ursa_add_callback(ursa_learner *learner, ursa_callback *callback);

/* Ready-made. */
URSA_API ursa_callback *ursa_progress_callback(void); /* bars, and a table of epochs; learners have it unless silent */
URSA_API ursa_callback *ursa_csv_log(const char *path);      /* epoch,train_loss,valid_loss,<metrics>,time */
URSA_API ursa_callback *ursa_csv_step_log(const char *path); /* step,loss,lr */
URSA_API ursa_callback *ursa_stop_on_nan(void);              /* looks at the end of every epoch */
URSA_API ursa_callback *ursa_clip_gradients(double max_norm);
URSA_API ursa_callback *ursa_stop_after(int64_t steps); /* ends training there; schedules stay those of the whole */

/* What callbacks see of the loop. */
typedef struct ursa_training {
    int64_t epoch, epochs;  /* this one, from 0, and how many there will be */
    int64_t batch, batches; /* of the epoch */
    int64_t step;           /* training steps since the learner was made */
    bool training;          /* else validating */
    double position;        /* of the whole training, 0 … 1 */
    ursa_tensor *x, *y, *prediction, *loss;
    double seconds; /* since the epoch began */
} ursa_training;
URSA_API ursa_training *ursa_learner_training(ursa_learner *learner);

/* ---- records -------------------------------------------------------------------------- */

typedef struct ursa_epoch_record {
    double train_loss, valid_loss, metrics[8], seconds;
} ursa_epoch_record;
/* Of all epochs so far; belongs to the learner until the next fit. */
URSA_API int ursa_epoch_records(ursa_learner *learner, const ursa_epoch_record **records);
typedef struct ursa_step_record {
    double loss, lr;
} ursa_step_record;
/* Of all steps whose epoch has ended. */
URSA_API int64_t ursa_step_records(ursa_learner *learner, const ursa_step_record **records);

#ifdef __cplusplus
}
#endif
#endif
