/* learner.h — the training loop: learners, fits, metrics, predictions and records.
 *
 * A learner puts data, a network, a loss and an optimizer together. Everything
 * that happens around a step is a callback: progress, logs, schedules; the
 * ready-made ones are in callbacks.h.
 */
#ifndef URSA_LEARNER_H
#define URSA_LEARNER_H

#include <ursa/data.h>
#include <ursa/io.h>
#include <ursa/loss.h>
#include <ursa/optim.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ursa_learner ursa_learner;
typedef struct ursa_callback ursa_callback;

/* ---- outputs -------------------------------------------------------------------- */

/* What a network says about a set of items, in host memory, item after item. */
typedef struct ursa_outputs {
    int64_t count;
    ursa_dims shape;        /* of one prediction: [classes] */
    int64_t size;           /* its elements */
    ursa_dims target_shape; /* of one target: [] for a class */
    int64_t target_size;
    float *raw;            /* [count, shape]: as the network gives them */
    float *predictions;    /* [count, shape]: activated, as the loss has it; NULL for metrics */
    int64_t *classes;      /* [count, target_shape]: targets that are integers, else NULL */
    float *values;         /* [count, target_shape]: targets that are floats, else NULL */
    int64_t *decoded;      /* [count, ...]: the classes decided for; NULL where the loss decides for none */
    float *decoded_values; /* [count, shape]: decisions that are floats, 0 and 1 say; else NULL */
    float *losses;         /* [count]; NULL without targets, and for metrics */
    int64_t *indices;      /* [count]: the items' positions in the loader's dataset */
} ursa_outputs;
URSA_API void ursa_outputs_free(ursa_outputs *outputs); /* takes NULL */

/* ---- metrics ------------------------------------------------------------------- */

/* A number computed over the whole validation set, in one of two ways.
 *
 * In passing: `update` sees one batch's raw predictions and targets and adds to
 * `state`, a few numbers on the device, so that nothing waits before the end of
 * the epoch; `finish` turns them into the metric.
 *
 * At the end: `compute` sees all raw predictions and targets (outputs.raw,
 * .classes or .values) in host memory; they stay on the device until then.
 *
 * A metric is a value: arguments are fixed by filling `argument` and `context`,
 * which is what makers like ursa_top_k_accuracy(5) do. */
enum { URSA_METRIC_STATE = 800, URSA_METRICS = 8 };
typedef struct ursa_metric {
    const char *name;
    bool (*update)(const struct ursa_metric *metric, ursa_tensor *prediction, ursa_tensor *target, ursa_tensor *state);
    double (*finish)(const struct ursa_metric *metric, const double state[URSA_METRIC_STATE], int64_t items);
    double argument[4];
    double (*compute)(const struct ursa_metric *metric, const ursa_outputs *all); /* instead of the two above */
    const void *context;
} ursa_metric;

URSA_API extern const ursa_metric ursa_metric_accuracy, ursa_metric_error_rate;
#define ursa_accuracy   ursa_metric_accuracy
#define ursa_error_rate ursa_metric_error_rate
/* The share of items whose class is among the k most likely. */
URSA_API ursa_metric ursa_top_k_accuracy(int k);

/* ---- the learner ----------------------------------------------------------------- */

enum { URSA_GROUPS = 8 };

typedef struct ursa_learner_options {
    ursa_loss loss;                /* default: ursa_loss_for() the targets */
    ursa_optimizer_kind optimizer; /* with `optimizer_set`; default AdamW with fastai's β₂ 0.99 and ε 1e-5 */
    bool optimizer_set;
    ursa_optimizer_options hyper;      /* defaults as in optim.h; weight decay 0.01 for AdamW, of weights only */
    double lr;                         /* of fits that are not given one; default 1e-3 */
    double momentum[3];                /* of one-cycle: start, middle, end; default 0.95, 0.85, 0.95 */
    ursa_metric metrics[URSA_METRICS]; /* up to the first without a name */
    /* Parameter groups: the modules, in the order of the network, with which a new one begins: { "body.layer3",
     * "head" } makes three. Default: a single group. */
    const char *split[URSA_GROUPS - 1];
    bool freeze_norms; /* norms of frozen groups stay as they are; default: they train, as fastai's train_bn */
} ursa_learner_options;

