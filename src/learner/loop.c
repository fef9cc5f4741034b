/* loop.c — the training loop: fits, epochs, batches, steps.
 *
 * Every part of it runs between its own events. A callback may end a part
 * early; the verdict then travels outwards to the part it names, which tells
 * of it and goes on behind itself. The parts and their events are those of
 * fastai's Learner.
 */
#include "learner.h"
#include "base/clock.h"

#include <math.h>

/* ---- parts and their events ------------------------------------------------------- */

struct part {
    ursa_event before, cancelled, after;
    ursa_verdict ends; /* verdicts up to this one end the part and no more */
};

static const struct part backward_part = {URSA_BEFORE_BACKWARD, URSA_AFTER_CANCEL_BACKWARD, URSA_AFTER_BACKWARD,
                                          URSA_SKIP_BACKWARD};
static const struct part step_part = {URSA_BEFORE_STEP, URSA_AFTER_CANCEL_STEP, URSA_AFTER_STEP, URSA_SKIP_STEP};
static const struct part batch_part = {URSA_BEFORE_BATCH, URSA_AFTER_CANCEL_BATCH, URSA_AFTER_BATCH, URSA_SKIP_BATCH};
static const struct part train_part = {URSA_BEFORE_TRAIN, URSA_AFTER_CANCEL_TRAIN, URSA_AFTER_TRAIN, URSA_STOP_TRAIN};
static const struct part validate_part = {URSA_BEFORE_VALIDATE, URSA_AFTER_CANCEL_VALIDATE, URSA_AFTER_VALIDATE,
                                          URSA_STOP_VALIDATE};
static const struct part epoch_part = {URSA_BEFORE_EPOCH, URSA_AFTER_CANCEL_EPOCH, URSA_AFTER_EPOCH, URSA_STOP_EPOCH};

typedef ursa_verdict body(ursa_learner *learner, void *context);

/* Runs a part between its events; a verdict that is left over is for a part around it. */
static ursa_verdict run_part(ursa_learner *learner, const struct part *part, body *run, void *context)
{
    ursa_verdict verdict = ursa_learner_notify(learner, part->before);
    if (verdict == URSA_CONTINUE)
        verdict = run(learner, context);
    if (verdict != URSA_CONTINUE && verdict <= part->ends)
        verdict = ursa_learner_notify(learner, part->cancelled);
    if (verdict <= part->ends)
        verdict = ursa_learner_notify(learner, part->after);
    return verdict <= part->ends ? URSA_CONTINUE : verdict;
}

/* ---- one batch ---------------------------------------------------------------------- */

ursa_verdict ursa_run_forward(ursa_learner *learner)
{
    ursa_training *training = &learner->training;
    training->prediction = ursa_leave_network(ursa_forward(learner->model, ursa_enter_network(learner, training->x)));
    if (!training->prediction)
        return URSA_FAIL;
    ursa_verdict verdict = ursa_learner_notify(learner, URSA_AFTER_PRED);
    if (verdict != URSA_CONTINUE)
        return verdict;
    if (training->y) {
        training->loss = ursa_loss_value(&learner->options.loss, training->prediction, training->y, URSA_MEAN);
        training->loss_grad = training->loss;
        if (!training->loss)
            return URSA_FAIL;
    }
    return ursa_learner_notify(learner, URSA_AFTER_LOSS);
}

static ursa_verdict run_backward(ursa_learner *learner, void *context)
{
    (void)context;
    return ursa_scaled_backward(learner, learner->training.loss_grad) ? URSA_CONTINUE : URSA_FAIL;
}

static ursa_verdict run_step(ursa_learner *learner, void *context)
{
    (void)context;
    return ursa_optimizer_step(learner->optimizer) ? URSA_CONTINUE : URSA_FAIL;
}

static void note_batch(ursa_learner *learner)
{
    const ursa_training *training = &learner->training;
    if (training->y)
        learner->last_batch =
            (struct ursa_last_batch){ursa_device_of(training->x), ursa_dims_of(training->x), ursa_dims_of(training->y),
                                     ursa_dtype_of(training->x), ursa_dtype_of(training->y)};
}

