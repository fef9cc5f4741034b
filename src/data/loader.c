/* loader.c — batches, fetched ahead on the pool's threads.
 *
 * A ring of slots, each with host memory for one batch and the job that fills
 * it. Slots are filled in the order of batches and taken in the same order, so
 * what a batch holds never depends on timing.
 */
#include "dataset.h"
#include "order.h"
#include "transform_list.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/error.h"
#include "base/parallel.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_PREFETCH = 16 };

/* An item that could not be had, and why. */
struct problem {
    int64_t index;
    char *message;
};

struct slot {
    ursa_dataloader *loader;
    ursa_job *job;
    char *x, *y;
    int64_t first, wanted; /* positions in the epoch's order */
    int64_t count;         /* items that could be had: */
    int64_t *indices;
    uint64_t *streams;
    struct problem *problems;
    int64_t problem_count;
};

struct ursa_dataloader {
    ursa_dataset *dataset;
    ursa_dataloader_options options;
    size_t x_bytes, y_bytes;
    ursa_order order;
    int64_t to_start, to_take; /* batches begun and handed out in this epoch */
    int64_t skipped;
    bool *reported; /* of every item, whether it has been skipped before */
    struct slot *slots;
    int64_t *taken;  /* of the last batch handed out: indices */
    ursa_rng *draws; /* and the random streams of its transforms */
};

/* ---- making ------------------------------------------------------------------- */

static bool add_slots(ursa_dataloader *loader)
{
    size_t batch = (size_t)loader->options.batch_size;
    loader->slots = ursa_alloc_array((size_t)loader->options.prefetch, sizeof *loader->slots);
    for (int i = 0; loader->slots && i < loader->options.prefetch; i++) {
        struct slot *slot = &loader->slots[i];
        slot->loader = loader;
        slot->x = ursa_alloc_aligned(batch * loader->x_bytes + 1);
        slot->y = ursa_alloc_aligned(batch * loader->y_bytes + 1);
        slot->indices = ursa_alloc_array(batch, sizeof *slot->indices);
        slot->streams = ursa_alloc_array(batch, sizeof *slot->streams);
        slot->problems = ursa_alloc_array(batch, sizeof *slot->problems);
        if (!slot->x || !slot->y || !slot->indices || !slot->streams || !slot->problems)
            return false;
    }
    loader->taken = ursa_alloc_array(batch, sizeof *loader->taken);
    loader->draws = ursa_alloc_array(batch, sizeof *loader->draws);
    return loader->slots && loader->taken && loader->draws;
}

/* A batch is fetched by one thread, so there are enough for all of them. */
static int default_prefetch(void)
{
    int threads = ursa_threads();
    return threads < 2 ? 2 : threads > MOST_PREFETCH ? MOST_PREFETCH : threads;
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
    loader->options.prefetch = options->prefetch > 0 ? options->prefetch : default_prefetch();
    loader->options.seed = options->seed ? options->seed : ursa_seed();
    loader->options.weights = NULL; /* the caller's; the order has its own copy */
    loader->x_bytes = ursa_x_bytes(&dataset->layout);
    loader->y_bytes = ursa_y_bytes(&dataset->layout);
    loader->reported = ursa_alloc_array((size_t)ursa_dataset_count(dataset) + 1, sizeof *loader->reported);
    bool fits =
        loader->options.batch_size > 0 ||
        ursa_fail(URSA_ERROR_ARGUMENT, "dataloader: batch_size is %d; it must be 1 or more", options->batch_size);
    if (!fits || !loader->reported || !ursa_order_make(&loader->order, dataset, options) || !add_slots(loader)) {
        ursa_dataloader_free(loader);
        return NULL;
    }
    return loader;
}

static void forget_problems(struct slot *slot)
{
    for (int64_t i = 0; i < slot->problem_count; i++)
        free(slot->problems[i].message);
    slot->problem_count = 0;
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
        forget_problems(slot);
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
        struct slot *slot = &loader->slots[i];
        free(slot->x);
        free(slot->y);
        free(slot->indices);
        free(slot->streams);
        free(slot->problems);
    }
    free(loader->slots);
    free(loader->taken);
    free(loader->draws);
    free(loader->reported);
    ursa_order_clear(&loader->order);
    ursa_dataset_free(loader->dataset);
    free(loader);
}

/* ---- fetching ------------------------------------------------------------------ */

/* Whether the latched error is the fault of one item, which the others can do
 * without, rather than of all. */
static bool is_of_one_item(const ursa_dataloader *loader)
{
    ursa_error_kind kind = ursa_error_kind_of();
    return !loader->options.strict && (kind == URSA_ERROR_IO || kind == URSA_ERROR_FORMAT);
}

/* Moves the error of an item that could not be had into the slot. */
static void note_problem(struct slot *slot, int64_t index)
{
    ursa_error_kind kind;
    slot->problems[slot->problem_count++] = (struct problem){index, ursa_error_take(&kind)};
}

static void fetch(void *context)
{
    struct slot *slot = context;
    ursa_dataloader *loader = slot->loader;
    for (int64_t i = 0; i < slot->wanted; i++) {
        int64_t index = loader->order.index[slot->first + i];
        uint64_t stream = loader->order.stream[slot->first + i];
        ursa_rng rng = ursa_rng_new(loader->options.seed, URSA_PURPOSE_AUGMENT, stream);
        char *x = slot->x + (size_t)slot->count * loader->x_bytes;
        char *y = loader->dataset->layout.unlabelled ? NULL : slot->y + (size_t)slot->count * loader->y_bytes;
        if (ursa_dataset_get(loader->dataset, index, &rng, x, y)) {
            slot->indices[slot->count] = index;
            slot->streams[slot->count++] = stream;
        } else if (is_of_one_item(loader)) {
            note_problem(slot, index);
        } else {
            return;
        }
    }
}

