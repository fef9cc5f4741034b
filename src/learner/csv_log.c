/* csv_log.c — records as tables: a row per epoch, or a row per step. */
#include "learner.h"
#include "base/memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct csv_log {
    ursa_callback callback;
    char *path;
    FILE *file;
    bool (*write_header)(struct csv_log *log, ursa_learner *learner);
    /* What is known to be in the file: rows written after a checkpoint are dropped when training is resumed from it. */
    struct {
        int64_t rows, bytes;
    } state;
};

static bool written(struct csv_log *log)
{
    if (fflush(log->file) == 0 && !ferror(log->file)) {
        log->state.bytes = ftell(log->file);
        return true;
    }
    return ursa_fail(URSA_ERROR_IO, "%s: cannot be written: %s", log->path, strerror(errno));
}

static bool reopen(struct csv_log *log)
{
    log->file = fopen(log->path, "r+");
    return log->file && ftruncate(fileno(log->file), log->state.bytes) == 0 && fseek(log->file, 0, SEEK_END) == 0;
}

/* Opens the file at the first epoch and writes the header; later fits go on. */
static bool open_log(struct csv_log *log, ursa_learner *learner)
{
    if (log->file)
        return true;
    bool resumed = log->state.bytes > 0;
    bool opened = resumed ? reopen(log) : (log->file = fopen(log->path, "w")) != NULL;
    if (!opened)
        return ursa_fail(URSA_ERROR_IO, "%s: cannot be written: %s", log->path, strerror(errno));
    return resumed || (log->write_header(log, learner) && written(log));
}

static bool write_epoch_header(struct csv_log *log, ursa_learner *learner)
{
    fprintf(log->file, "epoch,train_loss,valid_loss");
    for (int i = 0; i < learner->metric_count; i++)
        fprintf(log->file, ",%s", learner->options.metrics[i].name);
    return fprintf(log->file, ",time\n") > 0;
}

static bool write_epoch(struct csv_log *log, ursa_learner *learner)
{
    const ursa_epoch_record *records;
    int count = ursa_epoch_records(learner, &records);
    const ursa_epoch_record *record = &records[count - 1];
    fprintf(log->file, "%d,%.6f,%.6f", count, record->train_loss, record->valid_loss);
    for (int i = 0; i < learner->metric_count; i++)
        fprintf(log->file, ",%.6f", record->metrics[i]);
    fprintf(log->file, ",%.2f\n", record->seconds);
    return written(log);
}

static ursa_verdict on_epoch(ursa_callback *callback, ursa_learner *learner, ursa_event event)
{
    struct csv_log *log = (struct csv_log *)callback;
    bool done = true;
    if (event == URSA_BEFORE_EPOCH)
        done = open_log(log, learner);
    if (event == URSA_AFTER_EPOCH)
        done = write_epoch(log, learner);
    return done ? URSA_CONTINUE : URSA_FAIL;
}

static bool write_step_header(struct csv_log *log, ursa_learner *learner)
{
    (void)learner;
    return fprintf(log->file, "step,loss,lr\n") > 0;
}

static bool write_steps(struct csv_log *log, ursa_learner *learner)
{
    const ursa_step_record *records;
    int64_t count = ursa_step_records(learner, &records);
    for (; log->state.rows < count; log->state.rows++)
        fprintf(log->file, "%lld,%.9g,%.9g\n", (long long)log->state.rows + 1, records[log->state.rows].loss,
                records[log->state.rows].lr);
    return written(log);
}

static ursa_verdict on_steps(ursa_callback *callback, ursa_learner *learner, ursa_event event)
{
    struct csv_log *log = (struct csv_log *)callback;
    bool done = true;
    if (event == URSA_BEFORE_EPOCH)
        done = open_log(log, learner);
    if (event == URSA_AFTER_TRAIN || (event == URSA_AFTER_FIT && log->file)) /* which comes first when a fit is ended */
        done = write_steps(log, learner);
    return done ? URSA_CONTINUE : URSA_FAIL;
}

static void release(ursa_callback *callback)
{
    struct csv_log *log = (struct csv_log *)callback;
    if (log->file)
        fclose(log->file);
    free(log->path);
    free(log);
}

static ursa_callback *make(const char *name, const char *path,
                           ursa_verdict (*on)(ursa_callback *, ursa_learner *, ursa_event),
                           bool (*write_header)(struct csv_log *, ursa_learner *))
{
    struct csv_log *log = path ? (struct csv_log *)ursa_callback_make(sizeof *log, name, 60, on, release) : NULL;
    if (log && !(log->path = ursa_copy_string(path))) {
        free(log);
        return NULL;
    }
    if (!log)
        return NULL;
    log->write_header = write_header;
    log->callback.state = &log->state;
    log->callback.state_bytes = sizeof log->state;
    return &log->callback;
}

ursa_callback *ursa_csv_log(const char *path)
{
    return make("csv_log", path, on_epoch, write_epoch_header);
}

ursa_callback *ursa_csv_step_log(const char *path)
{
    return make("csv_step_log", path, on_steps, write_step_header);
}