static ursa_verdict train_on(ursa_learner *learner)
{
    note_batch(learner);
    ursa_verdict verdict = ursa_run_forward(learner);
    if (learner->training.loss && !ursa_record_step(learner, learner->training.loss))
        return URSA_FAIL;
    if (verdict == URSA_CONTINUE && !learner->training.loss)
        return ursa_fail(URSA_ERROR_ARGUMENT, "fit: the training data has no targets"), URSA_FAIL;
    if (verdict == URSA_CONTINUE)
        verdict = run_part(learner, &backward_part, run_backward, NULL);
    if (verdict == URSA_CONTINUE)
        verdict = run_part(learner, &step_part, run_step, NULL);
    if (verdict == URSA_CONTINUE)
        ursa_optimizer_zero_grad(learner->optimizer);
    return verdict;
}

static ursa_verdict train_batch(ursa_learner *learner, void *context)
{
    (void)context;
    ursa_verdict verdict = train_on(learner);
    learner->training.step++;
    return verdict;
}

/* ---- all batches of a loader ------------------------------------------------------------- */

struct batches {
    ursa_dataloader *loader;
    int64_t order, first; /* of the items; batches before the first are passed over */
    ursa_batch_step *step;
    void *context;
};

static bool take_batch(ursa_learner *learner, const ursa_batch *batch)
{
    ursa_training *training = &learner->training;
    training->x = batch->x;
    training->y = batch->y;
    training->items = batch->count;
    training->indices = batch->indices;
    return training->x;
}

static void forget_batch(ursa_training *training)
{
    training->x = training->y = training->prediction = training->loss = training->loss_grad = NULL;
    training->indices = NULL;
}

static void set_position(ursa_training *training)
{
    double done = (double)training->epoch + (double)training->batch / (double)training->batches;
    training->position = done / (double)training->epochs;
}

static ursa_verdict run_batches(ursa_learner *learner, void *context)
{
    struct batches *batches = context;
    ursa_training *training = &learner->training;
    ursa_verdict verdict = URSA_CONTINUE;
    ursa_batch batch;
    training->batches = ursa_dataloader_batches(batches->loader);
    if (training->training) {
        batches->first = learner->first_batch; /* a callback may have set it before training */
        learner->first_batch = 0;
    }
    if (!ursa_dataloader_start_at(batches->loader, batches->order, batches->first))
        return URSA_FAIL;
    for (training->batch = batches->first; verdict == URSA_CONTINUE; training->batch++) {
        ursa_scope *scope = ursa_scope_begin();
        bool fetched = ursa_dataloader_next(batches->loader, &batch);
        if (fetched && training->training)
            set_position(training);
        if (fetched)
            verdict = take_batch(learner, &batch) ? run_part(learner, &batch_part, batches->step, batches->context)
                                                  : URSA_FAIL;
        forget_batch(training);
        ursa_scope_end(scope);
        if (!fetched)
            return ursa_error() ? URSA_FAIL : verdict;
    }
    return verdict;
}

/* ---- one epoch ---------------------------------------------------------------------------- */

struct training_part {
    struct batches batches;
    double mean_loss;
};

/* Losses are read before AFTER_TRAIN, whose callbacks look at them, and whatever ended the training. */
static ursa_verdict run_training(ursa_learner *learner, void *context)
{
    struct training_part *part = context;
    ursa_verdict verdict = run_batches(learner, &part->batches);
    return verdict == URSA_FAIL || !ursa_record_end(learner, &part->mean_loss) ? URSA_FAIL : verdict;
}

static ursa_verdict train_epoch(ursa_learner *learner, double *mean_loss)
{
    ursa_dataloader *loader = learner->data->train;
    struct training_part part = {{loader, learner->epochs_trained, 0, train_batch, NULL}, NAN};
    learner->training.training = true;
    ursa_train_mode(learner->model, true);
    if (!ursa_record_begin(learner, ursa_dataloader_batches(loader)))
        return URSA_FAIL;
    ursa_verdict verdict = run_part(learner, &train_part, run_training, &part);
    *mean_loss = part.mean_loss;
    return verdict;
}

