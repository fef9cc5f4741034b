/* callbacks.h — ready-made callbacks for learners: ursa_add_callback(learner,
 * ursa_early_stopping("valid_loss", .patience = 3)).
 *
 * Unless said otherwise names, defaults and meaning are fastai's.
 */
#ifndef URSA_CALLBACKS_H
#define URSA_CALLBACKS_H

#include <ursa/learner.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- what is happening ---------------------------------------------------------- */

URSA_API ursa_callback *ursa_progress_callback(void);        /* bars, and a table of epochs */
URSA_API ursa_callback *ursa_csv_log(const char *path);      /* epoch,train_loss,valid_loss,<metrics>,time */
URSA_API ursa_callback *ursa_csv_step_log(const char *path); /* step,loss,lr */

/* ---- watching a number ------------------------------------------------------------ *
 *
 * `monitor` is "valid_loss" (NULL), "train_loss" or a metric's name; less is
 * better where it contains "loss" or "error", unless told otherwise. */
typedef struct ursa_monitor_options {
    bool less, greater; /* which is better */
    double min_delta;   /* what counts as better: by more than this; 0 */
    int patience;       /* epochs without a better value; 1 */
    bool keep_best;     /* the best of earlier fits stays the one to beat; default: every fit starts anew */
    double factor;      /* plateau: the rate is divided by it; 10 */
    double min_lr;      /* plateau: never below; 0 */
    bool every_epoch;   /* save: FILE_<epoch>, whatever the value */
    bool with_opt;      /* save: the optimizer's state, too */
} ursa_monitor_options;

/* Ends training. */
URSA_API ursa_callback *ursa_early_stopping_opt(const char *monitor, const ursa_monitor_options *options);
#define ursa_early_stopping(monitor, ...) ursa_early_stopping_opt(monitor, &(ursa_monitor_options){__VA_ARGS__})
/* Saves the best model as ursa_learner_save() does, whole or not at all, and loads it at the end of the fit. */
URSA_API ursa_callback *ursa_save_best_opt(const char *monitor, const char *path, const ursa_monitor_options *options);
#define ursa_save_best(monitor, path, ...) ursa_save_best_opt(monitor, path, &(ursa_monitor_options){__VA_ARGS__})
/* Divides the learning rates; for fits at a constant rate, which nothing else moves. */
URSA_API ursa_callback *ursa_reduce_on_plateau_opt(const char *monitor, const ursa_monitor_options *options);
#define ursa_reduce_on_plateau(monitor, ...) ursa_reduce_on_plateau_opt(monitor, &(ursa_monitor_options){__VA_ARGS__})

/* ---- keeping training in bounds ------------------------------------------------------ */

URSA_API ursa_callback *ursa_stop_on_nan(void); /* looks at the end of every epoch, so that no step waits */
URSA_API ursa_callback *ursa_clip_gradients(double max_norm);
URSA_API ursa_callback *ursa_stop_after(int64_t steps); /* ends training there; schedules stay those of the whole */

/* ---- other steps ----------------------------------------------------------------------- */

/* Adds up gradients until `items` items have been seen, then steps; 0 is 32. The gradient is that of one batch of so
 * many items. */
URSA_API ursa_callback *ursa_accumulate_gradients(int items);
/* Zhang et al. 2018: every item mixed with another by λ ~ Beta(α, α), λ ≥ ½; 0 is 0.4. */
URSA_API ursa_callback *ursa_mixup(double alpha);
/* Yun et al. 2019: a rectangle of every image from another, of share 1 - λ, λ ~ Beta(α, α); 0 is 1. */
URSA_API ursa_callback *ursa_cutmix(double alpha);
/* Szegedy et al. 2016, for the fit: cross-entropy with smoothing ε; 0 is 0.1. */
URSA_API ursa_callback *ursa_label_smoothing(double eps);

/* ---- resuming ------------------------------------------------------------------------------ */

typedef struct ursa_checkpoints_options {
    int64_t every_steps; /* within epochs */
    int every_epochs;    /* default 1 where every_steps is not given either */
    int keep;            /* newest files kept; 2 */
    bool resume;         /* go on from the newest file in the folder, if there is one */
} ursa_checkpoints_options;

/* Writes all that training is made of to DIR: parameters, buffers, gradients that
 * add up, optimizer, random streams, records, the place in the schedule and the
 * data, and the state of callbacks. A program that was killed, run again with
 * .resume, ends with the very bytes it would have ended with: its fits before
 * the one in the file are passed over, and that one goes on at its step. What
 * the program does between fits it does again. */
URSA_API ursa_callback *ursa_save_checkpoints_opt(const char *dir, const ursa_checkpoints_options *options);
#define ursa_save_checkpoints(dir, ...) ursa_save_checkpoints_opt(dir, &(ursa_checkpoints_options){__VA_ARGS__})

#ifdef __cplusplus
}
#endif
#endif
