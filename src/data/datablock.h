/* datablock.h — the inside of a data block, and of the steps that turn it and a
 * source into datasets. */
#ifndef URSA_DATA_DATABLOCK_H
#define URSA_DATA_DATABLOCK_H

#include "base/owned.h"

#include <ursa/datablock.h>

struct ursa_datablock {
    ursa_datablock_options options; /* all that it points to is its own */
    ursa_owned owned;
    int references; /* the program's one, and one per set of items; all on one thread */
};

ursa_datablock *ursa_datablock_retain(ursa_datablock *block);
/* A copy that ursa_finish() does not know of. */
ursa_datablock *ursa_datablock_copy(const ursa_datablock *block);
/* Puts a vocabulary into one of its blocks, copied. */
bool ursa_datablock_set_vocab(ursa_datablock *block, int which, const ursa_found *names);

/* ---- lists of names --------------------------------------------------------- */

const char *const *ursa_names_copy(const char *const *names); /* NULL for NULL, and when memory runs out */
void ursa_names_free(const char *const *names);               /* takes NULL */

/* ---- what getters found ------------------------------------------------------- */

void ursa_found_clear(ursa_found *found);
/* Adds a text, split at the getter's `delim`, its prefix and suffix around each part. */
bool ursa_getter_add(const ursa_getter *getter, const char *text, size_t length, ursa_found *found);

/* ---- items ---------------------------------------------------------------------- */

struct ursa_item_list {
    ursa_data_item *items; /* their texts are the list's own */
    int64_t count, capacity;
    char *root;
    void *memory; /* what values point to */
    void (*free_memory)(void *memory);
};

/* Finds the items of a source with a block's lister. Takes over the source's
 * memory, whatever happens. */
bool ursa_items_find(const ursa_datablock *block, const ursa_source *source, ursa_item_list *list);
void ursa_item_list_clear(ursa_item_list *list);

/* How an item is called in errors: its path, or "row 3". To free(). */
char *ursa_item_name(const ursa_data_item *item);

/* ---- datasets ---------------------------------------------------------------------- */

/* Items with their inputs and targets found, shared by training and validation. */
typedef struct ursa_block_items {
    int references;
    ursa_datablock *block; /* settled */
    ursa_item_list list;
    ursa_found *x, *y; /* y NULL without targets */
    int64_t count;
    ursa_item_layout layout;
} ursa_block_items;

void ursa_block_items_release(ursa_block_items *items); /* takes NULL */

/* Items by their indices, copied; NULL, without an error, when there are none. */
ursa_dataset *ursa_block_dataset(ursa_block_items *items, const int64_t *indices, int64_t count, bool training);

/* Makes and transforms the input and target of an item. The caller clears the
 * values, whatever happens. */
bool ursa_block_items_target(const ursa_block_items *items, int64_t index, ursa_value *y); /* before transforms */
bool ursa_block_items_get(const ursa_block_items *items, int64_t index, bool training, ursa_rng *rng, ursa_value *x,
                          ursa_value *y);

/* What train and valid become of: the steps that ursa_datablock_datasets() takes. */
typedef struct ursa_split_items {
    ursa_block_items *items;
    ursa_part *parts; /* [items->count] */
    int64_t *source;  /* [items->count] where each was among the source's items */
    int64_t skipped;
} ursa_split_items;
/* `split` false: all items are training items. */
bool ursa_split_items_make(const ursa_datablock *block, const ursa_source *source, bool labelled, bool split,
                           bool strict, ursa_split_items *out);
void ursa_split_items_clear(ursa_split_items *split);
/* The items of a part; NULL, without an error, when there are none. False after an error. */
bool ursa_split_items_dataset(const ursa_split_items *split, ursa_part part, ursa_dataset **dataset);

#endif
