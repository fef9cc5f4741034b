/* record.c — what happened. Losses stay on the device until their epoch ends, so
 * that no step waits for one. */
#include "learner.h"
#include "base/memory.h"

#include <math.h>
#include <stdlib.h>

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
    learner->losses_recorded = 0;
    return learner->losses && rates && counts;
}

bool ursa_record_step(ursa_learner *learner, ursa_tensor *loss, int64_t items)
{
    int64_t place = learner->losses_recorded++;
    learner->rates[place] = ursa_optimizer_lr(learner->optimizer, ursa_optimizer_groups(learner->optimizer) - 1);
    learner->counts[place] = items;
    ursa_no_grad_begin();
    bool copied = ursa_copy_(ursa_select(learner->losses, 0, place), loss);
    ursa_no_grad_end();
    return copied;
}

bool ursa_record_end(ursa_learner *learner, double *mean_loss)
{
    int64_t room = ursa_count(learner->losses), count = learner->losses_recorded;
    float *losses = ursa_alloc_array((size_t)room + 1, sizeof *losses);
    ursa_step_record *steps = ursa_grow(learner->steps, (size_t)(learner->step_count + count + 1) * sizeof *steps);
    if (steps)
        learner->steps = steps;
    bool read = losses && steps && ursa_read(learner->losses, URSA_F32, losses, room);
    double sum = 0, items = 0;
    for (int64_t i = 0; read && i < count; i++) {
        steps[learner->step_count++] = (ursa_step_record){losses[i], learner->rates[i]};
        sum += (double)losses[i] * (double)learner->counts[i];
        items += (double)learner->counts[i];
    }
    free(losses);
    *mean_loss = items > 0 ? sum / items : NAN;
    return read;
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