static void start_next(ursa_dataloader *loader)
{
    int64_t batch = loader->to_start, left;
    if (batch >= ursa_dataloader_batches(loader))
        return;
    struct slot *slot = &loader->slots[batch % loader->options.prefetch];
    slot->first = batch * loader->options.batch_size;
    left = loader->order.count - slot->first;
    slot->wanted = left < loader->options.batch_size ? left : loader->options.batch_size;
    slot->count = slot->problem_count = 0;
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
    if (!ursa_order_draw(&loader->order, &loader->options, epoch))
        return false;
    loader->to_start = loader->to_take = batch;
    for (int i = 0; i < loader->options.prefetch; i++)
        start_next(loader);
    return true;
}

bool ursa_dataloader_start(ursa_dataloader *loader, int64_t epoch)
{
    return ursa_dataloader_start_at(loader, epoch, 0);
}

/* ---- handing out ----------------------------------------------------------------- */

/* [count, ...item] on the loader's device. */
static ursa_tensor *upload(const ursa_dataloader *loader, const void *data, int64_t count, ursa_dims item,
                           ursa_dtype dtype)
{
    ursa_dims shape = {.ndim = item.ndim + 1, .dim = {count}};
    memcpy(shape.dim + 1, item.dim, (size_t)item.ndim * sizeof *item.dim);
    return ursa_from(data, shape, .dtype = dtype, .device = loader->options.device);
}

static bool has_transforms(const ursa_dataloader *loader)
{
    const ursa_item_layout *layout = &loader->dataset->layout;
    return loader->options.batch_tfms[0].class || layout->x_kind != URSA_KIND_TENSOR ||
           (!layout->unlabelled && layout->y_kind != URSA_KIND_TENSOR);
}

static bool transform(ursa_dataloader *loader, const struct slot *slot, ursa_batch *batch)
{
    const ursa_item_layout *layout = &loader->dataset->layout;
    for (int64_t i = 0; i < slot->count; i++)
        loader->draws[i] = ursa_rng_new(loader->options.seed, URSA_PURPOSE_AUGMENT_BATCH, slot->streams[i]);
    ursa_transform_batch changing = {batch->x, batch->y, layout->x_kind, layout->y_kind, slot->count, loader->draws};
    if (!ursa_transform_run_batch(loader->options.batch_tfms, loader->options.training, &changing))
        return false;
    batch->x = changing.x;
    batch->y = changing.y;
    return true;
}

static bool hand_out(ursa_dataloader *loader, const struct slot *slot, ursa_batch *batch)
{
    const ursa_item_layout *layout = &loader->dataset->layout;
    ursa_scope *scope = ursa_scope_begin();
    ursa_no_grad_begin();
    batch->x = upload(loader, slot->x, slot->count, layout->x_shape, layout->x_dtype);
    if (!layout->unlabelled)
        batch->y = upload(loader, slot->y, slot->count, layout->y_shape, layout->y_dtype);
    batch->count = slot->count;
    batch->indices = memcpy(loader->taken, slot->indices, (size_t)slot->count * sizeof *slot->indices);
    bool whole =
        batch->x && (batch->y || layout->unlabelled) && (!has_transforms(loader) || transform(loader, slot, batch));
    ursa_no_grad_end();
    ursa_promote(batch->x);
    ursa_promote(batch->y);
    ursa_scope_end(scope);
    if (!whole)
        *batch = (ursa_batch){0};
    return whole;
}

static void report_problems(ursa_dataloader *loader, struct slot *slot)
{
    for (int64_t i = 0; i < slot->problem_count; i++) {
        const struct problem *problem = &slot->problems[i];
        if (!loader->reported[problem->index])
            ursa_log_line(URSA_LOG_WARN, "skipped: %s", problem->message ? problem->message : "out of memory");
        loader->reported[problem->index] = true;
    }
    loader->skipped += slot->problem_count;
    forget_problems(slot);
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
        report_problems(loader, slot);
        bool empty = slot->count == 0, whole = !empty && hand_out(loader, slot, batch);
        start_next(loader);
        if (!empty)
            return whole;
    }
    return false;
}

/* ---- asking ---------------------------------------------------------------------- */

int64_t ursa_dataloader_batches(const ursa_dataloader *loader)
{
    if (!loader)
        return 0;
    int64_t size = loader->options.batch_size;
    return loader->options.drop_last ? loader->order.count / size : (loader->order.count + size - 1) / size;
}

int64_t ursa_dataloader_items(const ursa_dataloader *loader)
{
    return loader ? loader->order.items : 0;
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

const ursa_dataloader_options *ursa_dataloader_options_of(const ursa_dataloader *loader)
{
    return loader ? &loader->options : NULL;
}

bool ursa_dataloader_append_batch_tfm(ursa_dataloader *loader, ursa_transform added)
{
    return loader && ursa_transforms_append(loader->options.batch_tfms, added);
}

ursa_tensor *ursa_dataloader_decode(const ursa_dataloader *loader, ursa_tensor *x)
{
    return loader && x ? ursa_transform_decode(loader->options.batch_tfms, x) : NULL;
}

ursa_dataloader *ursa_dataloader_in_order(const ursa_dataloader *loader, bool training)
{
    if (!loader)
        return NULL;
    ursa_dataloader_options options = loader->options;
    options.shuffle = options.balance = options.drop_last = false;
    options.training = training;
    return ursa_dataloader_new_opt(ursa_dataset_with_training(loader->dataset, training), &options);
}
