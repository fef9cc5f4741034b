/* validate.c — loss and metrics over the validation set. What is summed stays on
 * the device and is read once, at the end. */
#include "learner.h"

#include <math.h>

struct sums {
    ursa_tensor *all; /* [1 + metrics, URSA_METRIC_STATE]: the loss in the first row */
    int64_t items;
    bool gathers; /* a metric looks at everything at the end */
    struct ursa_gathered gathered;
};

static bool add_metrics(ursa_learner *learner, struct sums *sums)
{
    const ursa_training *training = &learner->training;
    for (int i = 0; i < learner->metric_count; i++) {
        const ursa_metric *metric = &learner->options.metrics[i];
        if (metric->update &&
            !metric->update(metric, training->prediction, training->y, ursa_select(sums->all, 0, 1 + i)))
            return false;
    }
    return !sums->gathers || ursa_gather_batch(&sums->gathered, learner, false);
}

static ursa_verdict validate_batch(ursa_learner *learner, void *context)
{
    struct sums *sums = context;
    ursa_training *training = &learner->training;
    ursa_verdict verdict = ursa_run_forward(learner);
    if (verdict != URSA_CONTINUE)
        return verdict;
    if (!training->loss)
        return ursa_fail(URSA_ERROR_ARGUMENT, "validate: the validation data has no targets"), URSA_FAIL;
    ursa_tensor *loss = ursa_select(ursa_select(sums->all, 0, 0), 0, 0);
    if (!ursa_add_(loss, training->loss, (double)training->items) || !add_metrics(learner, sums))
        return URSA_FAIL;
    sums->items += training->items;
    return URSA_CONTINUE;
}

static bool read_sums(ursa_learner *learner, const struct sums *sums, double *out)
{
    float numbers[URSA_METRICS + 1][URSA_METRIC_STATE];
    if (!ursa_read(sums->all, URSA_F32, numbers, (1 + learner->metric_count) * URSA_METRIC_STATE))
        return false;
    ursa_outputs *all = sums->gathers ? ursa_gather_read(&sums->gathered) : NULL;
    if (sums->gathers && !all)
        return false;
    out[0] = numbers[0][0] / (double)sums->items;
    for (int i = 0; i < learner->metric_count; i++) {
        const ursa_metric *metric = &learner->options.metrics[i];
        double state[URSA_METRIC_STATE];
        for (int j = 0; j < URSA_METRIC_STATE; j++)
            state[j] = numbers[1 + i][j];
        out[1 + i] = metric->compute ? metric->compute(metric, all) : metric->finish(metric, state, sums->items);
    }
    ursa_outputs_free(all);
    return !ursa_error();
}

static bool any_gathers(const ursa_learner *learner)
{
    for (int i = 0; i < learner->metric_count; i++)
        if (learner->options.metrics[i].compute)
            return true;
    return false;
}

ursa_verdict ursa_validate_epoch(ursa_learner *learner, double *out)
{
    for (int i = 0; i <= learner->metric_count; i++)
        out[i] = NAN;
    if (ursa_dataloader_batches(learner->data->valid) < 1)
        return ursa_fail(URSA_ERROR_ARGUMENT, "validate: the validation set is empty"), URSA_FAIL;
    ursa_scope *scope = ursa_scope_begin();
    struct sums sums = {.all = ursa_zeros(ursa_shape(1 + learner->metric_count, URSA_METRIC_STATE)),
                        .gathers = any_gathers(learner)};
    ursa_verdict verdict = ursa_run_evaluation(learner, learner->data->valid, 0, validate_batch, &sums);
    if (verdict != URSA_FAIL && sums.items > 0 && !read_sums(learner, &sums, out))
        verdict = URSA_FAIL;
    ursa_gathered_clear(&sums.gathered);
    ursa_scope_end(scope);
    return verdict;
}

bool ursa_validate(ursa_learner *learner, double *out, int count)
{
    double all[URSA_METRICS + 1];
    if (!learner || ursa_validate_epoch(learner, all) == URSA_FAIL)
        return false;
    for (int i = 0; i < count && i <= learner->metric_count; i++)
        out[i] = all[i];
    return true;
}
