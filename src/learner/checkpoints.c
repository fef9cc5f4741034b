/* checkpoints.c — files from which a training goes on as if it had never stopped. */
#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "state.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char file_format[] = "ursa-checkpoint";

struct place {
    int64_t fit, epochs, epoch, first_batch; /* where training goes on */
};

struct checkpoints {
    ursa_callback callback;
    ursa_checkpoints_options options;
    char *dir;
    bool looked; /* for a file to resume from */
    /* What is to be put back; `file` NULL when there is nothing. */
    ursa_safetensors *file;
    ursa_state state;
    struct place place;
};

/* ---- the folder ------------------------------------------------------------------------ */

static char *path_of(const struct checkpoints *checkpoints, int64_t step)
{
    return ursa_format("%s/step-%012lld.safetensors", checkpoints->dir, (long long)step);
}

/* The step of a file's name; -1 when it is none of ours, or only part of one. */
static int64_t step_of(const char *name)
{
    long long step;
    int length = 0;
    bool ours = sscanf(name, "step-%lld.safetensors%n", &step, &length) == 1 && length > 0 && !name[length];
    return ours && step >= 0 ? step : -1;
}

static int compare_steps(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x < y) - (x > y);
}

/* The steps that there are files of, newest first; -1 after an error. */
static int list_steps(const struct checkpoints *checkpoints, int64_t **steps)
{
    int count = 0;
    DIR *dir = opendir(checkpoints->dir);
    *steps = NULL;
    if (!dir)
        return errno == ENOENT ? 0 : (ursa_fail(URSA_ERROR_IO, "%s: %s", checkpoints->dir, strerror(errno)), -1);
    for (struct dirent *entry; (entry = readdir(dir)) && count >= 0;) {
        int64_t step = step_of(entry->d_name), *grown;
        if (step < 0)
            continue;
        grown = ursa_grow(*steps, (size_t)(count + 1) * sizeof *grown);
        if (grown)
            (*steps = grown)[count++] = step;
        else
            count = -1;
    }
    closedir(dir);
    if (count > 1)
        qsort(*steps, (size_t)count, sizeof **steps, compare_steps);
    return count;
}

static bool remove_old(const struct checkpoints *checkpoints)
{
    int64_t *steps;
    int count = list_steps(checkpoints, &steps);
    for (int i = checkpoints->options.keep; i < count; i++) {
        char *path = path_of(checkpoints, steps[i]);
        if (path && unlink(path) != 0 && errno != ENOENT)
            ursa_log_line(URSA_LOG_WARN, "%s: cannot be removed: %s", path, strerror(errno));
        free(path);
    }
    free(steps);
    return count >= 0;
}

/* What a process left that was killed while it wrote. */
static void remove_parts(const struct checkpoints *checkpoints)
{
    DIR *dir = opendir(checkpoints->dir);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        char *path = strncmp(entry->d_name, "step-", 5) == 0 && strstr(entry->d_name, ".safetensors.part-")
                         ? ursa_format("%s/%s", checkpoints->dir, entry->d_name)
                         : NULL;
        if (path)
            unlink(path);
        free(path);
    }
    if (dir)
        closedir(dir);
}

/* ---- saving --------------------------------------------------------------------------------- */

static bool save(struct checkpoints *checkpoints, ursa_learner *learner, int64_t epoch, int64_t first_batch)
{
    struct place place = {learner->fits, learner->training.epochs, epoch, first_batch};
    char *path = path_of(checkpoints, learner->training.step);
    ursa_state state = {0};
    bool saved = path && (mkdir(checkpoints->dir, 0777) == 0 || errno == EEXIST ||
                          ursa_fail(URSA_ERROR_IO, "%s: cannot be made: %s", checkpoints->dir, strerror(errno)));
    saved = saved && ursa_state_take_model(&state, learner) && ursa_state_take_optimizer(&state, learner) &&
            ursa_state_take_training(&state, learner) &&
            ursa_state_add_memory(&state, "checkpoint/", "place", &place, sizeof place) &&
            ursa_state_write(&state, path, file_format) && remove_old(checkpoints);
    ursa_state_clear(&state);
    free(path);
    return saved;
}

/* ---- resuming ----------------------------------------------------------------------------------- */

static void forget(struct checkpoints *checkpoints)
{
    ursa_safetensors_close(checkpoints->file);
    checkpoints->file = NULL;
    checkpoints->state = (ursa_state){0};
}

static bool look(struct checkpoints *checkpoints)
{
    int64_t *steps;
    int count = list_steps(checkpoints, &steps);
    checkpoints->looked = true;
    remove_parts(checkpoints);
    char *path = count > 0 ? path_of(checkpoints, steps[0]) : NULL;
    free(steps);
    if (!path)
        return count == 0;
    bool found = ursa_state_read(&checkpoints->state, path, file_format, &checkpoints->file);
    ursa_context_push("%s", path);
    found = found && ursa_state_get_memory(&checkpoints->state, "checkpoint/", "place", &checkpoints->place,
                                           sizeof checkpoints->place);
    ursa_context_pop();
    free(path);
    return found;
}

