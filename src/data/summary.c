/* summary.c — one item of a source taken through every step of a data block, in
 * words. */
#include "datablock.h"
#include "device/ops.h"
#include "base/error.h"
#include "base/memory.h"
#include "transform_list.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- text that grows ------------------------------------------------------------ */

struct text {
    char *all;
    bool broken; /* memory ran out */
};

static void say(struct text *text, const char *format, ...) URSA_PRINTF(2, 3);

static void say(struct text *text, const char *format, ...)
{
    char *added = NULL;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&added, format, arguments);
    va_end(arguments);
    char *longer = length >= 0 ? ursa_format("%s%s", text->all ? text->all : "", added) : NULL;
    if (length >= 0)
        free(added);
    if (!longer) {
        text->broken = true;
        return;
    }
    free(text->all);
    text->all = longer;
}

/* ---- values ------------------------------------------------------------------------ */

static const char *kind_name(ursa_kind kind)
{
    static const char *const names[] = {"tensor", "image", "mask", "points", "class", "set of classes", "regression"};
    return (size_t)kind < sizeof names / sizeof *names ? names[kind] : "value";
}

static void say_value(struct text *text, const char *name, const ursa_block *block, const ursa_value *value)
{
    say(text, "  %s: %s %s %s", name, kind_name(value->kind), ursa_dtype_name(value->dtype),
        ursa_shape_text(value->shape.ndim, value->shape.dim).text);
    bool small = value->kind != URSA_KIND_IMAGE && value->kind != URSA_KIND_MASK && value->kind != URSA_KIND_TENSOR;
    char *words = small ? ursa_block_text(block, value->data, value->shape) : NULL;
    if (words && block->class->kind == value->kind)
        say(text, ": %s", words);
    else if (!value->data)
        say(text, ", still in its file");
    say(text, "\n");
    free(words);
}

static void say_found(struct text *text, const char *name, const ursa_getter *getter, const ursa_found *found)
{
    say(text, "  %s (%s):", name, getter->name ? getter->name : "item");
    if (found->value)
        say(text, " a value in memory");
    if (!found->value && !found->text_count && !found->number_count)
        say(text, " nothing");
    for (int i = 0; i < found->text_count; i++)
        say(text, "%s \"%s\"", i ? "," : "", found->texts[i]);
    for (int i = 0; i < found->number_count; i++)
        say(text, "%s %g", i || found->text_count ? "," : "", found->numbers[i]);
    say(text, "\n");
}

/* ---- the steps ------------------------------------------------------------------------ */

static void say_blocks(struct text *text, const ursa_datablock_options *options)
{
    say(text, "Blocks: %s", options->blocks[0].class->name);
    say(text, options->blocks[1].class ? " → %s\n" : "\n",
        options->blocks[1].class ? options->blocks[1].class->name : "");
}

static void say_items(struct text *text, const ursa_split_items *split)
{
    const ursa_datablock_options *options = &split->items->block->options;
    int64_t counts[2] = {0};
    for (int64_t i = 0; i < split->items->count; i++)
        counts[split->parts[i] == URSA_PART_VALID]++;
    say(text, "Items: %lld, found by %s", (long long)(split->items->count),
        options->get_items.name             ? options->get_items.name
        : split->items->list.items[0].frame ? "rows of the frame"
                                            : "image files");
    if (split->skipped)
        say(text, "; %lld that cannot be read left out", (long long)split->skipped);
    say(text, "\nSplit by %s: %lld for training, %lld for validation\n",
        options->splitter.name ? options->splitter.name : "random_splitter", (long long)counts[0],
        (long long)counts[1]);
}

static void say_vocab(struct text *text, const ursa_block *block)
{
    int count = ursa_vocab_count(block->vocab);
    if (!count)
        return;
    say(text, "Vocabulary of %s: %d:", block->class->name, count);
    for (int i = 0; i < count && i < 12; i++)
        say(text, "%s %s", i ? "," : "", block->vocab[i]);
    say(text, count > 12 ? ", …\n" : "\n");
}

static int64_t first_training_item(const ursa_split_items *split)
{
    for (int64_t i = 0; i < split->items->count; i++)
        if (split->parts[i] == URSA_PART_TRAIN)
            return i;
    return 0;
}

static bool run_item_tfms(struct text *text, const ursa_datablock_options *options, bool labelled, ursa_value *x,
                          ursa_value *y)
{
    int count = ursa_transforms_count(options->item_tfms);
    ursa_rng rng = ursa_rng_new(0, URSA_PURPOSE_AUGMENT, 0);
    if (count == 0)
        say(text, "Transforms of items: none\n");
    for (int i = 0; i < count; i++) {
        ursa_transform one[URSA_TRANSFORMS] = {options->item_tfms[i]};
        say(text, "Transform of items %s:\n", one[0].class->name);
        if (!ursa_transform_item(one, x, labelled ? y : NULL, true, &rng))
            return false;
        say_value(text, "x", &options->blocks[0], x);
        if (labelled)
            say_value(text, "y", &options->blocks[1], y);
    }
    return ursa_value_decode(x) && (!labelled || ursa_value_decode(y));
}