/* Uses the loaders, which must outlive it, and takes over the model. */
URSA_API ursa_learner *ursa_learner_new_opt(ursa_dataloaders *data, ursa_module *model,
                                            const ursa_learner_options *options);
#define ursa_learner_new(data, model, ...) ursa_learner_new_opt(data, model, &(ursa_learner_options){__VA_ARGS__})
URSA_API void ursa_learner_free(ursa_learner *learner); /* takes NULL */

URSA_API ursa_module *ursa_learner_model(ursa_learner *learner);
URSA_API ursa_dataloaders *ursa_learner_data(ursa_learner *learner);
URSA_API ursa_optimizer *ursa_learner_optimizer(ursa_learner *learner);
URSA_API const ursa_loss *ursa_learner_loss(const ursa_learner *learner);
URSA_API int ursa_learner_metrics(const ursa_learner *learner, const ursa_metric **metrics);

/* Goes on with other data: of a larger size, say. It must have the targets the
 * network was made for. Transforms of batches that are no augmentation and can be
 * undone, normalisation that is, are added to it where it has none of the kind.
 * The old data may be freed afterwards. */
URSA_API bool ursa_learner_set_data(ursa_learner *learner, ursa_dataloaders *data);

/* ---- mixed precision ----------------------------------------------------------------- *
 *
 * fastai's .to_fp16(): learn = ursa_to_fp16(ursa_vision_learner(…)). Inputs that
 * are floats are cast to f16 or bf16 as they enter the network, and all
 * activations and their gradients follow; weights, their gradients, statistics,
 * the loss and metrics stay f32 (see tensor.h). Takes half the memory for
 * activations. Training, validation and predictions are all computed that way,
 * from the next batch on; a model file notes which it was. Inputs that are
 * integers are left alone, and with them what f32 embeddings make of them.
 *
 * f16 has few exponents: gradients are kept in its range by a scale of the loss,
 * as PyTorch's GradScaler does it. A step whose gradients are not finite is
 * skipped and the scale made smaller; after many good steps it grows. All of
 * that is decided on the device. A step that is skipped counts as one for
 * schedules and for the bias correction of Adam and its kin. bf16 has the range
 * of f32 and needs none of it.
 *
 * All return the learner, or NULL with an error. */
typedef struct ursa_loss_scale_options {
    double scale;   /* to begin with: 2^16 */
    double growth;  /* times so much after `interval` good steps: 2 */
    double backoff; /* times so much after an overflow: 0.5 */
    int interval;   /* 2000 */
} ursa_loss_scale_options;
URSA_API ursa_learner *ursa_to_fp16_opt(ursa_learner *learner, const ursa_loss_scale_options *options);
#define ursa_to_fp16(learner, ...) ursa_to_fp16_opt(learner, &(ursa_loss_scale_options){__VA_ARGS__})
URSA_API ursa_learner *ursa_to_bf16(ursa_learner *learner);
URSA_API ursa_learner *ursa_to_fp32(ursa_learner *learner);
URSA_API ursa_dtype ursa_learner_precision(const ursa_learner *learner); /* URSA_F32, URSA_F16 or URSA_BF16 */
/* The scale of the loss now, and, unless NULL, how many steps it has skipped so
 * far; 1 and none where the loss is not scaled. Waits for the device. */
URSA_API double ursa_loss_scale(const ursa_learner *learner, int64_t *skipped);

/* ---- freezing ---------------------------------------------------------------------- *
 *
 * Groups before number n do not train; a negative n counts from the end. Their
 * norms still do (options.freeze_norms). The optimizer's state starts anew, as
 * in fastai. */
URSA_API bool ursa_freeze_to(ursa_learner *learner, int n);
URSA_API bool ursa_freeze(ursa_learner *learner); /* all but the last group; an error when there is only one */
URSA_API bool ursa_unfreeze(ursa_learner *learner);