ursa_verdict ursa_run_evaluation(ursa_learner *learner, ursa_dataloader *loader, int64_t epoch, ursa_batch_step *step,
                                 void *context)
{
    struct batches batches = {loader, epoch, 0, step, context};
    bool was_training = ursa_is_training(learner->model);
    learner->training.training = false;
    learner->training.batches = ursa_dataloader_batches(loader);
    ursa_train_mode(learner->model, false);
    ursa_no_grad_begin();
    ursa_verdict verdict = run_part(learner, &validate_part, run_batches, &batches);
    ursa_no_grad_end();
    ursa_train_mode(learner->model, was_training);
    return verdict;
}

static ursa_verdict run_epoch(ursa_learner *learner, void *context)
{
    double begin = ursa_seconds(), results[URSA_METRICS + 1];
    ursa_epoch_record *record = context;
    ursa_verdict verdict = train_epoch(learner, &record->train_loss);
    if (verdict == URSA_CONTINUE && learner->data->valid) {
        verdict = ursa_validate_epoch(learner, results);
        record->valid_loss = results[0];
        for (int i = 0; i < learner->metric_count; i++)
            record->metrics[i] = results[1 + i];
    }
    record->seconds = learner->training.seconds = ursa_seconds() - begin;
    if (verdict > epoch_part.ends)
        return verdict;
    learner->epochs_trained++;
    return ursa_record_epoch(learner, record) ? verdict : URSA_FAIL;
}

/* ---- one fit ---------------------------------------------------------------------------------- */

static bool can_fit(const ursa_learner *learner, int64_t epochs)
{
    if (epochs < 1)
        return ursa_fail(URSA_ERROR_ARGUMENT, "fit: %lld epochs; it must be 1 or more", (long long)epochs);
    if (!learner->data->train)
        return ursa_fail(URSA_ERROR_ARGUMENT, "fit: the learner has no training data");
    if (ursa_dataloader_batches(learner->data->train) < 1)
        return ursa_fail(URSA_ERROR_ARGUMENT, "fit: %lld training items do not fill one batch of %d",
                         (long long)ursa_dataloader_items(learner->data->train),
                         ursa_dataloader_batch_size(learner->data->train));
    return true;
}

static ursa_epoch_record empty_record(void)
{
    ursa_epoch_record record = {.train_loss = NAN, .valid_loss = NAN};
    for (int i = 0; i < URSA_METRICS; i++)
        record.metrics[i] = NAN;
    return record;
}

static ursa_verdict run_epochs(ursa_learner *learner)
{
    ursa_verdict verdict = URSA_CONTINUE;
    for (; learner->training.epoch < learner->training.epochs && verdict == URSA_CONTINUE; learner->training.epoch++) {
        ursa_epoch_record record = empty_record();
        verdict = run_part(learner, &epoch_part, run_epoch, &record);
    }
    return verdict;
}

bool ursa_run_fit(ursa_learner *learner, int64_t epochs)
{
    if (!can_fit(learner, epochs))
        return false;
    learner->training.epochs = epochs;
    learner->training.epoch = 0;
    learner->first_batch = 0;
    learner->last_batch.device = NULL;
    learner->fits++;
    ursa_verdict verdict = ursa_learner_notify(learner, URSA_BEFORE_FIT);
    if (verdict == URSA_CONTINUE)
        verdict = run_epochs(learner);
    if (verdict == URSA_FAIL)
        ursa_explain_memory(learner);
    if (verdict != URSA_CONTINUE && verdict != URSA_FAIL)
        verdict = ursa_learner_notify(learner, URSA_AFTER_CANCEL_FIT);
    /* Callbacks hear of the end whatever it was, to close what they opened. */
    return ursa_learner_notify(learner, URSA_AFTER_FIT) != URSA_FAIL && verdict != URSA_FAIL;
}

bool ursa_run_fit_with(ursa_learner *learner, int64_t epochs, ursa_callback *const *callbacks, int count)
{
    if (!ursa_add_callbacks(learner, callbacks, count))
        return false;
    bool done = ursa_run_fit(learner, epochs);
    ursa_remove_callbacks(learner, callbacks, count);
    return done;
}
