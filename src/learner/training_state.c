/* training_state.c — what training is made of beside model and optimizer: gradients,
 * random streams, counters, records, the loss scale, and the state of callbacks. */
#include "state.h"
#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- gradients that add up --------------------------------------------------------- */

static bool take_gradients(ursa_state *state, ursa_learner *learner)
{
    const ursa_parameter *list;
    int count = ursa_parameters(learner->model, &list);
    bool taken = count >= 0;
    for (int i = 0; taken && i < count; i++)
        if (!list[i].is_buffer && ursa_grad(list[i].tensor))
            taken = ursa_state_add(state, "gradient.", list[i].name, ursa_grad(list[i].tensor));
    return taken;
}

static bool give_gradients(const ursa_state *state, ursa_learner *learner)
{
    const ursa_parameter *list;
    int count = ursa_parameters(learner->model, &list);
    bool given = count >= 0;
    ursa_scope *scope = ursa_scope_begin();
    for (int i = 0; given && i < count; i++) {
        char name[512];
        snprintf(name, sizeof name, "gradient.%s", list[i].name);
        const ursa_stored_tensor *stored = list[i].is_buffer ? NULL : ursa_state_find(state, name);
        ursa_zero_grad(list[i].tensor);
        if (stored)
            given = ursa_backward_from(list[i].tensor, ursa_from(stored->data, stored->shape, .dtype = stored->dtype,
                                                                 .device = ursa_device_of(list[i].tensor)));
    }
    ursa_scope_end(scope);
    return given;
}

/* ---- random streams -------------------------------------------------------------------- */

enum { STREAM_NUMBERS = 7 };

static bool take_streams(ursa_state *state)
{
    uint64_t numbers[URSA_PURPOSES][STREAM_NUMBERS];
    for (int i = 0; i < URSA_PURPOSES; i++) {
        const ursa_rng *rng = ursa_stream((ursa_purpose)i);
        numbers[i][0] = rng->key;
        numbers[i][1] = rng->counter;
        numbers[i][2] = (uint64_t)rng->left;
        for (int j = 0; j < 4; j++)
            numbers[i][3 + j] = rng->block[j];
    }
    return ursa_state_add_memory(state, "training/", "streams", numbers, sizeof numbers);
}

static bool give_streams(const ursa_state *state)
{
    uint64_t numbers[URSA_PURPOSES][STREAM_NUMBERS];
    if (!ursa_state_get_memory(state, "training/", "streams", numbers, sizeof numbers))
        return false;
    for (int i = 0; i < URSA_PURPOSES; i++) {
        ursa_rng *rng = ursa_stream((ursa_purpose)i);
        rng->key = numbers[i][0];
        rng->counter = numbers[i][1];
        rng->left = numbers[i][2] <= 4 ? (int)numbers[i][2] : 0;
        for (int j = 0; j < 4; j++)
            rng->block[j] = (uint32_t)numbers[i][3 + j];
    }
    return true;
}

/* ---- counters and records ----------------------------------------------------------------- */

struct counters {
    int64_t fits, epochs_trained, epoch, epochs, batch, step;
    int64_t losses_recorded, losses_read, epoch_count, step_count;
};

static bool take_records(ursa_state *state, ursa_learner *learner)
{
    const ursa_training *training = &learner->training;
    struct counters counters = {
        learner->fits,  learner->epochs_trained,  training->epoch,      training->epochs,     training->batch,
        training->step, learner->losses_recorded, learner->losses_read, learner->epoch_count, learner->step_count};
    size_t recorded = (size_t)learner->losses_recorded;
    return ursa_state_add_memory(state, "training/", "counters", &counters, sizeof counters) &&
           ursa_state_add_memory(state, "training/", "epochs", learner->epochs,
                                 (size_t)learner->epoch_count * sizeof *learner->epochs) &&
           ursa_state_add_memory(state, "training/", "steps", learner->steps,
                                 (size_t)learner->step_count * sizeof *learner->steps) &&
           ursa_state_add_memory(state, "training/", "rates", learner->rates, recorded * sizeof *learner->rates) &&
           ursa_state_add_memory(state, "training/", "counts", learner->counts, recorded * sizeof *learner->counts) &&
           (!learner->losses || ursa_state_add(state, "training/", "losses", learner->losses));
}

static bool plausible(const struct counters *counters)
{
    const int64_t *numbers = &counters->fits;
    for (size_t i = 0; i < sizeof *counters / sizeof *numbers; i++)
        if (numbers[i] < 0 || numbers[i] > INT32_MAX)
            return ursa_fail(URSA_ERROR_FORMAT, "counter %zu is %lld", i, (long long)numbers[i]);
    return (counters->losses_read <= counters->losses_recorded && counters->losses_recorded <= counters->step) ||
           ursa_fail(URSA_ERROR_FORMAT, "there are %lld losses of %lld steps", (long long)counters->losses_recorded,
                     (long long)counters->step);
}