/* ---- fits ---------------------------------------------------------------------------- */

enum { URSA_FIT_CALLBACKS = 8 };
/* For .lr_first: fastai's slice(lr), a tenth of the rate for all groups but the last. */
#define URSA_LR_TENTH (-1.0)

/* Zero means the default, which is that of the function where none is said. */
typedef struct ursa_fit_options {
    double lr_first;     /* of the first group; between it and the last, which gets lr, rates grow by a constant
                            factor, as fastai's slice(lr_first, lr). Default: lr for all */
    double weight_decay; /* of all groups from now on; below 0 means none. Default: as it is */
    double pct_start;    /* one-cycle: share of rising rates, 0.25; flat-cos: share of the flat, 0.75; fine-tune: 0.3 */
    double div;          /* one-cycle: starts at lr / div, 25; fine-tune: 5 */
    double div_final;    /* one-cycle, flat-cos: ends at lr / div_final, 1e5 */
    double momentum[3];  /* one-cycle: start, middle, end; default the learner's */
    int cycle_mult;      /* sgdr: each cycle is so many times as long as the one before; 2 */
    double base_lr;      /* fine-tune: 2e-3 */
    int freeze_epochs;   /* fine-tune: 1; below 0 means none */
    double lr_mult;      /* fine-tune: the last group's rate over the first's, 100 */
    bool reset_optimizer;                         /* forget the optimizer's state first */
    ursa_callback *callbacks[URSA_FIT_CALLBACKS]; /* for this fit only; freed at its end */
} ursa_fit_options;

/* A constant rate. lr 0 is the learner's. */
URSA_API bool ursa_fit_opt(ursa_learner *learner, int epochs, double lr, const ursa_fit_options *options);
#define ursa_fit(learner, epochs, lr, ...) ursa_fit_opt(learner, epochs, lr, &(ursa_fit_options){__VA_ARGS__})
/* Smith 2018, as fastai: cosine from lr / div to lr over pct_start, then to lr /
 * div_final; momentum 0.95 → 0.85 → 0.95. */
URSA_API bool ursa_fit_one_cycle_opt(ursa_learner *learner, int epochs, double lr_max, const ursa_fit_options *options);
#define ursa_fit_one_cycle(learner, epochs, lr_max, ...)                                                               \
    ursa_fit_one_cycle_opt(learner, epochs, lr_max, &(ursa_fit_options){__VA_ARGS__})
/* Flat at lr for pct_start of the way, then cosine to lr / div_final. */
URSA_API bool ursa_fit_flat_cos_opt(ursa_learner *learner, int epochs, double lr, const ursa_fit_options *options);
#define ursa_fit_flat_cos(learner, epochs, lr, ...)                                                                    \
    ursa_fit_flat_cos_opt(learner, epochs, lr, &(ursa_fit_options){__VA_ARGS__})
/* Loshchilov and Hutter 2017: cycles of cosine from lr to 0; the first takes
 * cycle_length epochs. */
URSA_API bool ursa_fit_sgdr_opt(ursa_learner *learner, int cycles, int cycle_length, double lr_max,
                                const ursa_fit_options *options);
#define ursa_fit_sgdr(learner, cycles, cycle_length, lr_max, ...)                                                      \
    ursa_fit_sgdr_opt(learner, cycles, cycle_length, lr_max, &(ursa_fit_options){__VA_ARGS__})
/* fastai's fine_tune: frozen for freeze_epochs at base_lr (a tenth of it for
 * norms of frozen groups; pct_start 0.99), then unfrozen for `epochs` at
 * base_lr / 2, the first group lr_mult times slower. */
URSA_API bool ursa_fine_tune_opt(ursa_learner *learner, int epochs, const ursa_fit_options *options);
#define ursa_fine_tune(learner, epochs, ...) ursa_fine_tune_opt(learner, epochs, &(ursa_fit_options){__VA_ARGS__})

/* Loss and metrics over the validation set: out[0] the loss, then the metrics. */
URSA_API bool ursa_validate(ursa_learner *learner, double *out, int count);

