/* make_datasets.c — from a block and a source to datasets, step by step: find the
 * items, split them, run the getters, look at every file, settle vocabularies,
 * and see what an item becomes. */
#include "datablock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/parallel.h"

#include <stdlib.h>

/* ---- splitting and getting ------------------------------------------------------- */

/* Lets go of the items that are in neither part. */
static void compact(ursa_split_items *split)
{
    ursa_block_items *items = split->items;
    int64_t kept = 0;
    for (int64_t i = 0; i < items->count; i++) {
        if (split->parts[i] == URSA_PART_NEITHER) {
            free((char *)items->list.items[i].path);
            free((char *)items->list.items[i].label);
            if (items->x)
                ursa_found_clear(&items->x[i]);
            if (items->y)
                ursa_found_clear(&items->y[i]);
            continue;
        }
        split->parts[kept] = split->parts[i];
        split->source[kept] = split->source[i];
        items->list.items[kept] = items->list.items[i];
        if (items->x)
            items->x[kept] = items->x[i];
        if (items->y)
            items->y[kept] = items->y[i];
        kept++;
    }
    items->count = items->list.count = kept;
}

static bool divide(ursa_split_items *split, bool wanted)
{
    ursa_block_items *items = split->items;
    const ursa_splitter *splitter = &items->block->options.splitter;
    const ursa_splitter by_default = ursa_random_splitter();
    items->count = items->list.count;
    if (items->count == 0)
        return ursa_fail(URSA_ERROR_ARGUMENT, "datablock: there are no items");
    split->parts = ursa_alloc_array((size_t)items->count + 1, sizeof *split->parts);
    split->source = ursa_alloc_array((size_t)items->count + 1, sizeof *split->source);
    if (!split->parts || !split->source)
        return false;
    for (int64_t i = 0; i < items->count; i++)
        split->source[i] = i;
    if (!splitter->split)
        splitter = &by_default;
    if (wanted && !splitter->split(splitter, items->list.items, items->count, split->parts))
        return false;
    compact(split);
    return items->count > 0 || ursa_fail(URSA_ERROR_ARGUMENT, "datablock: the splitter leaves no items");
}

static bool get(const ursa_getter *getter, const ursa_data_item *item, ursa_found *found)
{
    char *name = ursa_item_name(item);
    ursa_context_push("%s", name ? name : "");
    bool got = getter->get(getter, item, found);
    ursa_context_pop();
    free(name);
    return got;
}

static ursa_found *get_all(const ursa_getter *getter, const ursa_block_items *items)
{
    ursa_found *found = ursa_alloc_array((size_t)items->count + 1, sizeof *found);
    for (int64_t i = 0; found && i < items->count; i++)
        if (!get(getter, &items->list.items[i], &found[i])) {
            for (int64_t j = 0; j <= i; j++)
                ursa_found_clear(&found[j]);
            free(found);
            return NULL;
        }
    return found;
}

/* Names of files that come from a table are relative to the source's path. */
static bool put_root_before(const char *root, ursa_found *found, int64_t count)
{
    for (int64_t i = 0; *root && i < count; i++)
        for (int t = 0; t < found[i].text_count; t++) {
            char *text = found[i].texts[t];
            char *full = *text == '/' ? text : ursa_format("%s/%s", root, text);
            if (!full)
                return false;
            if (full != text)
                free(text);
            found[i].texts[t] = full;
        }
    return true;
}

static bool is_file(const ursa_block *block)
{
    return block->class->kind == URSA_KIND_IMAGE || block->class->kind == URSA_KIND_MASK;
}

static bool from_table(const ursa_getter *getter)
{
    return getter->columns != NULL;
}

static bool run_getters(ursa_block_items *items, bool labelled)
{
    const ursa_datablock_options *options = &items->block->options;
    const ursa_getter itself = {.get = ursa_get_item_itself, .name = "item"};
    const ursa_getter *get_x = options->get_x.get ? &options->get_x : &itself;
    /* Files given by their paths are the input, whatever column the training items had it from. */
    if (from_table(get_x) && items->count > 0 && !items->list.items[0].frame)
        get_x = &itself;
    if (labelled && !options->get_y.get)
        return ursa_fail(URSA_ERROR_ARGUMENT, "datablock: get_y is needed: it says what the %s of an item is",
                         options->blocks[1].class->name);
    items->x = get_all(get_x, items);
    items->y = labelled && items->x ? get_all(&options->get_y, items) : NULL;
    if (!items->x || (labelled && !items->y))
        return false;
    const char *root = items->list.root;
    return (!is_file(&options->blocks[0]) || !from_table(get_x) || put_root_before(root, items->x, items->count)) &&
           (!labelled || !is_file(&options->blocks[1]) || !from_table(&options->get_y) ||
            put_root_before(root, items->y, items->count));
}

