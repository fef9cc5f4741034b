/* csv_log.c — records as tables: a row per epoch, or a row per step. */
#include "learner.h"
#include "base/memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct csv_log {
    ursa_callback callback;
    char *path;
    FILE *file;
    int64_t rows; /* steps written so far */
};

static bool written(const struct csv_log *log)
{
    if (fflush(log->file) == 0 && !ferror(log->file))
        return true;
    return ursa_fail(URSA_ERROR_IO, "%s: cannot be written: %s", log->path, strerror(errno));
}

/* Opens the file at the first fit and writes the header; later fits go on. */
static bool open_log(struct csv_log *log)
{
    if (log->file)
        return true;
    log->file = fopen(log->path, "w");
    return log->file || ursa_fail(URSA_ERROR_IO, "%s: cannot be written: %s", log->path, strerror(errno));
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
    if (event == URSA_BEFORE_FIT && !log->file) {
        if (!open_log(log))
            return URSA_FAIL;
        fprintf(log->file, "epoch,train_loss,valid_loss");
        for (int i = 0; i < learner->metric_count; i++)
            fprintf(log->file, ",%s", learner->options.metrics[i].name);
        fprintf(log->file, ",time\n");
        return written(log) ? URSA_CONTINUE : URSA_FAIL;
    }
    if (event == URSA_AFTER_EPOCH && !write_epoch(log, learner))
        return URSA_FAIL;
    return URSA_CONTINUE;
}

static bool write_steps(struct csv_log *log, ursa_learner *learner)
{
    const ursa_step_record *records;
    int64_t count = ursa_step_records(learner, &records);
    for (; log->rows < count; log->rows++)
        fprintf(log->file, "%lld,%.9g,%.9g\n", (long long)log->rows + 1, records[log->rows].loss,
                records[log->rows].lr);
    return written(log);
}

static ursa_verdict on_steps(ursa_callback *callback, ursa_learner *learner, ursa_event event)
{
    struct csv_log *log = (struct csv_log *)callback;
    if (event == URSA_BEFORE_FIT && !log->file) {
        if (!open_log(log))
            return URSA_FAIL;
        fprintf(log->file, "step,loss,lr\n");
        return written(log) ? URSA_CONTINUE : URSA_FAIL;
    }
    if (event == URSA_AFTER_TRAIN && !write_steps(log, learner))
        return URSA_FAIL;
    return URSA_CONTINUE;
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
                           ursa_verdict (*on)(ursa_callback *, ursa_learner *, ursa_event))
{
    struct csv_log *log = (struct csv_log *)ursa_callback_make(sizeof *log, name, 60, on, release);
    if (log && !(log->path = ursa_copy_string(path))) {
        free(log);
        return NULL;
    }
    return log ? &log->callback : NULL;
}

ursa_callback *ursa_csv_log(const char *path)
{
    return make("csv_log", path, on_epoch);
}

ursa_callback *ursa_csv_step_log(const char *path)
{
    return make("csv_step_log", path, on_steps);
}
