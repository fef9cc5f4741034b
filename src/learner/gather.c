/* gather.c — the outputs of a whole set of items. They stay on the device batch by
 * batch and are read at once. */
#include "learner.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

/* ---- batch by batch --------------------------------------------------------------- */

/* The losses of items, whatever axes an item's loss has: their mean. */
static ursa_tensor *item_losses(const ursa_loss *loss, ursa_tensor *prediction, ursa_tensor *target)
{
    ursa_tensor *each = ursa_loss_value(loss, prediction, target, URSA_EACH);
    if (ursa_ndim(each) <= 1)
        return each;
    return ursa_mean(ursa_reshape(each, ursa_shape(ursa_dim(each, 0), -1)), ursa_axes(1), false);
}

static bool make_all(struct ursa_gathered_batch *batch, const ursa_loss *loss)
{
    batch->prediction = ursa_loss_activation(loss, batch->raw);
    batch->decoded = loss->class->decode ? ursa_loss_decode(loss, batch->prediction) : NULL;
    batch->losses = batch->target ? item_losses(loss, batch->raw, batch->target) : NULL;
    return batch->prediction && (batch->decoded || !loss->class->decode) && (batch->losses || !batch->target);
}

static bool add_indices(struct ursa_gathered *gathered, const ursa_training *training)
{
    int64_t *grown =
        ursa_grow(gathered->indices, (size_t)(gathered->items + training->items) * sizeof *gathered->indices);
    if (!grown)
        return false;
    gathered->indices = grown;
    memcpy(grown + gathered->items, training->indices, (size_t)training->items * sizeof *grown);
    gathered->items += training->items;
    return true;
}

bool ursa_gather_batch(struct ursa_gathered *gathered, ursa_learner *learner, bool all)
{
    const ursa_training *training = &learner->training;
    struct ursa_gathered_batch *grown =
        ursa_grow(gathered->batches, (size_t)(gathered->count + 1) * sizeof *gathered->batches);
    if (!grown)
        return false;
    gathered->batches = grown;
    struct ursa_gathered_batch *batch = &grown[gathered->count];
    *batch = (struct ursa_gathered_batch){.raw = training->prediction, .target = training->y};
    if ((all && !make_all(batch, &learner->options.loss)) || !add_indices(gathered, training))
        return false;
    ursa_promote(batch->raw);
    ursa_promote(batch->target);
    ursa_promote(batch->prediction);
    ursa_promote(batch->decoded);
    ursa_promote(batch->losses);
    gathered->count++;
    return true;
}

void ursa_gathered_clear(struct ursa_gathered *gathered)
{
    free(gathered->batches);
    free(gathered->indices);
    *gathered = (struct ursa_gathered){0};
}

/* ---- all of them ---------------------------------------------------------------------- */

/* One of a batch's tensors, by its place in the struct. */
static ursa_tensor *member(const struct ursa_gathered_batch *batch, size_t offset)
{
    return *(ursa_tensor *const *)((const char *)batch + offset);
}

/* Reads one tensor of all batches, one after the other, as f32 or i64. `shape` gets that of one item. */
static bool read_member(const struct ursa_gathered *gathered, size_t offset, ursa_dtype dtype, void **out,
                        ursa_dims *shape)
{
    *out = NULL;
    if (!member(&gathered->batches[0], offset))
        return true;
    ursa_scope *scope = ursa_scope_begin();
    ursa_tensor **parts = ursa_alloc_array((size_t)gathered->count, sizeof *parts);
    for (int i = 0; parts && i < gathered->count; i++)
        parts[i] = member(&gathered->batches[i], offset);
    ursa_tensor *whole = parts ? ursa_concat(parts, gathered->count, 0) : NULL;
    int64_t count = ursa_count(whole);
    *out = whole ? ursa_alloc_array((size_t)count + 1, ursa_dtype_size(dtype)) : NULL;
    bool read = *out && ursa_read(whole, dtype, *out, count);
    if (read) {
        ursa_dims dims = ursa_dims_of(whole);
        *shape = (ursa_dims){.ndim = dims.ndim - 1};
        memcpy(shape->dim, dims.dim + 1, (size_t)shape->ndim * sizeof *shape->dim);
    }
    free(parts);
    ursa_scope_end(scope);
    return read;
}

