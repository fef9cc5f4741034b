/* fit.c — the training loop: epochs, batches, steps, and validation. */
#include "learner.h"
#include "base/memory.h"

#include <stdlib.h>
#include <time.h>

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

/* Verdicts that end more than the batch. */
static bool ends_epoch(ursa_verdict verdict)
{
    return verdict == URSA_STOP_EPOCH || verdict == URSA_STOP_FIT || verdict == URSA_FAIL;
}

/* Asks the callbacks; true to go on within the batch. */
static bool go_on(ursa_learner *learner, ursa_event event, ursa_verdict *verdict)
{
    *verdict = ursa_learner_notify(learner, event);
    return *verdict == URSA_CONTINUE;
}

/* ---- one batch ------------------------------------------------------------------ */

/* Prediction and loss. */
static ursa_verdict run_forward(ursa_learner *learner)
{
    ursa_training *training = &learner->training;
    ursa_verdict verdict;
    training->prediction = ursa_forward(learner->model, training->x);
    if (!training->prediction)
        return URSA_FAIL;
    if (!go_on(learner, URSA_AFTER_PRED, &verdict))
        return verdict;
    training->loss = learner->options.loss(training->prediction, training->y);
    if (!training->loss)
        return URSA_FAIL;
    go_on(learner, URSA_AFTER_LOSS, &verdict);
    return verdict;
}

/* Gradients and the optimizer's step. */
static ursa_verdict run_backward(ursa_learner *learner)
{
    ursa_verdict verdict;
    if (!go_on(learner, URSA_BEFORE_BACKWARD, &verdict))
        return verdict;
    if (!ursa_backward(learner->training.loss))
        return URSA_FAIL;
    if (!go_on(learner, URSA_AFTER_BACKWARD, &verdict) || !go_on(learner, URSA_BEFORE_STEP, &verdict))
        return verdict;
    if (!ursa_optimizer_step(learner->optimizer))
        return URSA_FAIL;
    ursa_optimizer_zero_grad(learner->optimizer);
    go_on(learner, URSA_AFTER_STEP, &verdict);
    return verdict;
}

/* The step of a batch whose x and y are in place. */
typedef ursa_verdict batch_step(ursa_learner *learner, int64_t items, void *context);

static ursa_verdict train_batch(ursa_learner *learner, int64_t items, void *context)
{
    (void)context;
    ursa_training *training = &learner->training;
    ursa_verdict verdict = run_forward(learner);
    if (verdict == URSA_CONTINUE && !ursa_record_step(learner, training->loss, items))
        return URSA_FAIL;
    if (verdict == URSA_CONTINUE)
        verdict = run_backward(learner);
    training->step++;
    return verdict;
}

static ursa_verdict run_batch(ursa_learner *learner, const ursa_batch *batch, batch_step *step, void *context)
{
    ursa_verdict verdict;
    ursa_training *training = &learner->training;
    training->x = ursa_learner_prepare(learner, batch->x);
    training->y = batch->y;
    if (!training->x)
        return URSA_FAIL;
    if (go_on(learner, URSA_BEFORE_BATCH, &verdict))
        verdict = step(learner, batch->count, context);
    return ends_epoch(verdict) ? verdict : ursa_learner_notify(learner, URSA_AFTER_BATCH);
}

static void forget_batch(ursa_training *training)
{
    training->x = training->y = training->prediction = training->loss = NULL;
}

/* All batches of a loader, in the order of epoch number `order`. */
static ursa_verdict run_batches(ursa_learner *learner, ursa_dataloader *loader, int64_t order, batch_step *step,
                                void *context)
{
    ursa_training *training = &learner->training;
    ursa_verdict verdict = URSA_CONTINUE;
    training->batches = ursa_dataloader_batches(loader);
    if (!ursa_dataloader_start(loader, order))
        return URSA_FAIL;
    ursa_batch batch;
    for (training->batch = 0; !ends_epoch(verdict); training->batch++) {
        ursa_scope *scope = ursa_scope_begin();
        if (training->training) {
            double done = (double)training->epoch + (double)training->batch / (double)training->batches;
            training->position = done / (double)training->epochs;
        }
        bool fetched = ursa_dataloader_next(loader, &batch);
        if (fetched)
            verdict = run_batch(learner, &batch, step, context);
        forget_batch(training);
        ursa_scope_end(scope);
        if (!fetched)
            return ursa_error() ? URSA_FAIL : verdict;
    }
    return verdict;
}