static bool fits_in(const struct place *place, const ursa_learner *learner)
{
    int64_t epochs = learner->training.epochs, batches = ursa_dataloader_batches(learner->data->train);
    if (place->epochs != epochs)
        return ursa_fail(URSA_ERROR_STATE, "it is of a fit of %lld epochs, and this one has %lld",
                         (long long)place->epochs, (long long)epochs);
    return (place->epoch >= 0 && place->epoch <= epochs && place->first_batch >= 0 && place->first_batch <= batches) ||
           ursa_fail(URSA_ERROR_STATE, "it is of batch %lld of epoch %lld, and there are %lld of %lld",
                     (long long)place->first_batch, (long long)place->epoch, (long long)batches, (long long)epochs);
}

static ursa_verdict resume(struct checkpoints *checkpoints, ursa_learner *learner)
{
    const struct place *place = &checkpoints->place;
    ursa_context_push("checkpoint in %s", checkpoints->dir);
    bool resumed = fits_in(place, learner) && ursa_state_give_model(&checkpoints->state, learner) &&
                   ursa_state_give_optimizer(&checkpoints->state, learner) &&
                   ursa_state_give_training(&checkpoints->state, learner);
    ursa_context_pop();
    learner->training.epoch = place->epoch;
    learner->first_batch = place->first_batch;
    if (place->first_batch == 0)
        forget(checkpoints);
    return resumed ? URSA_CONTINUE : URSA_FAIL;
}

static ursa_verdict before_fit(struct checkpoints *checkpoints, ursa_learner *learner)
{
    if (checkpoints->options.resume && !checkpoints->looked && !look(checkpoints))
        return URSA_FAIL;
    if (!checkpoints->file)
        return URSA_CONTINUE;
    if (learner->fits < checkpoints->place.fit)
        return URSA_STOP_FIT; /* done before the file was written */
    return resume(checkpoints, learner);
}

/* In the middle of an epoch: callbacks that were told of its beginning a second time are put back once more. */
static ursa_verdict before_train(struct checkpoints *checkpoints, ursa_learner *learner)
{
    if (!checkpoints->file)
        return URSA_CONTINUE;
    int64_t batches = ursa_dataloader_batches(learner->data->train);
    bool given = ursa_state_give_training(&checkpoints->state, learner);
    if (given && ursa_count(learner->losses) != batches)
        given = ursa_fail(URSA_ERROR_STATE, "checkpoint in %s: it is of epochs of %lld batches, and these have %lld",
                          checkpoints->dir, (long long)ursa_count(learner->losses), (long long)batches);
    learner->training.epoch = checkpoints->place.epoch;
    forget(checkpoints);
    return given ? URSA_CONTINUE : URSA_FAIL;
}

/* ---- the callback ------------------------------------------------------------------------------------ */

static bool is_due(int64_t done, int64_t every)
{
    return every > 0 && done % every == 0;
}

static ursa_verdict on(ursa_callback *callback, ursa_learner *learner, ursa_event event)
{
    struct checkpoints *checkpoints = (struct checkpoints *)callback;
    const ursa_training *training = &learner->training;
    bool saved = true;
    if (event == URSA_BEFORE_FIT)
        return before_fit(checkpoints, learner);
    if (event == URSA_BEFORE_TRAIN)
        return before_train(checkpoints, learner);
    if (event == URSA_AFTER_BATCH && training->training && is_due(training->step, checkpoints->options.every_steps))
        saved = save(checkpoints, learner, training->epoch, training->batch + 1);
    if (event == URSA_AFTER_EPOCH && is_due(training->epoch + 1, checkpoints->options.every_epochs))
        saved = save(checkpoints, learner, training->epoch + 1, 0);
    return saved ? URSA_CONTINUE : URSA_FAIL;
}

static void release(ursa_callback *callback)
{
    struct checkpoints *checkpoints = (struct checkpoints *)callback;
    forget(checkpoints);
    free(checkpoints->dir);
    free(checkpoints);
}

/* Last of all, so that what other callbacks did at an event is part of what is saved. */
enum { LAST = 200 };

ursa_callback *ursa_save_checkpoints_opt(const char *dir, const ursa_checkpoints_options *options)
{
    struct checkpoints *checkpoints =
        dir ? (struct checkpoints *)ursa_callback_make(sizeof *checkpoints, "checkpoints", LAST, on, release) : NULL;
    if (!checkpoints)
        return NULL;
    checkpoints->options = *options;
    if (options->every_steps <= 0 && options->every_epochs <= 0)
        checkpoints->options.every_epochs = 1;
    checkpoints->options.keep = options->keep > 0 ? options->keep : 2;
    checkpoints->dir = ursa_copy_string(dir);
    if (checkpoints->dir)
        return &checkpoints->callback;
    release(&checkpoints->callback);
    return NULL;
}