static int64_t elements(ursa_dims shape)
{
    int64_t count = 1;
    for (int axis = 0; axis < shape.ndim; axis++)
        count *= shape.dim[axis];
    return count;
}

static bool is_float(const ursa_tensor *tensor)
{
    return tensor && ursa_dtype_is_float(ursa_dtype_of(tensor));
}

#define MEMBER(name) offsetof(struct ursa_gathered_batch, name)

static bool read_all(const struct ursa_gathered *gathered, ursa_outputs *outputs)
{
    const struct ursa_gathered_batch *first = &gathered->batches[0];
    ursa_dims ignored;
    bool values = is_float(first->target), decoded_values = is_float(first->decoded);
    void **target = values ? (void **)&outputs->values : (void **)&outputs->classes;
    void **decoded = decoded_values ? (void **)&outputs->decoded_values : (void **)&outputs->decoded;
    return read_member(gathered, MEMBER(raw), URSA_F32, (void **)&outputs->raw, &outputs->shape) &&
           read_member(gathered, MEMBER(target), values ? URSA_F32 : URSA_I64, target, &outputs->target_shape) &&
           read_member(gathered, MEMBER(prediction), URSA_F32, (void **)&outputs->predictions, &ignored) &&
           read_member(gathered, MEMBER(decoded), decoded_values ? URSA_F32 : URSA_I64, decoded, &ignored) &&
           read_member(gathered, MEMBER(losses), URSA_F32, (void **)&outputs->losses, &ignored);
}

ursa_outputs *ursa_gather_read(const struct ursa_gathered *gathered)
{
    if (gathered->count == 0) {
        ursa_fail(URSA_ERROR_ARGUMENT, "get_preds: the loader gave no items");
        return NULL;
    }
    ursa_outputs *outputs = ursa_alloc(sizeof *outputs);
    if (!outputs)
        return NULL;
    outputs->count = gathered->items;
    outputs->indices = ursa_alloc_array((size_t)gathered->items + 1, sizeof *outputs->indices);
    if (!outputs->indices || !read_all(gathered, outputs)) {
        ursa_outputs_free(outputs);
        return NULL;
    }
    memcpy(outputs->indices, gathered->indices, (size_t)gathered->items * sizeof *outputs->indices);
    outputs->size = elements(outputs->shape);
    outputs->target_size = elements(outputs->target_shape);
    return outputs;
}

void ursa_outputs_free(ursa_outputs *outputs)
{
    if (!outputs)
        return;
    free(outputs->raw);
    free(outputs->predictions);
    free(outputs->classes);
    free(outputs->values);
    free(outputs->decoded);
    free(outputs->decoded_values);
    free(outputs->losses);
    free(outputs->indices);
    free(outputs);
}

/* ---- predictions --------------------------------------------------------------------------- */

static ursa_verdict predict_batch(ursa_learner *learner, void *context)
{
    ursa_verdict verdict = ursa_run_forward(learner);
    if (verdict != URSA_CONTINUE)
        return verdict;
    return ursa_gather_batch(context, learner, true) ? URSA_CONTINUE : URSA_FAIL;
}

ursa_outputs *ursa_predict_epoch(ursa_learner *learner, ursa_dataloader *loader, int64_t epoch)
{
    ursa_scope *scope = ursa_scope_begin();
    struct ursa_gathered gathered = {0};
    ursa_verdict verdict = ursa_run_evaluation(learner, loader, epoch, predict_batch, &gathered);
    ursa_outputs *outputs = verdict == URSA_FAIL ? NULL : ursa_gather_read(&gathered);
    ursa_gathered_clear(&gathered);
    ursa_scope_end(scope);
    return outputs;
}

ursa_outputs *ursa_get_preds(ursa_learner *learner, ursa_dataloader *loader)
{
    if (!learner)
        return NULL;
    loader = loader ? loader : learner->data->valid;
    if (loader)
        return ursa_predict_epoch(learner, loader, 0);
    ursa_fail(URSA_ERROR_ARGUMENT, "get_preds: the learner has no validation data; name a loader");
    return NULL;
}