/* ---- one epoch -------------------------------------------------------------------- */

static ursa_verdict train_epoch(ursa_learner *learner, double *mean_loss)
{
    ursa_verdict verdict;
    learner->training.training = true;
    ursa_train_mode(learner->model, true);
    if (!go_on(learner, URSA_BEFORE_TRAIN, &verdict))
        return verdict;
    ursa_dataloader *loader = learner->data->train;
    if (!ursa_record_begin(learner, ursa_dataloader_batches(loader)))
        return URSA_FAIL;
    verdict = run_batches(learner, loader, learner->epochs_trained, train_batch, NULL);
    if (verdict == URSA_FAIL || !ursa_record_end(learner, mean_loss))
        return URSA_FAIL;
    ursa_verdict after = ursa_learner_notify(learner, URSA_AFTER_TRAIN);
    return verdict == URSA_STOP_FIT && after != URSA_FAIL ? verdict : after;
}

/* ---- validation -------------------------------------------------------------------- */

/* The sums of a validation run, on the device until its end. */
struct sums {
    ursa_tensor *loss;
    ursa_tensor *states[METRICS];
    int64_t items;
};

static ursa_verdict validate_batch(ursa_learner *learner, int64_t items, void *context)
{
    struct sums *sums = context;
    const ursa_training *training = &learner->training;
    ursa_verdict verdict = run_forward(learner);
    if (verdict != URSA_CONTINUE)
        return verdict;
    if (!ursa_add_(sums->loss, training->loss, (double)items))
        return URSA_FAIL;
    for (int i = 0; i < learner->metric_count; i++) {
        const ursa_metric *metric = &learner->options.metrics[i];
        if (!metric->update(metric, training->prediction, training->y, sums->states[i]))
            return URSA_FAIL;
    }
    sums->items += items;
    return URSA_CONTINUE;
}

static bool read_sums(ursa_learner *learner, const struct sums *sums, double *out)
{
    out[0] = ursa_item(sums->loss) / (double)sums->items;
    for (int i = 0; i < learner->metric_count; i++) {
        const ursa_metric *metric = &learner->options.metrics[i];
        float numbers[URSA_METRIC_STATE];
        double state[URSA_METRIC_STATE];
        if (!ursa_read(sums->states[i], URSA_F32, numbers, URSA_METRIC_STATE))
            return false;
        for (int j = 0; j < URSA_METRIC_STATE; j++)
            state[j] = numbers[j];
        out[1 + i] = metric->finish(metric, state, sums->items);
    }
    return !ursa_error();
}

/* out holds the loss and the metrics. */
static ursa_verdict validate_epoch(ursa_learner *learner, double *out)
{
    ursa_verdict verdict;
    learner->training.training = false;
    ursa_train_mode(learner->model, false);
    if (!go_on(learner, URSA_BEFORE_VALIDATE, &verdict))
        return verdict;
    ursa_scope *scope = ursa_scope_begin();
    ursa_no_grad_begin();
    struct sums sums = {.loss = ursa_zeros(ursa_shape())};
    for (int i = 0; i < learner->metric_count; i++)
        sums.states[i] = ursa_zeros(ursa_shape(URSA_METRIC_STATE));
    verdict = run_batches(learner, learner->data->valid, 0, validate_batch, &sums);
    if (sums.items == 0)
        ursa_fail(URSA_ERROR_ARGUMENT, "validate: the validation set is empty");
    if (sums.items == 0 || !read_sums(learner, &sums, out))
        verdict = URSA_FAIL;
    ursa_no_grad_end();
    ursa_scope_end(scope);
    ursa_train_mode(learner->model, true);
    if (verdict == URSA_FAIL)
        return verdict;
    ursa_verdict after = ursa_learner_notify(learner, URSA_AFTER_VALIDATE);
    return verdict == URSA_STOP_FIT && after != URSA_FAIL ? verdict : after;
}

