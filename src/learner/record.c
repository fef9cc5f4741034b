/* record.c — what happened. Losses stay on the device until their epoch ends, so
 * that no step waits for one. */
#include "learner.h"
#include "base/memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool ursa_record_begin(ursa_learner *learner, int64_t batches)
{
    ursa_free(learner->losses);
    learner->losses = NULL;
    ursa_scope *scope = ursa_scope_begin();
    ursa_tensor *losses = ursa_zeros(ursa_shape(batches));
    learner->losses = losses ? ursa_keep(losses) : NULL;
    ursa_scope_end(scope);
    double *rates = ursa_grow(learner->rates, (size_t)batches * sizeof *rates + 1);
    if (rates)
        learner->rates = rates;
    int64_t *counts = ursa_grow(learner->counts, (size_t)batches * sizeof *counts + 1);
    if (counts)
        learner->counts = counts;
    learner->losses_recorded = learner->losses_read = 0;
    return learner->losses && rates && counts;
}

bool ursa_record_step(ursa_learner *learner, ursa_tensor *loss)
{
    int64_t place = learner->losses_recorded++;
    learner->rates[place] = ursa_optimizer_lr(learner->optimizer, ursa_optimizer_groups(learner->optimizer) - 1);
    learner->counts[place] = learner->training.items;
    ursa_no_grad_begin();
    bool copied = ursa_copy_(ursa_select(learner->losses, 0, place), loss);
    ursa_no_grad_end();
    return copied;
}

bool ursa_flush_records(ursa_learner *learner)
{
    if (!learner)
        return false;
    int64_t first = learner->losses_read, count = learner->losses_recorded - first;
    if (count == 0)
        return true;
    float *losses = ursa_alloc_array((size_t)count, sizeof *losses);
    ursa_step_record *steps = ursa_grow(learner->steps, (size_t)(learner->step_count + count) * sizeof *steps);
    if (steps)
        learner->steps = steps;
    ursa_scope *scope = ursa_scope_begin();
    bool read =
        losses && steps && ursa_read(ursa_slice(learner->losses, 0, first, first + count, 1), URSA_F32, losses, count);
    ursa_scope_end(scope);
    for (int64_t i = 0; read && i < count; i++)
        steps[learner->step_count++] = (ursa_step_record){losses[i], learner->rates[first + i]};
    learner->losses_read += read ? count : 0;
    free(losses);
    return read;
}

bool ursa_record_end(ursa_learner *learner, double *mean_loss)
{
    if (!ursa_flush_records(learner))
        return false;
    const ursa_step_record *steps = learner->steps + (learner->step_count - learner->losses_recorded);
    double sum = 0, items = 0;
    for (int64_t i = 0; i < learner->losses_recorded; i++) {
        sum += steps[i].loss * (double)learner->counts[i];
        items += (double)learner->counts[i];
    }
    *mean_loss = items > 0 ? sum / items : NAN;
    return true;
}

bool ursa_record_epoch(ursa_learner *learner, const ursa_epoch_record *record)
{
    ursa_epoch_record *grown = ursa_grow(learner->epochs, (size_t)(learner->epoch_count + 1) * sizeof *grown);
    if (!grown)
        return false;
    learner->epochs = grown;
    grown[learner->epoch_count++] = *record;
    return true;
}

int ursa_epoch_records(ursa_learner *learner, const ursa_epoch_record **records)
{
    *records = learner ? learner->epochs : NULL;
    return learner ? learner->epoch_count : 0;
}

int64_t ursa_step_records(ursa_learner *learner, const ursa_step_record **records)
{
    *records = learner ? learner->steps : NULL;
    return learner ? learner->step_count : 0;
}

double ursa_last_value(ursa_learner *learner, const char *name)
{
    int metric = learner ? ursa_record_find(learner, name) : -1;
    const ursa_epoch_record *last =
        metric >= 0 && learner->epoch_count ? &learner->epochs[learner->epoch_count - 1] : NULL;
    if (!last)
        return NAN;
    return metric == 0 ? last->train_loss : metric == 1 ? last->valid_loss : last->metrics[metric - 2];
}

int ursa_record_find(const ursa_learner *learner, const char *name)
{
    char names[512] = "train_loss, valid_loss";
    if (strcmp(name, "train_loss") == 0)
        return 0;
    if (strcmp(name, "valid_loss") == 0)
        return 1;
    for (int i = 0; i < learner->metric_count; i++) {
        if (strcmp(name, learner->options.metrics[i].name) == 0)
            return 2 + i;
        size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, ", %s", learner->options.metrics[i].name);
    }
    ursa_fail(URSA_ERROR_ARGUMENT, "monitor: there is no \"%s\"; there are %s", name, names);
    return -1;
}