/* ---- the learning rate finder ----------------------------------------------------------- */

typedef struct ursa_lr_find_options {
    double start, end; /* 1e-7, 10 */
    int num_it;        /* 100; 6 at least */
    bool no_stop;      /* goes to the end even when the loss has grown beyond four times its best */
} ursa_lr_find_options;

/* Suggestions are learning rates; NaN where the curve is too short for one. */
typedef struct ursa_lr_suggestions {
    double minimum; /* a tenth of the rate with the lowest loss */
    double steep;   /* where the loss falls fastest */
    double valley;  /* two thirds along the longest fall */
    double slide;   /* left of the last interval of 15 steps over which the slope changes */
    double shoot;   /* the course's rule: ten times back from where the loss begins to shoot up */
} ursa_lr_suggestions;

typedef struct ursa_lr_found {
    ursa_lr_suggestions suggested;
    int count;
    double *lrs, *losses; /* the whole curve, the losses smoothed (β 0.98); freed by ursa_lr_found_clear() */
} ursa_lr_found;

/* Trains for a moment with rates that grow exponentially (Smith 2015), as
 * fastai: stops once the smoothed loss is above four times its best, and puts
 * weights, optimizer, records and random streams back as they were. */
URSA_API bool ursa_lr_find_opt(ursa_learner *learner, ursa_lr_found *found, const ursa_lr_find_options *options);
#define ursa_lr_find(learner, found, ...) ursa_lr_find_opt(learner, found, &(ursa_lr_find_options){__VA_ARGS__})
URSA_API void ursa_lr_found_clear(ursa_lr_found *found);
/* The suggestions for a curve, of which fastai drops the first num_it / 10 and
 * the last 5 points before: those are to be dropped here as well. */
URSA_API ursa_lr_suggestions ursa_lr_suggest(const double *lrs, const double *losses, int count);

/* ---- predictions -------------------------------------------------------------------------- */

/* Runs the network over a loader without training; NULL is the validation set. */
URSA_API ursa_outputs *ursa_get_preds(ursa_learner *learner, ursa_dataloader *loader);

typedef struct ursa_tta_options {
    int n;        /* random views of every item; 4 */
    double beta;  /* how much the plain view counts beside their mean: 0.25; below 0: not at all */
    bool use_max; /* the largest prediction of all views instead */
} ursa_tta_options;
/* Test-time augmentation: predictions from the plain items and from n random
 * views of them, made with the transforms of training. `raw` and `losses` are
 * those of the plain view. */
URSA_API ursa_outputs *ursa_tta_opt(ursa_learner *learner, ursa_dataloader *loader, const ursa_tta_options *options);
#define ursa_tta(learner, loader, ...) ursa_tta_opt(learner, loader, &(ursa_tta_options){__VA_ARGS__})

/* ---- keeping -------------------------------------------------------------------------------- */

typedef struct ursa_learner_file_options {
    bool without_opt; /* weights only: neither writes nor reads the optimizer's state */
} ursa_learner_file_options;
/* One safetensors file: parameters and buffers under "model.", the optimizer's
 * state under "optimizer.". */
URSA_API bool ursa_learner_save_opt(ursa_learner *learner, const char *path, const ursa_learner_file_options *options);
URSA_API bool ursa_learner_load_opt(ursa_learner *learner, const char *path, const ursa_learner_file_options *options);
#define ursa_learner_save(learner, path, ...)                                                                          \
    ursa_learner_save_opt(learner, path, &(ursa_learner_file_options){__VA_ARGS__})
#define ursa_learner_load(learner, path, ...)                                                                          \
    ursa_learner_load_opt(learner, path, &(ursa_learner_file_options){__VA_ARGS__})

/* ---- callbacks --------------------------------------------------------------------- *
 *
 * The events are fastai's, in the order they come. AFTER_CANCEL_… comes before
 * AFTER_… when a callback ended that part early. */