bool ursa_validate(ursa_learner *learner, double *out, int count)
{
    double all[METRICS + 1];
    if (!learner || validate_epoch(learner, all) == URSA_FAIL)
        return false;
    for (int i = 0; i < count && i <= learner->metric_count; i++)
        out[i] = all[i];
    return true;
}

/* ---- fitting ------------------------------------------------------------------------- */

static ursa_verdict fit_epoch(ursa_learner *learner)
{
    ursa_verdict verdict;
    double begin = now(), results[METRICS + 1] = {0};
    ursa_epoch_record record = {0};
    if (!go_on(learner, URSA_BEFORE_EPOCH, &verdict))
        return verdict;
    verdict = train_epoch(learner, &record.train_loss);
    if (verdict == URSA_FAIL || verdict == URSA_STOP_FIT)
        return verdict;
    if (learner->data->valid && (verdict = validate_epoch(learner, results)) == URSA_FAIL)
        return verdict;
    record.valid_loss = results[0];
    for (int i = 0; i < learner->metric_count; i++)
        record.metrics[i] = results[1 + i];
    record.seconds = learner->training.seconds = now() - begin;
    learner->epochs_trained++;
    if (!ursa_record_epoch(learner, &record))
        return URSA_FAIL;
    return ursa_learner_notify(learner, URSA_AFTER_EPOCH);
}

static bool can_fit(const ursa_learner *learner, int epochs)
{
    if (epochs < 1)
        return ursa_fail(URSA_ERROR_ARGUMENT, "fit: %d epochs; it must be 1 or more", epochs);
    if (ursa_dataloader_batches(learner->data->train) < 1)
        return ursa_fail(URSA_ERROR_ARGUMENT, "fit: %lld training items do not fill one batch of %d",
                         (long long)ursa_dataloader_items(learner->data->train),
                         ursa_dataloader_batch_size(learner->data->train));
    return true;
}

static bool fit_epochs(ursa_learner *learner, int epochs)
{
    ursa_verdict verdict = URSA_CONTINUE;
    learner->training.epochs = epochs;
    learner->training.epoch = 0;
    if (!go_on(learner, URSA_BEFORE_FIT, &verdict))
        return verdict != URSA_FAIL;
    for (; learner->training.epoch < epochs && verdict != URSA_STOP_FIT && verdict != URSA_FAIL;
         learner->training.epoch++)
        verdict = fit_epoch(learner);
    /* Callbacks hear of the end whatever it was, to close what they opened. */
    return ursa_learner_notify(learner, URSA_AFTER_FIT) != URSA_FAIL && verdict != URSA_FAIL;
}

/* Fits with a callback that leaves afterwards. */
static bool fit_with(ursa_learner *learner, int epochs, ursa_callback *schedule)
{
    if (!ursa_add_callback(learner, schedule))
        return false;
    bool done = can_fit(learner, epochs) && fit_epochs(learner, epochs);
    ursa_remove_callback(learner, schedule);
    return done;
}

bool ursa_fit(ursa_learner *learner, int epochs, double lr)
{
    if (!learner)
        return false;
    return fit_with(learner, epochs, ursa_schedule_callback(ursa_schedule_constant(lr > 0 ? lr : 1e-3), NULL));
}

bool ursa_fit_one_cycle_opt(ursa_learner *learner, int epochs, double lr_max, const ursa_one_cycle_options *options)
{
    if (!learner)
        return false;
    double pct_start = options->pct_start > 0 ? options->pct_start : 0.25;
    ursa_schedule *lr =
        ursa_schedule_one_cycle(lr_max > 0 ? lr_max : 1e-3, pct_start, options->div, options->div_final);
    ursa_schedule *momentum =
        lr ? ursa_schedule_combine(
                 (double[]){pct_start, 1 - pct_start},
                 (ursa_schedule *[]){ursa_schedule_cosine(0.95, 0.85), ursa_schedule_cosine(0.85, 0.95)}, 2)
           : NULL;
    return fit_with(learner, epochs, ursa_schedule_callback(lr, momentum));
}
