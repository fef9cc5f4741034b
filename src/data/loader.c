/* loader.c — batches, fetched ahead on the pool's threads.
 *
 * A ring of slots, each with host memory for one batch and the job that fills
 * it. Slots are filled in the order of batches and taken in the same order, so
 * what a batch holds never depends on timing.
 */
#include "dataset.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/error.h"
#include "base/parallel.h"

#include <stdlib.h>
#include <string.h>

struct slot {
    ursa_dataloader *loader;
    ursa_job *job;
    char *x, *y;
    int64_t first, wanted; /* positions in the epoch's order */
    int64_t count;         /* items that could be had */
    int64_t *indices;      /* which they are */
    int64_t skipped;
    char *problem; /* what was wrong with the first item skipped */
};

struct ursa_dataloader {
    ursa_dataset *dataset;
    ursa_dataloader_options options;
    size_t x_bytes, y_bytes;
    int64_t *order;
    int64_t items, epoch;
    int64_t to_start, to_take; /* batches begun and handed out in this epoch */
    int64_t skipped;
    int64_t *taken; /* of the last batch handed out: indices */
    struct slot *slots;
};

/* ---- making ------------------------------------------------------------------- */

static bool add_slots(ursa_dataloader *loader)
{
    size_t batch = (size_t)loader->options.batch_size;
    loader->slots = ursa_alloc_array((size_t)loader->options.prefetch, sizeof *loader->slots);
    loader->taken = ursa_alloc_array(batch, sizeof *loader->taken);
    for (int i = 0; loader->slots && i < loader->options.prefetch; i++) {
        struct slot *slot = &loader->slots[i];
        slot->loader = loader;
        slot->x = ursa_alloc_aligned(batch * loader->x_bytes + 1);
        slot->y = ursa_alloc_aligned(batch * loader->y_bytes + 1);
        slot->indices = ursa_alloc_array(batch, sizeof *slot->indices);
        if (!slot->x || !slot->y || !slot->indices)
            return false;
    }
    return loader->slots && loader->taken;
}

ursa_dataloader *ursa_dataloader_new_opt(ursa_dataset *dataset, const ursa_dataloader_options *options)
{
    if (!dataset)
        return NULL;
    ursa_dataloader *loader = ursa_alloc(sizeof *loader);
    if (!loader) {
        ursa_dataset_free(dataset);
        return NULL;
    }
    loader->dataset = dataset;
    loader->options = *options;
    loader->options.batch_size = options->batch_size ? options->batch_size : 64;
    loader->options.prefetch = options->prefetch > 0 ? options->prefetch : 2;
    loader->options.seed = options->seed ? options->seed : ursa_seed();
    loader->items = ursa_dataset_count(dataset);
    loader->x_bytes = ursa_x_bytes(&dataset->layout);
    loader->y_bytes = ursa_y_bytes(&dataset->layout);
    loader->order = ursa_alloc_array((size_t)loader->items + 1, sizeof *loader->order);
    bool fits =
        loader->options.batch_size > 0 ||
        ursa_fail(URSA_ERROR_ARGUMENT, "dataloader: batch_size is %d; it must be 1 or more", options->batch_size);
    if (!fits || !loader->order || !add_slots(loader)) {
        ursa_dataloader_free(loader);
        return NULL;
    }
    return loader;
}

/* Waits for what is under way, and forgets it, with what went wrong in it:
 * nobody asked for those batches. */
static void drain(ursa_dataloader *loader)
{
    ursa_error_state saved;
    ursa_error_set_aside(&saved);
    for (int i = 0; loader->slots && i < loader->options.prefetch; i++) {
        struct slot *slot = &loader->slots[i];
        ursa_job_wait(slot->job);
        slot->job = NULL;
        free(slot->problem);
        slot->problem = NULL;
    }
    ursa_error_restore(&saved);
    loader->to_start = loader->to_take = 0;
}

void ursa_dataloader_free(ursa_dataloader *loader)
{
    if (!loader)
        return;
    drain(loader);
    for (int i = 0; loader->slots && i < loader->options.prefetch; i++) {
        free(loader->slots[i].x);
        free(loader->slots[i].y);
        free(loader->slots[i].indices);
    }
    free(loader->taken);
    free(loader->slots);
    free(loader->order);
    ursa_dataset_free(loader->dataset);
    free(loader);
}

void ursa_dataloaders_free(ursa_dataloaders *loaders)
{
    if (!loaders)
        return;
    ursa_dataloader_free(loaders->train);
    ursa_dataloader_free(loaders->valid);
    free(loaders);
}

/* ---- fetching ------------------------------------------------------------------ */

/* Moves the error of an item that could not be had into the slot. */
static void note_problem(struct slot *slot)
{
    ursa_error_kind kind;
    char *message = ursa_error_take(&kind);
    slot->skipped++;
    if (slot->problem)
        free(message);
    else
        slot->problem = message;
}