typedef enum ursa_event {
    URSA_AFTER_CREATE, /* told when the callback is added */
    URSA_BEFORE_FIT,
    URSA_BEFORE_EPOCH,
    URSA_BEFORE_TRAIN,
    URSA_BEFORE_BATCH,
    URSA_AFTER_PRED,
    URSA_AFTER_LOSS,
    URSA_BEFORE_BACKWARD,
    URSA_AFTER_CANCEL_BACKWARD,
    URSA_AFTER_BACKWARD,
    URSA_BEFORE_STEP,
    URSA_AFTER_CANCEL_STEP,
    URSA_AFTER_STEP,
    URSA_AFTER_CANCEL_BATCH,
    URSA_AFTER_BATCH,
    URSA_AFTER_CANCEL_TRAIN,
    URSA_AFTER_TRAIN,
    URSA_BEFORE_VALIDATE,
    URSA_AFTER_CANCEL_VALIDATE,
    URSA_AFTER_VALIDATE,
    URSA_AFTER_CANCEL_EPOCH,
    URSA_AFTER_EPOCH,
    URSA_AFTER_CANCEL_FIT,
    URSA_AFTER_FIT,
} ursa_event;

/* What a callback may want of the rest of the loop: fastai's Cancel…Exceptions,
 * from the smallest to the largest part of the loop they end. */
typedef enum ursa_verdict {
    URSA_CONTINUE,
    URSA_SKIP_BACKWARD,
    URSA_SKIP_STEP,     /* no optimizer step; gradients are dropped */
    URSA_SKIP_BATCH,    /* on to the next batch; gradients stay and add up */
    URSA_STOP_VALIDATE, /* ends this validation */
    URSA_STOP_TRAIN,    /* ends this epoch's training and goes on to its validation */
    URSA_STOP_EPOCH,    /* on to the next epoch, without validation */
    URSA_STOP_FIT,      /* ends training, without an error */
    URSA_FAIL,          /* ends training; the callback has latched an error */
} ursa_verdict;

/* From this order on callbacks watch training and do not change its steps; they are not told of what a learning rate
 * finder does. */
enum { URSA_ORDER_WATCHING = 50 };

struct ursa_callback {
    const char *name;
    int order; /* lower runs first; equal: in the order they were added */
    ursa_verdict (*on)(struct ursa_callback *callback, ursa_learner *learner, ursa_event event);
    void (*free)(struct ursa_callback *callback); /* NULL: the caller's own */
    void *state; /* plain memory without pointers that a checkpoint keeps, and puts back when training is resumed */
    size_t state_bytes;
};

/* Adds a callback for all that follows; freed with the learner, or at once
 * when it cannot be added. */
URSA_API bool ursa_add_callback(ursa_learner *learner, ursa_callback *callback);

/* What callbacks see of the loop, and may change. */
typedef struct ursa_training {
    int64_t epoch, epochs;                  /* this one, from 0, and how many there will be */
    int64_t batch, batches;                 /* of the epoch */
    int64_t step;                           /* training steps since the learner was made */
    bool training;                          /* else validating */
    double position;                        /* of the whole training, 0 … 1 */
    int64_t items;                          /* of the batch */
    const int64_t *indices;                 /* of the batch: positions in the dataset; NULL between batches */
    ursa_tensor *x, *y, *prediction, *loss; /* y and loss NULL without targets */
    ursa_tensor *loss_grad; /* what gradients are taken of: the loss, unless a callback puts something else here */
    double seconds;         /* since the epoch began */
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
/* Of all steps whose epoch has ended, and of those before the last ursa_flush_records(). */
URSA_API int64_t ursa_step_records(ursa_learner *learner, const ursa_step_record **records);
/* Reads the losses of this epoch's steps so far, for who shows them while it
 * lasts: waits for the device, so not at every step. */
URSA_API bool ursa_flush_records(ursa_learner *learner);
/* The last epoch's number of a name: "train_loss", "valid_loss" or a metric's. NaN, with an error that lists the names,
 * when there is none. */
URSA_API double ursa_last_value(ursa_learner *learner, const char *name);

#ifdef __cplusplus
}
#endif
#endif
