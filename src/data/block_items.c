/* block_items.c — items with their inputs and targets found, as a dataset. */
#include "datablock.h"
#include "dataset.h"
#include "base/error.h"
#include "base/memory.h"
#include "device/ops.h"

#include <stdlib.h>
#include <string.h>

/* ---- one item --------------------------------------------------------------------- */

bool ursa_block_items_target(const ursa_block_items *items, int64_t index, ursa_value *y)
{
    const ursa_block *block = &items->block->options.blocks[1];
    *y = (ursa_value){0};
    if (!items->y)
        return true;
    char *name = ursa_item_name(&items->list.items[index]);
    ursa_context_push("%s", name ? name : "");
    bool loaded = block->class->load(block, &items->y[index], y);
    ursa_context_pop();
    free(name);
    return loaded;
}

bool ursa_block_items_get(const ursa_block_items *items, int64_t index, bool training, ursa_rng *rng, ursa_value *x,
                          ursa_value *y)
{
    const ursa_datablock_options *options = &items->block->options;
    *x = *y = (ursa_value){0};
    return options->blocks[0].class->load(&options->blocks[0], &items->x[index], x) &&
           ursa_block_items_target(items, index, y) &&
           ursa_transform_item(options->item_tfms, x, items->y ? y : NULL, training, rng) && ursa_value_decode(x) &&
           (!items->y || ursa_value_decode(y));
}

static void free_founds(ursa_found *found, int64_t count)
{
    for (int64_t i = 0; found && i < count; i++)
        ursa_found_clear(&found[i]);
    free(found);
}

void ursa_block_items_release(ursa_block_items *items)
{
    if (!items || --items->references > 0)
        return;
    free_founds(items->x, items->count);
    free_founds(items->y, items->count);
    ursa_item_list_clear(&items->list);
    ursa_datablock_free(items->block);
    free(items);
}

/* ---- the dataset --------------------------------------------------------------------- */

struct block_dataset {
    ursa_block_items *items;
    int64_t *indices, count;
    bool training;
};

static int64_t block_count(void *self)
{
    return ((const struct block_dataset *)self)->count;
}

static bool same_shape(ursa_dims a, ursa_dims b)
{
    return a.ndim == b.ndim && memcmp(a.dim, b.dim, (size_t)a.ndim * sizeof *a.dim) == 0;
}

static bool alike(const struct block_dataset *set, int64_t item, const char *what, const ursa_value *value,
                  ursa_dims shape, ursa_dtype dtype)
{
    if (value->dtype == dtype && same_shape(value->shape, shape))
        return true;
    char *name = ursa_item_name(&set->items->list.items[item]);
    ursa_fail(
        URSA_ERROR_SHAPE,
        "%s: its %s is %s %s, and that of the first item %s %s; all must be alike: item_tfms needs one that makes "
        "them so, such as ursa_resize()",
        name ? name : "", what, ursa_dtype_name(value->dtype),
        ursa_shape_text(value->shape.ndim, value->shape.dim).text, ursa_dtype_name(dtype),
        ursa_shape_text(shape.ndim, shape.dim).text);
    free(name);
    return false;
}

static bool block_get(void *self, int64_t index, ursa_rng *rng, void *x, void *y)
{
    const struct block_dataset *set = self;
    const ursa_item_layout *layout = &set->items->layout;
    int64_t item = set->indices[index];
    ursa_value input, target;
    bool had = ursa_block_items_get(set->items, item, set->training, rng, &input, &target) &&
               alike(set, item, "input", &input, layout->x_shape, layout->x_dtype) &&
               (!set->items->y || alike(set, item, "target", &target, layout->y_shape, layout->y_dtype));
    if (had) {
        memcpy(x, input.data, ursa_x_bytes(layout));
        if (set->items->y)
            memcpy(y, target.data, ursa_y_bytes(layout));
    }
    ursa_value_clear(&input);
    ursa_value_clear(&target);
    return had;
}

static void block_free(void *self)
{
    struct block_dataset *set = self;
    ursa_block_items_release(set->items);
    free(set->indices);
    free(set);
}

static const char *block_path(void *self, int64_t index)
{
    const struct block_dataset *set = self;
    int64_t item = set->indices[index];
    const ursa_found *found = &set->items->x[item];
    ursa_kind kind = set->items->block->options.blocks[0].class->kind;
    if (kind == URSA_KIND_IMAGE && found->text_count)
        return found->texts[0];
    return set->items->list.items[item].path;
}

static int64_t block_label(void *self, int64_t index)
{
    const struct block_dataset *set = self;
    const ursa_block *block = &set->items->block->options.blocks[1];
    if (!set->items->y || block->class->kind != URSA_KIND_CATEGORY)
        return -1;
    ursa_value value;
    int64_t class = -1;
    if (ursa_block_items_target(set->items, set->indices[index], &value))
        memcpy(&class, value.data, sizeof class);
    ursa_value_clear(&value);
    return class;
}

static ursa_dataset *block_with_training(void *self, bool training)
{
    const struct block_dataset *set = self;
    return ursa_block_dataset(set->items, set->indices, set->count, training);
}

static const ursa_dataset_class block_class = {
    block_count, block_get, block_free, block_path, block_label, block_with_training,
};

static bool name_classes(ursa_dataset *dataset, const ursa_block *block)
{
    bool classes = block->class && block->vocab &&
                   (block->class->kind == URSA_KIND_CATEGORY || block->class->kind == URSA_KIND_MULTI_CATEGORY);
    return !classes || ursa_dataset_set_classes(dataset, block->vocab, ursa_vocab_count(block->vocab));
}

ursa_dataset *ursa_block_dataset(ursa_block_items *items, const int64_t *indices, int64_t count, bool training)
{
    struct block_dataset *set = count > 0 ? ursa_alloc(sizeof *set) : NULL;
    int64_t *copy = set ? ursa_alloc_array((size_t)count, sizeof *copy) : NULL;
    if (!copy) {
        free(set);
        return NULL;
    }
    memcpy(copy, indices, (size_t)count * sizeof *copy);
    *set = (struct block_dataset){items, copy, count, training};
    items->references++;
    ursa_dataset *dataset = ursa_dataset_new(&block_class, set, &items->layout);
    if (dataset && !name_classes(dataset, &items->block->options.blocks[1])) {
        ursa_dataset_free(dataset);
        return NULL;
    }
    return dataset;
}