static void say_tensor(struct text *text, const char *name, const ursa_tensor *tensor)
{
    ursa_dims shape = ursa_dims_of(tensor);
    say(text, "  %s: %s %s\n", name, ursa_dtype_name(ursa_dtype_of(tensor)),
        ursa_shape_text(shape.ndim, shape.dim).text);
}

static ursa_tensor *batch_of_one(const ursa_value *value)
{
    ursa_dims shape = {.ndim = value->shape.ndim + 1, .dim = {1}};
    memcpy(shape.dim + 1, value->shape.dim, (size_t)value->shape.ndim * sizeof *shape.dim);
    return ursa_from(value->data, shape, .dtype = value->dtype);
}

static bool run_batch_tfms(struct text *text, const ursa_datablock_options *options, bool labelled, const ursa_value *x,
                           const ursa_value *y)
{
    int count = ursa_transforms_count(options->batch_tfms);
    ursa_rng rng = ursa_rng_new(0, URSA_PURPOSE_AUGMENT_BATCH, 0);
    ursa_transform_batch batch = {.x = batch_of_one(x), .x_kind = x->kind, .count = 1, .rngs = &rng};
    if (labelled) {
        batch.y = batch_of_one(y);
        batch.y_kind = y->kind;
    }
    say(text, "Transforms of batches:");
    for (int i = 0; i < count; i++)
        say(text, "%s %s", i ? "," : "", options->batch_tfms[i].class->name);
    say(text, count ? "\n" : " none\n");
    if (!batch.x || (labelled && !batch.y) || !ursa_transform_run_batch(options->batch_tfms, true, &batch))
        return false;
    say(text, "A batch of one:\n");
    say_tensor(text, "x", batch.x);
    if (labelled)
        say_tensor(text, "y", batch.y);
    return true;
}

static bool walk_item(struct text *text, const ursa_split_items *split)
{
    const ursa_datablock_options *options = &split->items->block->options;
    const ursa_block_items *items = split->items;
    int64_t index = first_training_item(split);
    bool labelled = items->y;
    ursa_value x = {0}, y = {0};
    char *name = ursa_item_name(&items->list.items[index]);
    say(text, "One item: %s\n", name ? name : "");
    free(name);
    say_found(text, "get_x", &options->get_x, &items->x[index]);
    if (labelled)
        say_found(text, "get_y", &options->get_y, &items->y[index]);
    bool walked = options->blocks[0].class->load(&options->blocks[0], &items->x[index], &x) &&
                  ursa_block_items_target(items, index, &y);
    if (walked) {
        say(text, "Blocks make of it:\n");
        say_value(text, "x", &options->blocks[0], &x);
        if (labelled)
            say_value(text, "y", &options->blocks[1], &y);
    }
    ursa_scope *scope = ursa_scope_begin();
    walked =
        walked && run_item_tfms(text, options, labelled, &x, &y) && run_batch_tfms(text, options, labelled, &x, &y);
    ursa_scope_end(scope);
    ursa_value_clear(&x);
    ursa_value_clear(&y);
    return walked;
}

static bool walk(struct text *text, const ursa_datablock *block, const ursa_source *source)
{
    ursa_split_items split;
    say_blocks(text, &block->options);
    say(text, "Looking in %s\n", source->path ? source->path : source->frame ? "a frame" : "a list of items");
    if (!ursa_split_items_make(block, source, block->options.blocks[1].class, true, false, &split))
        return false;
    say_items(text, &split);
    for (int i = 0; i < 2; i++)
        say_vocab(text, &split.items->block->options.blocks[i]);
    bool walked = walk_item(text, &split);
    ursa_split_items_clear(&split);
    return walked;
}

static char *summarise(const ursa_datablock *block, const ursa_source *source, bool *walked)
{
    struct text text = {0};
    ursa_error_state saved;
    ursa_error_kind kind = URSA_ERROR_NONE;
    char *problem = NULL;
    *walked = false;
    if (!block)
        return NULL;
    ursa_error_set_aside(&saved);
    *walked = walk(&text, block, source);
    if (!*walked)
        problem = ursa_error_take(&kind);
    ursa_error_restore(&saved);
    if (!*walked) {
        say(&text, "It ends here: %s\n", problem ? problem : "out of memory");
        ursa_error_give(kind, problem);
    }
    if (text.broken) {
        free(text.all);
        return NULL;
    }
    return text.all;
}

char *ursa_datablock_summary_text(const ursa_datablock *block, const ursa_source *source)
{
    bool walked;
    return summarise(block, source, &walked);
}

bool ursa_datablock_summary_opt(const ursa_datablock *block, const ursa_source *source)
{
    bool walked;
    char *text = summarise(block, source, &walked);
    bool printed = text && fputs(text, stdout) >= 0;
    free(text);
    return printed && walked;
}
