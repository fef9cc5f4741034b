/* dataloaders.c — a training and a validation loader that belong together. */
#include "dataloaders.h"
#include "datablock.h"
#include "dataset.h"
#include "transform_list.h"
#include "base/memory.h"
#include "base/owned.h"

#include <stdlib.h>
#include <string.h>

/* What is handed out, and how ursa_finish() finds it. */
struct listed {
    ursa_dataloaders loaders;
    ursa_owned owned;
};

static void free_listed(void *object)
{
    struct listed *listed = object;
    ursa_disown(&listed->owned);
    ursa_dataloader_free(listed->loaders.train);
    ursa_dataloader_free(listed->loaders.valid);
    ursa_dataloader_free(listed->loaders.test);
    ursa_datablock_free(listed->loaders.block);
    free(listed);
}

void ursa_dataloaders_free(ursa_dataloaders *loaders)
{
    if (loaders)
        free_listed(loaders);
}

/* ---- making -------------------------------------------------------------------- */

static ursa_dataloader *make_train(ursa_dataset *train, const ursa_transform *batch_tfms,
                                   const ursa_dataloaders_options *options, int batch)
{
    int64_t items = ursa_dataset_count(train);
    ursa_dataloader_options filled = {
        .batch_size = items > 0 && items < batch ? (int)items : batch,
        .shuffle = !options->keep_order && !options->weights && !options->balance,
        .weights = options->weights,
        .balance = options->balance,
        .drop_last = !options->keep_last,
        .training = true,
        .strict = options->strict,
        .seed = options->seed,
        .prefetch = options->prefetch,
        .device = options->device,
    };
    memcpy(filled.batch_tfms, batch_tfms, sizeof filled.batch_tfms);
    return ursa_dataloader_new_opt(train, &filled);
}

int ursa_valid_batch_size(const ursa_dataloaders_options *options)
{
    int batch = options->batch_size ? options->batch_size : 64;
    return options->valid_batch_size ? options->valid_batch_size : 2 * batch;
}

static ursa_dataloader *make_valid(ursa_dataset *valid, const ursa_transform *batch_tfms,
                                   const ursa_dataloaders_options *options)
{
    ursa_dataloader_options filled = {
        .batch_size = ursa_valid_batch_size(options),
        .strict = options->strict,
        .seed = options->seed,
        .prefetch = options->prefetch,
        .device = options->device,
    };
    memcpy(filled.batch_tfms, batch_tfms, sizeof filled.batch_tfms);
    return ursa_dataloader_new_opt(valid, &filled);
}

static bool check_sizes(const ursa_dataloaders_options *options)
{
    if (options->batch_size < 0)
        return ursa_fail(URSA_ERROR_ARGUMENT, "dataloaders: batch_size is %d; expected 1 or more", options->batch_size);
    if (options->valid_batch_size < 0)
        return ursa_fail(URSA_ERROR_ARGUMENT, "dataloaders: valid_batch_size is %d; expected 1 or more",
                         options->valid_batch_size);
    return true;
}

ursa_dataloaders *ursa_dataloaders_make(ursa_dataset *train, ursa_dataset *valid, ursa_datablock *block,
                                        const ursa_transform *batch_tfms, const ursa_dataloaders_options *options)
{
    struct listed *listed = ursa_alloc(sizeof *listed);
    if (!listed || !check_sizes(options)) {
        free(listed);
        ursa_dataset_free(train);
        ursa_dataset_free(valid);
        ursa_datablock_free(block);
        return NULL;
    }
    int batch = options->batch_size ? options->batch_size : 64;
    ursa_own(&listed->owned, listed, free_listed);
    listed->loaders.block = block;
    listed->loaders.options = *options;
    listed->loaders.options.weights = NULL;
    listed->loaders.train = make_train(train, batch_tfms, options, batch);
    listed->loaders.valid = make_valid(valid, batch_tfms, options);
    if ((train && !listed->loaders.train) || (valid && !listed->loaders.valid)) {
        free_listed(listed);
        return NULL;
    }
    return &listed->loaders;
}

ursa_dataloaders *ursa_dataloaders_from_datasets_opt(ursa_dataset *train, ursa_dataset *valid,
                                                     const ursa_dataloaders_options *options)
{
    if (!train && !valid)
        return NULL;
    return ursa_dataloaders_make(train, valid, NULL, options->batch_tfms, options);
}

/* ---- asking ----------------------------------------------------------------------- */

static ursa_dataset *any_dataset(const ursa_dataloaders *loaders)
{
    return ursa_dataloader_dataset(loaders->train ? loaders->train : loaders->valid);
}

const ursa_item_layout *ursa_dataloaders_layout(const ursa_dataloaders *loaders)
{
    return loaders ? ursa_dataset_layout(any_dataset(loaders)) : NULL;
}

static const ursa_block *target_block(const ursa_dataloaders *loaders)
{
    const ursa_datablock_options *options = ursa_datablock_options_of(loaders->block);
    return options && options->blocks[1].class ? &options->blocks[1] : NULL;
}

int ursa_dataloaders_vocab(const ursa_dataloaders *loaders, const char *const **names)
{
    const ursa_block *block = loaders ? target_block(loaders) : NULL;
    if (names)
        *names = block ? block->vocab : NULL;
    if (block || !loaders)
        return block ? ursa_vocab_count(block->vocab) : 0;
    return ursa_dataset_classes(any_dataset(loaders), names);
}

/* Of a dataset of somebody's own, from its layout. */
static int64_t outputs_of_layout(const ursa_item_layout *layout)
{
    if (!layout || layout->unlabelled || layout->y_dtype != URSA_F32)
        return 0;
    int64_t count = 1;
    for (int axis = 0; axis < layout->y_shape.ndim; axis++)
        count *= layout->y_shape.dim[axis];
    return count;
}

int64_t ursa_dataloaders_outputs(const ursa_dataloaders *loaders)
{
    if (!loaders)
        return -1;
    const ursa_block *block = target_block(loaders);
    int64_t count = block && block->class->outputs ? block->class->outputs(block) : 0;
    if (!block)
        count = ursa_dataloaders_vocab(loaders, NULL);
    if (count == 0)
        count = outputs_of_layout(ursa_dataloaders_layout(loaders));
    if (count > 0)
        return count;
    ursa_fail(URSA_ERROR_STATE, "dataloaders: the targets do not say how many outputs a network needs%s",
              block ? "; give their block a .vocab or a .count" : "");
    return -1;
}

bool ursa_dataloaders_append_batch_tfm(ursa_dataloaders *loaders, ursa_transform added)
{
    if (!loaders)
        return false;
    ursa_dataloader *const all[] = {loaders->train, loaders->valid, loaders->test};
    for (int i = 0; i < 3; i++)
        if (all[i] && !ursa_dataloader_append_batch_tfm(all[i], added))
            return false;
    return !loaders->block || ursa_transforms_append(loaders->block->options.batch_tfms, added);
}