/* ---- looking at every file -------------------------------------------------------------- */

struct inspection {
    const ursa_block_items *items;
    char **problems; /* [count] NULL for a good one */
    int *channels;
};

static bool inspect_side(const ursa_block *block, const ursa_found *found, int *channels)
{
    return !found || !block->class->inspect || block->class->inspect(block, found, channels);
}

/* On any thread; its errors are nobody's but the item's. */
static void inspect(void *context, int64_t index)
{
    struct inspection *inspection = context;
    const ursa_block_items *items = inspection->items;
    const ursa_block *blocks = items->block->options.blocks;
    ursa_error_state saved;
    int unused;
    ursa_error_set_aside(&saved);
    if (!inspect_side(&blocks[0], &items->x[index], &inspection->channels[index]) ||
        !inspect_side(&blocks[1], items->y ? &items->y[index] : NULL, &unused)) {
        ursa_error_kind kind;
        char *message = ursa_error_take(&kind);
        inspection->problems[index] = message ? message : ursa_copy_string("out of memory");
    }
    ursa_error_restore(&saved);
}

/* Leaves out what cannot be read, or fails on it. */
static bool sift(ursa_split_items *split, struct inspection *inspection, bool strict)
{
    int64_t count = split->items->count;
    bool fine = true;
    char *first = NULL;
    for (int64_t i = 0; i < count; i++) {
        char *problem = inspection->problems[i];
        if (!problem)
            continue;
        if (strict)
            fine = ursa_fail(URSA_ERROR_FORMAT, "%s", problem);
        else
            ursa_log_line(URSA_LOG_WARN, "skipped %s", problem);
        split->parts[i] = URSA_PART_NEITHER;
        split->skipped++;
        if (first)
            free(problem);
        else
            first = problem;
    }
    if (split->skipped == count)
        fine = ursa_fail(URSA_ERROR_FORMAT, "none of the %lld files can be read: %s", (long long)count, first);
    free(first);
    return fine;
}

static bool inspect_all(ursa_split_items *split, bool strict)
{
    ursa_block_items *items = split->items;
    ursa_block *blocks = items->block->options.blocks;
    if (!blocks[0].class->inspect && !(items->y && blocks[1].class->inspect))
        return true;
    struct inspection inspection = {items, ursa_alloc_array((size_t)items->count + 1, sizeof(char *)),
                                    ursa_alloc_array((size_t)items->count + 1, sizeof(int))};
    bool done = inspection.problems && inspection.channels && ursa_parallel(items->count, inspect, &inspection);
    int most = 0;
    for (int64_t i = 0; done && i < items->count; i++)
        most = !inspection.problems[i] && inspection.channels[i] > most ? inspection.channels[i] : most;
    done = done && sift(split, &inspection, strict);
    if (done && blocks[0].class->kind == URSA_KIND_IMAGE && !blocks[0].channels)
        blocks[0].channels = most ? most : 3;
    free(inspection.problems);
    free(inspection.channels);
    if (done)
        compact(split);
    return done;
}

/* ---- settling ----------------------------------------------------------------------------- */

static bool settle_side(ursa_block_items *items, int which, const ursa_found *found)
{
    ursa_block *block = &items->block->options.blocks[which];
    const ursa_getter *getter = which ? &items->block->options.get_y : &items->block->options.get_x;
    ursa_found names = {0};
    if (!found || !block->class->settle)
        return true;
    bool settled = block->class->settle(block, getter, found, items->count, &names) &&
                   (!names.text_count || ursa_datablock_set_vocab(items->block, which, &names));
    ursa_found_clear(&names);
    return settled;
}

/* A target that cannot be made is known before training; those in files are read
 * with their inputs. */
static bool try_targets(const ursa_block_items *items)
{
    const ursa_block *block = &items->block->options.blocks[1];
    bool fine = true;
    for (int64_t i = 0; items->y && !is_file(block) && fine && i < items->count; i++) {
        ursa_value value;
        fine = ursa_block_items_target(items, i, &value);
        ursa_value_clear(&value);
    }
    return fine;
}

