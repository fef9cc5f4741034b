/* block_loaders.c — loaders from data blocks. */
#include "dataloaders.h"
#include "datablock.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

/* Weights of the training items, from those of all the source's, to free(). NULL
 * without an error when none were given. */
static double *training_weights(const ursa_split_items *split, const double *weights)
{
    double *picked = weights ? ursa_alloc_array((size_t)split->items->count + 1, sizeof *picked) : NULL;
    for (int64_t i = 0, kept = 0; picked && i < split->items->count; i++)
        if (split->parts[i] == URSA_PART_TRAIN)
            picked[kept++] = weights[split->source[i]];
    return picked;
}

ursa_dataloaders *ursa_dataloaders_new_opt(const ursa_datablock *block, const ursa_source *source,
                                           const ursa_dataloaders_options *options)
{
    ursa_split_items split;
    ursa_dataset *train = NULL, *valid = NULL;
    ursa_dataloaders *loaders = NULL;
    bool labelled = block && block->options.blocks[1].class;
    if (!ursa_split_items_make(block, source, labelled, true, options->strict, &split))
        return NULL;
    ursa_dataloaders_options filled = *options;
    filled.weights = training_weights(&split, options->weights);
    if ((filled.weights || !options->weights) && ursa_split_items_dataset(&split, URSA_PART_TRAIN, &train) &&
        ursa_split_items_dataset(&split, URSA_PART_VALID, &valid)) {
        ursa_datablock *settled = ursa_datablock_retain(split.items->block);
        loaders = ursa_dataloaders_make(train, valid, settled, settled->options.batch_tfms, &filled);
        if (loaders)
            loaders->skipped = split.skipped;
    } else {
        ursa_dataset_free(train);
    }
    free((void *)filled.weights);
    ursa_split_items_clear(&split);
    return loaders;
}

ursa_dataloaders *ursa_dataloaders_without_data_opt(const ursa_datablock *block,
                                                    const ursa_dataloaders_options *options)
{
    ursa_datablock *copy = ursa_datablock_copy(block);
    return copy ? ursa_dataloaders_make(NULL, NULL, copy, copy->options.batch_tfms, options) : NULL;
}

/* ---- further items --------------------------------------------------------------------- */

/* As a validation loader of theirs would have. */
static ursa_dataloader_options test_options(const ursa_dataloaders *loaders)
{
    ursa_dataloader_options options = {
        .batch_size = ursa_valid_batch_size(&loaders->options),
        .strict = loaders->options.strict,
        .seed = loaders->options.seed,
        .prefetch = loaders->options.prefetch,
        .device = loaders->options.device,
    };
    memcpy(options.batch_tfms, loaders->block->options.batch_tfms, sizeof options.batch_tfms);
    return options;
}

ursa_dataloader *ursa_test_loader_of(ursa_dataloaders *loaders, const ursa_source *source)
{
    ursa_split_items split;
    ursa_dataset *items = NULL;
    if (!loaders)
        return NULL;
    if (!loaders->block) {
        ursa_fail(URSA_ERROR_STATE, "test_loader: these dataloaders were not made of a data block");
        return NULL;
    }
    if (!ursa_split_items_make(loaders->block, source, false, false, loaders->options.strict, &split))
        return NULL;
    for (int64_t i = 0; i < split.items->count; i++)
        split.parts[i] = URSA_PART_VALID;
    bool made = ursa_split_items_dataset(&split, URSA_PART_VALID, &items);
    ursa_split_items_clear(&split);
    ursa_dataloader_options options = test_options(loaders);
    return made ? ursa_dataloader_new_opt(items, &options) : NULL;
}

ursa_dataloader *ursa_test_loader(ursa_dataloaders *loaders, const char *const *paths, int64_t count)
{
    ursa_data_item *items = loaders ? ursa_alloc_array((size_t)count + 1, sizeof *items) : NULL;
    for (int64_t i = 0; items && i < count; i++)
        items[i].path = paths[i];
    ursa_dataloader *loader =
        items ? ursa_test_loader_of(loaders, &(ursa_source){.items = items, .count = count}) : NULL;
    free(items);
    return loader;
}

ursa_dataloader *ursa_test_loader_of_frame(ursa_dataloaders *loaders, const ursa_frame *frame, const char *path)
{
    return loaders && frame ? ursa_test_loader_of(loaders, &(ursa_source){.path = path, .frame = frame}) : NULL;
}