static void fetch(void *context)
{
    struct slot *slot = context;
    ursa_dataloader *loader = slot->loader;
    for (int64_t i = 0; i < slot->wanted; i++) {
        int64_t index = loader->order[slot->first + i];
        ursa_rng rng = ursa_rng_new(loader->options.seed, URSA_PURPOSE_AUGMENT,
                                    (uint64_t)loader->epoch * (uint64_t)loader->items + (uint64_t)index);
        char *x = slot->x + (size_t)slot->count * loader->x_bytes, *y = slot->y + (size_t)slot->count * loader->y_bytes;
        if (ursa_dataset_get(loader->dataset, index, &rng, x, y))
            slot->indices[slot->count++] = index;
        else if (loader->options.strict)
            return;
        else
            note_problem(slot);
    }
}

static void start_next(ursa_dataloader *loader)
{
    int64_t batch = loader->to_start;
    if (batch >= ursa_dataloader_batches(loader))
        return;
    struct slot *slot = &loader->slots[batch % loader->options.prefetch];
    slot->first = batch * loader->options.batch_size;
    slot->wanted = loader->items - slot->first < loader->options.batch_size ? loader->items - slot->first
                                                                            : loader->options.batch_size;
    slot->count = slot->skipped = 0;
    slot->job = ursa_job_start(fetch, slot);
    loader->to_start++;
}

bool ursa_dataloader_start_at(ursa_dataloader *loader, int64_t epoch, int64_t batch)
{
    if (!loader)
        return false;
    if (batch < 0 || batch > ursa_dataloader_batches(loader))
        return ursa_fail(URSA_ERROR_ARGUMENT, "dataloader: batch %lld is outside 0 … %lld", (long long)batch,
                         (long long)ursa_dataloader_batches(loader));
    drain(loader);
    loader->to_start = loader->to_take = batch;
    for (int64_t i = 0; i < loader->items; i++)
        loader->order[i] = i;
    if (loader->options.shuffle) {
        ursa_rng rng = ursa_rng_new(loader->options.seed, URSA_PURPOSE_SHUFFLE, (uint64_t)epoch);
        ursa_rng_shuffle(&rng, loader->order, loader->items);
    }
    loader->epoch = epoch;
    for (int i = 0; i < loader->options.prefetch; i++)
        start_next(loader);
    return true;
}

bool ursa_dataloader_start(ursa_dataloader *loader, int64_t epoch)
{
    return ursa_dataloader_start_at(loader, epoch, 0);
}

/* [count, ...item] on the loader's device. */
static ursa_tensor *upload(const ursa_dataloader *loader, const void *data, int64_t count, ursa_dims item,
                           ursa_dtype dtype)
{
    ursa_dims shape = {.ndim = item.ndim + 1, .dim = {count}};
    memcpy(shape.dim + 1, item.dim, (size_t)item.ndim * sizeof *item.dim);
    return ursa_from(data, shape, .dtype = dtype, .device = loader->options.device);
}

static void report_skipped(ursa_dataloader *loader, struct slot *slot)
{
    if (slot->problem && loader->skipped == 0)
        ursa_log_line(URSA_LOG_WARN, "skipped: %s", slot->problem);
    loader->skipped += slot->skipped;
    free(slot->problem);
    slot->problem = NULL;
}

bool ursa_dataloader_next(ursa_dataloader *loader, ursa_batch *batch)
{
    *batch = (ursa_batch){0};
    while (loader && loader->to_take < loader->to_start) {
        struct slot *slot = &loader->slots[loader->to_take % loader->options.prefetch];
        bool fetched = slot->job && ursa_job_wait(slot->job);
        slot->job = NULL;
        loader->to_take++;
        if (!fetched)
            return false;
        report_skipped(loader, slot);
        const ursa_item_layout *layout = &loader->dataset->layout;
        if (slot->count > 0) {
            batch->x = upload(loader, slot->x, slot->count, layout->x_shape, layout->x_dtype);
            batch->y = upload(loader, slot->y, slot->count, layout->y_shape, layout->y_dtype);
            batch->count = slot->count;
            batch->indices = memcpy(loader->taken, slot->indices, (size_t)slot->count * sizeof *slot->indices);
        }
        bool usable = slot->count > 0;
        start_next(loader);
        if (usable)
            return batch->x && batch->y;
    }
    return false;
}

/* ---- asking ---------------------------------------------------------------------- */

int64_t ursa_dataloader_batches(const ursa_dataloader *loader)
{
    if (!loader)
        return 0;
    int64_t size = loader->options.batch_size;
    return loader->options.drop_last ? loader->items / size : (loader->items + size - 1) / size;
}

int64_t ursa_dataloader_items(const ursa_dataloader *loader)
{
    return loader ? loader->items : 0;
}

int ursa_dataloader_batch_size(const ursa_dataloader *loader)
{
    return loader ? loader->options.batch_size : 0;
}

ursa_dataset *ursa_dataloader_dataset(ursa_dataloader *loader)
{
    return loader ? loader->dataset : NULL;
}

int64_t ursa_dataloader_skipped(const ursa_dataloader *loader)
{
    return loader ? loader->skipped : 0;
}