/* The losses of the epoch under way, as long as the epoch has batches. */
static bool give_losses(const ursa_state *state, ursa_learner *learner, const struct counters *counters)
{
    const ursa_stored_tensor *stored = ursa_state_find(state, "training/losses");
    learner->losses_recorded = learner->losses_read = 0;
    if (counters->losses_recorded == 0)
        return true;
    if (!stored || stored->shape.ndim != 1 || stored->dtype != URSA_F32 ||
        stored->shape.dim[0] < counters->losses_recorded)
        return ursa_fail(URSA_ERROR_FORMAT, "the losses are fewer than %lld", (long long)counters->losses_recorded);
    int64_t batches = stored->shape.dim[0];
    if (!ursa_record_begin(learner, batches) || !ursa_write_(learner->losses, URSA_F32, stored->data, batches) ||
        !ursa_state_get_memory(state, "training/", "rates", learner->rates,
                               (size_t)counters->losses_recorded * sizeof *learner->rates) ||
        !ursa_state_get_memory(state, "training/", "counts", learner->counts,
                               (size_t)counters->losses_recorded * sizeof *learner->counts))
        return false;
    learner->losses_recorded = counters->losses_recorded;
    learner->losses_read = counters->losses_read;
    return true;
}

/* Whether a state has so many things of a size: what is only claimed is not allocated. */
static bool has(const ursa_state *state, const char *name, int64_t count, size_t size)
{
    const ursa_stored_tensor *stored = ursa_state_find(state, name);
    return (stored && stored->bytes == (size_t)count * size) ||
           ursa_fail(URSA_ERROR_FORMAT, "\"%s\" are not %lld", name, (long long)count);
}

static bool give_history(const ursa_state *state, ursa_learner *learner, const struct counters *counters)
{
    if (!has(state, "training/epochs", counters->epoch_count, sizeof *learner->epochs) ||
        !has(state, "training/steps", counters->step_count, sizeof *learner->steps))
        return false;
    ursa_epoch_record *epochs = ursa_grow(learner->epochs, (size_t)counters->epoch_count * sizeof *epochs + 1);
    if (epochs)
        learner->epochs = epochs;
    ursa_step_record *steps = ursa_grow(learner->steps, (size_t)counters->step_count * sizeof *steps + 1);
    if (steps)
        learner->steps = steps;
    return epochs && steps &&
           ursa_state_get_memory(state, "training/", "epochs", epochs,
                                 (size_t)counters->epoch_count * sizeof *epochs) &&
           ursa_state_get_memory(state, "training/", "steps", steps, (size_t)counters->step_count * sizeof *steps);
}

static bool give_records(const ursa_state *state, ursa_learner *learner)
{
    struct counters counters;
    if (!ursa_state_get_memory(state, "training/", "counters", &counters, sizeof counters) || !plausible(&counters) ||
        !give_losses(state, learner, &counters) || !give_history(state, learner, &counters))
        return false;
    learner->fits = counters.fits;
    learner->epochs_trained = counters.epochs_trained;
    learner->epoch_count = (int)counters.epoch_count;
    learner->step_count = counters.step_count;
    learner->training.epoch = counters.epoch;
    learner->training.epochs = counters.epochs;
    learner->training.batch = counters.batch;
    learner->training.step = counters.step;
    return true;
}

/* ---- callbacks --------------------------------------------------------------------------------- */

/* Callbacks of one name are told apart by their order. */
static void callback_name(const ursa_learner *learner, int index, char *name, size_t size)
{
    int same = 0;
    for (int i = 0; i < index; i++)
        same += strcmp(learner->callbacks[i]->name, learner->callbacks[index]->name) == 0;
    snprintf(name, size, "%s/%d", learner->callbacks[index]->name, same);
}

static bool take_callbacks(ursa_state *state, ursa_learner *learner)
{
    bool taken = true;
    for (int i = 0; taken && i < learner->callback_count; i++) {
        const ursa_callback *callback = learner->callbacks[i];
        char name[256];
        callback_name(learner, i, name, sizeof name);
        taken =
            !callback->state || ursa_state_add_memory(state, "callback/", name, callback->state, callback->state_bytes);
    }
    return taken;
}

static bool give_callbacks(const ursa_state *state, ursa_learner *learner)
{
    bool given = true;
    for (int i = 0; given && i < learner->callback_count; i++) {
        const ursa_callback *callback = learner->callbacks[i];
        char name[256];
        callback_name(learner, i, name, sizeof name);
        given =
            !callback->state || ursa_state_get_memory(state, "callback/", name, callback->state, callback->state_bytes);
    }
    return given;
}

/* ---- the loss scale -------------------------------------------------------------------------------- */

static bool take_scaling(ursa_state *state, ursa_learner *learner)
{
    ursa_tensor *scaling = ursa_scaling_state(learner);
    return !scaling || ursa_state_add(state, "training/", "loss_scale", scaling);
}

static bool give_scaling(const ursa_state *state, ursa_learner *learner)
{
    ursa_tensor *scaling = ursa_scaling_state(learner);
    float numbers[4];
    return !scaling || (ursa_state_get_memory(state, "training/", "loss_scale", numbers, sizeof numbers) &&
                        ursa_write_(scaling, URSA_F32, numbers, 4));
}

/* ---- all of it ------------------------------------------------------------------------------------- */

bool ursa_state_take_training(ursa_state *state, ursa_learner *learner)
{
    return take_gradients(state, learner) && take_streams(state) && take_records(state, learner) &&
           take_scaling(state, learner) && take_callbacks(state, learner);
}

bool ursa_state_give_training(const ursa_state *state, ursa_learner *learner)
{
    return give_gradients(state, learner) && give_streams(state) && give_records(state, learner) &&
           give_scaling(state, learner) && give_callbacks(state, learner);
}
