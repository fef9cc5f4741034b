/* lr_find.c — the learning rate finder: a short training with growing rates. */
#include "base/memory.h"
#include "base/smooth.h"
#include "state.h"

#include <math.h>
#include <stdlib.h>

struct finder {
    ursa_callback callback;
    double start, end, best;
    int steps;
    bool stops;
    ursa_smooth smooth;
    ursa_lr_found *found;
    ursa_progress *bar;
};

static double rate_at(const struct finder *finder, int step)
{
    return finder->start * pow(finder->end / finder->start, (double)step / finder->steps);
}

static void add_point(struct finder *finder, double loss)
{
    ursa_lr_found *found = finder->found;
    found->lrs[found->count] = rate_at(finder, found->count);
    found->losses[found->count++] = loss;
}

/* A finder looks at every loss, so every step waits. */
static ursa_verdict after_batch(struct finder *finder, const ursa_training *training)
{
    double loss = ursa_smooth_add(&finder->smooth, ursa_item(training->loss), 0.98);
    add_point(finder, loss);
    ursa_progress_step(finder->bar, finder->found->count, NULL);
    if (isnan(loss)) /* and so would be all that follow */
        while (finder->found->count < finder->steps)
            add_point(finder, loss);
    if (loss < finder->best)
        finder->best = loss;
    bool diverges = finder->stops && loss > 4 * finder->best;
    return diverges || finder->found->count >= finder->steps ? URSA_STOP_FIT : URSA_CONTINUE;
}

static ursa_verdict on(ursa_callback *callback, ursa_learner *learner, ursa_event event)
{
    struct finder *finder = (struct finder *)callback;
    if (event == URSA_BEFORE_VALIDATE)
        return URSA_STOP_VALIDATE;
    if (event == URSA_BEFORE_BATCH)
        ursa_optimizer_set_lr(learner->optimizer, -1, rate_at(finder, finder->found->count));
    return event == URSA_AFTER_BATCH && learner->training.loss ? after_batch(finder, &learner->training)
                                                               : URSA_CONTINUE;
}

/* Everything before the first tenth and behind the last five points is left out, as fastai does. */
static void suggest(ursa_lr_found *found, int steps)
{
    int first = steps / 10, count = found->count - 5 - first;
    found->suggested = ursa_lr_suggest(found->lrs + first, found->losses + first, count > 0 ? count : 0);
}

static bool search(ursa_learner *learner, struct finder *finder)
{
    int64_t batches = ursa_dataloader_batches(learner->data->train);
    ursa_callback *callback = &finder->callback;
    finder->bar = ursa_progress_begin("learning rates", finder->steps);
    bool done = ursa_run_fit_with(learner, batches > 0 ? finder->steps / batches + 1 : 1, &callback, 1);
    ursa_progress_end(finder->bar);
    return done;
}

static bool make_room(ursa_lr_found *found, int steps)
{
    *found = (ursa_lr_found){.lrs = ursa_alloc_array((size_t)steps, sizeof *found->lrs),
                             .losses = ursa_alloc_array((size_t)steps, sizeof *found->losses)};
    return found->lrs && found->losses;
}

bool ursa_lr_find_opt(ursa_learner *learner, ursa_lr_found *found, const ursa_lr_find_options *options)
{
    int steps = options->num_it ? options->num_it : 100;
    steps = steps < 6 ? 6 : steps;
    struct finder finder = {
        .callback = {.name = "lr_find", .order = 20, .on = on},
        .start = options->start > 0 ? options->start : 1e-7,
        .end = options->end > 0 ? options->end : 10,
        .best = INFINITY,
        .steps = steps,
        .stops = !options->no_stop,
        .found = found,
    };
    if (!make_room(found, steps) || !learner)
        return false;
    ursa_state before = {0};
    learner->finding = true;
    bool taken = ursa_state_take_model(&before, learner) && ursa_state_take_optimizer(&before, learner) &&
                 ursa_state_take_training(&before, learner);
    bool done = taken && search(learner, &finder);
    learner->finding = false;
    done = taken && ursa_state_give_model(&before, learner) && ursa_state_give_optimizer(&before, learner) &&
           ursa_state_give_training(&before, learner) && done;
    ursa_state_clear(&before);
    if (done)
        suggest(found, steps);
    return done;
}

void ursa_lr_found_clear(ursa_lr_found *found)
{
    if (!found)
        return;
    free(found->lrs);
    free(found->losses);
    *found = (ursa_lr_found){0};
}
