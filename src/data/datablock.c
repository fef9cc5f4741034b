/* datablock.c — data blocks as objects: copying what they are made of, changing
 * it, freeing it. */
#include "datablock.h"
#include "transform_list.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

/* ---- copying ------------------------------------------------------------------- */

/* Each turns a pointer of the caller's into one of the block's own. */
static bool own_text(const char **text)
{
    const char *theirs = *text;
    return !theirs || (*text = ursa_copy_string(theirs));
}

static bool own_names(const char *const **names)
{
    const char *const *theirs = *names;
    return !theirs || (*names = ursa_names_copy(theirs));
}

static bool own_indices(const int64_t **indices, int64_t count)
{
    if (!*indices)
        return true;
    int64_t *copy = ursa_alloc_array((size_t)count + 1, sizeof *copy);
    if (copy)
        memcpy(copy, *indices, (size_t)count * sizeof *copy);
    *indices = copy;
    return copy;
}

static bool own_getter(ursa_getter *getter)
{
    bool owned = own_text(&getter->pattern);
    owned = own_names(&getter->columns) && owned;
    owned = own_text(&getter->delim) && owned;
    owned = own_text(&getter->prefix) && owned;
    return own_text(&getter->suffix) && owned;
}

static bool own_splitter(ursa_splitter *splitter)
{
    bool owned = own_text(&splitter->train);
    owned = own_text(&splitter->valid) && owned;
    owned = own_text(&splitter->column) && owned;
    owned = own_text(&splitter->file) && owned;
    return own_indices(&splitter->indices, splitter->count) && owned;
}

static bool own_lister(ursa_lister *lister)
{
    bool owned = own_names(&lister->extensions);
    return own_names(&lister->folders) && owned;
}

/* Every pointer is replaced, by NULL where memory ran out, so that all can be
 * freed whatever happened. */
static bool own_options(ursa_datablock_options *options)
{
    bool owned = own_names(&options->blocks[0].vocab);
    owned = own_names(&options->blocks[1].vocab) && owned;
    owned = own_lister(&options->get_items) && owned;
    owned = own_splitter(&options->splitter) && owned;
    owned = own_getter(&options->get_x) && owned;
    return own_getter(&options->get_y) && owned;
}

static void free_getter(ursa_getter *getter)
{
    free((void *)getter->pattern);
    ursa_names_free(getter->columns);
    free((void *)getter->delim);
    free((void *)getter->prefix);
    free((void *)getter->suffix);
}

static void free_options(ursa_datablock_options *options)
{
    ursa_names_free(options->blocks[0].vocab);
    ursa_names_free(options->blocks[1].vocab);
    ursa_names_free(options->get_items.extensions);
    ursa_names_free(options->get_items.folders);
    free((void *)options->splitter.train);
    free((void *)options->splitter.valid);
    free((void *)options->splitter.column);
    free((void *)options->splitter.file);
    free((void *)options->splitter.indices);
    free_getter(&options->get_x);
    free_getter(&options->get_y);
}

static ursa_datablock *make(const ursa_datablock_options *options)
{
    ursa_datablock *block = ursa_alloc(sizeof *block);
    if (!block)
        return NULL;
    block->options = *options;
    block->references = 1;
    if (own_options(&block->options))
        return block;
    ursa_datablock_free(block);
    return NULL;
}

/* ---- lifetime ---------------------------------------------------------------------- */

static void free_block(void *object)
{
    ursa_datablock *block = object;
    ursa_disown(&block->owned);
    if (--block->references > 0)
        return;
    free_options(&block->options);
    free(block);
}

void ursa_datablock_free(ursa_datablock *block)
{
    if (block)
        free_block(block);
}

ursa_datablock *ursa_datablock_retain(ursa_datablock *block)
{
    if (block)
        block->references++;
    return block;
}

ursa_datablock *ursa_datablock_copy(const ursa_datablock *block)
{
    return block ? make(&block->options) : NULL;
}

bool ursa_datablock_set_vocab(ursa_datablock *block, int which, const ursa_found *names)
{
    const char **texts = ursa_alloc_array((size_t)names->text_count + 1, sizeof *texts);
    for (int i = 0; texts && i < names->text_count; i++)
        texts[i] = names->texts[i];
    const char *const *copy = texts ? ursa_names_copy(texts) : NULL;
    free(texts);
    if (!copy)
        return false;
    ursa_names_free(block->options.blocks[which].vocab);
    block->options.blocks[which].vocab = copy;
    return true;
}

/* ---- what users call ------------------------------------------------------------------ */

static bool check(const ursa_datablock_options *options)
{
    const ursa_block *input = &options->blocks[0], *target = &options->blocks[1];
    if (!input->class)
        return ursa_fail(URSA_ERROR_ARGUMENT,
                         "datablock: it has no blocks; the first says what the input is: ursa_image_block()");
    for (int i = 0; i < 2; i++)
        if (options->blocks[i].channels != 0 && options->blocks[i].channels != 1 && options->blocks[i].channels != 3)
            return ursa_fail(URSA_ERROR_ARGUMENT, "datablock: the %s block has %d channels; expected 1 or 3",
                             options->blocks[i].class ? options->blocks[i].class->name : "second",
                             options->blocks[i].channels);
    if (input->count < 0 || target->count < 0)
        return ursa_fail(URSA_ERROR_ARGUMENT, "datablock: the count of a block is below 0");
    return true;
}

ursa_datablock *ursa_datablock_new_opt(const ursa_datablock_options *options)
{
    ursa_datablock *block = check(options) ? make(options) : NULL;
    if (block)
        ursa_own(&block->owned, block, free_block);
    return block;
}

ursa_datablock *ursa_datablock_with_opt(const ursa_datablock *block, const ursa_datablock_options *changes)
{
    if (!block)
        return NULL;
    ursa_datablock_options merged = block->options;
    for (int i = 0; i < 2; i++)
        if (changes->blocks[i].class)
            merged.blocks[i] = changes->blocks[i];
    if (changes->get_items.list)
        merged.get_items = changes->get_items;
    if (changes->splitter.split)
        merged.splitter = changes->splitter;
    if (changes->get_x.get)
        merged.get_x = changes->get_x;
    if (changes->get_y.get)
        merged.get_y = changes->get_y;
    if (changes->item_tfms[0].class)
        memcpy(merged.item_tfms, changes->item_tfms, sizeof merged.item_tfms);
    if (changes->batch_tfms[0].class)
        memcpy(merged.batch_tfms, changes->batch_tfms, sizeof merged.batch_tfms);
    return ursa_datablock_new_opt(&merged);
}

const ursa_datablock_options *ursa_datablock_options_of(const ursa_datablock *block)
{
    return block ? &block->options : NULL;
}

char *ursa_block_text(const ursa_block *block, const void *data, ursa_dims shape)
{
    if (!block || !block->class || !data)
        return NULL;
    return block->class->text ? block->class->text(block, data, shape) : ursa_copy_string(block->class->name);
}