static bool try_item(ursa_block_items *items, int64_t index)
{
    ursa_value x, y;
    ursa_rng rng = ursa_rng_new(0, URSA_PURPOSE_AUGMENT, (uint64_t)index);
    bool had = ursa_block_items_get(items, index, false, &rng, &x, &y);
    if (had)
        items->layout = (ursa_item_layout){.x_shape = x.shape,
                                           .x_dtype = x.dtype,
                                           .x_kind = x.kind,
                                           .y_shape = y.shape,
                                           .y_dtype = y.dtype,
                                           .y_kind = y.kind,
                                           .unlabelled = !items->y};
    ursa_value_clear(&x);
    ursa_value_clear(&y);
    return had;
}

/* What all items look like is what the first that can be read looks like. */
static bool find_layout(ursa_block_items *items, bool strict)
{
    ursa_error_state saved;
    ursa_error_kind kind = URSA_ERROR_NONE;
    char *problem = NULL;
    bool had = false, passable = true;
    ursa_error_set_aside(&saved);
    for (int64_t i = 0; !had && passable && i < items->count; i++) {
        had = try_item(items, i);
        free(problem);
        problem = had ? NULL : ursa_error_take(&kind);
        passable = !strict && (kind == URSA_ERROR_IO || kind == URSA_ERROR_FORMAT);
    }
    ursa_error_restore(&saved);
    if (!had)
        ursa_error_give(kind, problem);
    return had;
}

/* ---- all together ------------------------------------------------------------------------------ */

void ursa_split_items_clear(ursa_split_items *split)
{
    ursa_block_items_release(split->items);
    free(split->parts);
    free(split->source);
    *split = (ursa_split_items){0};
}

static void free_source_memory(const ursa_source *source)
{
    if (source->free_memory)
        source->free_memory(source->memory);
}

bool ursa_split_items_make(const ursa_datablock *block, const ursa_source *source, bool labelled, bool split,
                           bool strict, ursa_split_items *out)
{
    *out = (ursa_split_items){.items = block ? ursa_alloc(sizeof *out->items) : NULL};
    if (!out->items) {
        free_source_memory(source);
        return false;
    }
    out->items->references = 1;
    out->items->block = ursa_datablock_copy(block);
    if (!out->items->block) {
        free_source_memory(source);
        ursa_split_items_clear(out);
        return false;
    }
    ursa_block_items *items = out->items;
    if (ursa_items_find(items->block, source, &items->list) && divide(out, split) && run_getters(items, labelled) &&
        inspect_all(out, strict) && settle_side(items, 0, items->x) && settle_side(items, 1, items->y) &&
        try_targets(items) && find_layout(items, strict))
        return true;
    ursa_split_items_clear(out);
    return false;
}

/* The positions of the items in a part, to free(). */
static int64_t *members(const ursa_split_items *split, ursa_part part, int64_t *count)
{
    int64_t *indices = ursa_alloc_array((size_t)split->items->count + 1, sizeof *indices);
    *count = 0;
    for (int64_t i = 0; indices && i < split->items->count; i++)
        if (split->parts[i] == part)
            indices[(*count)++] = i;
    return indices;
}

bool ursa_split_items_dataset(const ursa_split_items *split, ursa_part part, ursa_dataset **dataset)
{
    int64_t count, *indices = members(split, part, &count);
    *dataset = indices ? ursa_block_dataset(split->items, indices, count, part == URSA_PART_TRAIN) : NULL;
    free(indices);
    return *dataset || (indices && count == 0);
}

bool ursa_datablock_datasets_opt(const ursa_datablock *block, const ursa_source *source, bool strict,
                                 ursa_dataset **train, ursa_dataset **valid, int64_t *skipped)
{
    ursa_split_items split;
    *train = *valid = NULL;
    if (skipped)
        *skipped = 0;
    if (!ursa_split_items_make(block, source, block && block->options.blocks[1].class, true, strict, &split))
        return false;
    if (skipped)
        *skipped = split.skipped;
    bool made = ursa_split_items_dataset(&split, URSA_PART_TRAIN, train) &&
                ursa_split_items_dataset(&split, URSA_PART_VALID, valid);
    if (!made) {
        ursa_dataset_free(*train);
        *train = NULL;
    }
    ursa_split_items_clear(&split);
    return made;
}
