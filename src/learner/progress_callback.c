/* progress_callback.c — a bar per epoch with the smoothed loss, and a table with a
 * line per epoch. */
#include "learner.h"
#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>

struct progress_callback {
    ursa_callback callback;
    ursa_progress *bar;
    double smoothed, weight; /* exponential average of the losses read, and the share of it that is known */
    double last_read;
};

/* Reading a loss waits for the device, so it happens twice a second at most. */
static void show_batch(struct progress_callback *progress, const ursa_training *training)
{
    char note[32];
    const char *shown = NULL;
    if (training->training && training->loss && ursa_seconds() - progress->last_read > 0.5) {
        double loss = ursa_item(training->loss);
        progress->smoothed = 0.9 * progress->smoothed + 0.1 * loss;
        progress->weight = 0.9 * progress->weight + 0.1;
        progress->last_read = ursa_seconds();
        snprintf(note, sizeof note, "loss %.4f", progress->smoothed / progress->weight);
        shown = note;
    }
    ursa_progress_step(progress->bar, training->batch + 1, shown);
}

static void begin_bar(struct progress_callback *progress, const ursa_training *training, int64_t batches)
{
    char label[64];
    if (training->training)
        snprintf(label, sizeof label, "epoch %lld/%lld", (long long)training->epoch + 1, (long long)training->epochs);
    else
        snprintf(label, sizeof label, "validating");
    ursa_progress_end(progress->bar);
    progress->bar = ursa_progress_begin(label, batches);
}

static void end_bar(struct progress_callback *progress)
{
    ursa_progress_end(progress->bar);
    progress->bar = NULL;
}

static void print_header(const ursa_learner *learner)
{
    printf("%-7s %-11s %-11s", "epoch", "train_loss", "valid_loss");
    for (int i = 0; i < learner->metric_count; i++)
        printf(" %-11s", learner->options.metrics[i].name);
    printf(" time\n");
    fflush(stdout);
}

static void print_epoch(ursa_learner *learner)
{
    const ursa_epoch_record *records;
    int count = ursa_epoch_records(learner, &records);
    const ursa_epoch_record *record = &records[count - 1];
    printf("%-7lld %-11.4f %-11.4f", (long long)learner->training.epoch + 1, record->train_loss, record->valid_loss);
    for (int i = 0; i < learner->metric_count; i++)
        printf(" %-11.4f", record->metrics[i]);
    int seconds = (int)(record->seconds + 0.5);
    printf(" %02d:%02d\n", seconds / 60, seconds % 60);
    fflush(stdout);
}

static ursa_verdict on(ursa_callback *callback, ursa_learner *learner, ursa_event event)
{
    struct progress_callback *progress = (struct progress_callback *)callback;
    const ursa_training *training = &learner->training;
    switch (event) {
    case URSA_BEFORE_FIT:
        print_header(learner);
        break;
    case URSA_BEFORE_TRAIN:
        begin_bar(progress, training, ursa_dataloader_batches(learner->data->train));
        break;
    case URSA_BEFORE_VALIDATE:
        begin_bar(progress, training, training->batches);
        break;
    case URSA_AFTER_BATCH:
        show_batch(progress, training);
        break;
    case URSA_AFTER_TRAIN:
    case URSA_AFTER_VALIDATE:
    case URSA_AFTER_FIT:
        end_bar(progress);
        break;
    case URSA_AFTER_EPOCH:
        end_bar(progress);
        print_epoch(learner);
        break;
    default:
        break;
    }
    return URSA_CONTINUE;
}

static void release(ursa_callback *callback)
{
    end_bar((struct progress_callback *)callback);
    free(callback);
}

ursa_callback *ursa_progress_callback(void)
{
    return ursa_callback_make(sizeof(struct progress_callback), "progress", 50, on, release);
}
