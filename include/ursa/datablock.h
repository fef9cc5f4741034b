/* datablock.h — from files and tables to loaders: which items there are, how
 * they are split, what the input and the target of each is, and what is done to
 * them on the way.
 *
 *     ursa_datablock *bears = ursa_datablock_new(
 *         .blocks    = { ursa_image_block(), ursa_category_block() },
 *         .get_items = ursa_get_image_files,
 *         .splitter  = ursa_random_splitter(.valid_pct = 0.2, .seed = 42),
 *         .get_y     = ursa_parent_label,
 *         .item_tfms = { ursa_resize(128) });
 *     ursa_dataloaders *dls = ursa_dataloaders_new(bears, "data/bears");
 *
 * Blocks, listers, splitters and getters are values, made by a function that
 * names its arguments; a block copies what they point to, other than contexts of
 * a user's own functions. docs/data-blocks.md is a guide.
 *
 * Lists of names are arrays that end with NULL: ursa_names("cat", "dog").
 */
#ifndef URSA_DATABLOCK_H
#define URSA_DATABLOCK_H

#include <ursa/data.h>
#include <ursa/frame.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A list of one may go without its braces, as in .batch_tfms = ursa_aug_transforms(). */
#define URSA_BRACES_MAY_BE_MISSING _Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Wmissing-braces\"")
#define URSA_BRACES_END            _Pragma("GCC diagnostic pop")

#define ursa_names(...) ((const char *const[]){__VA_ARGS__, NULL})

/* ---- items ------------------------------------------------------------------ */

/* One thing to learn from, before anything is read. */
typedef struct ursa_data_item {
    const char *path;        /* of a file; NULL for none */
    const char *root;        /* the folder the search began in; "" for none */
    const ursa_frame *frame; /* of a row; NULL for none */
    int64_t row;
    const char *label;       /* what the source itself says the target is; NULL for nothing */
    const ursa_value *value; /* an input that is in memory already; NULL for none */
} ursa_data_item;

/* Where to look. */
typedef struct ursa_source {
    const char *path;            /* a folder; for a frame, what the names in it are relative to */
    const ursa_frame *frame;     /* each row is an item. It is read while datasets are made, not afterwards */
    const ursa_data_item *items; /* [count]: the items themselves; they are copied, but for the pixels of values */
    int64_t count;
    void *memory; /* what the items' values point to, taken over; freed with `free_memory` */
    void (*free_memory)(void *memory);
} ursa_source;

/* ---- finding items ------------------------------------------------------------ */

typedef struct ursa_item_list ursa_item_list;
/* Adds an item; its texts are copied. */
URSA_API bool ursa_item_list_add(ursa_item_list *list, const ursa_data_item *item);

typedef struct ursa_lister {
    bool (*list)(const struct ursa_lister *lister, const ursa_source *source, ursa_item_list *list);
    const char *name;              /* in summaries */
    const char *const *extensions; /* ".jpg", in any case; NULL: all files */
    const char *const *folders;    /* only these folders of the top; NULL: all */
    bool not_recursive;
    bool (*function)(void *context, const ursa_source *source, ursa_item_list *list);
    void *context;
} ursa_lister;

/* Files of a folder and the folders in it, sorted by path; those whose name
 * begins with a dot are left out. Options: .extensions, .folders,
 * .not_recursive. */
URSA_API bool ursa_list_files(const ursa_lister *lister, const ursa_source *source, ursa_item_list *list);
#define ursa_get_files(...) ((ursa_lister){.list = ursa_list_files, .name = "files", __VA_ARGS__})
/* Those that look like images. */
URSA_API extern const char *const ursa_image_extensions[];
#define ursa_get_image_files                                                                                           \
    ((ursa_lister){.list = ursa_list_files, .name = "image files", .extensions = ursa_image_extensions})
/* Found by a function of one's own: bool f(void *context, const ursa_source *,
 * ursa_item_list *). */
URSA_API bool ursa_list_by_function(const ursa_lister *lister, const ursa_source *source, ursa_item_list *list);
#define ursa_get_by_function(f, pointer)                                                                               \
    ((ursa_lister){.list = ursa_list_by_function, .name = "function", .function = (f), .context = (pointer)})

/* ---- getters: the input and the target of an item ------------------------------- */

/* What a getter found: texts (a path, a label, several labels), numbers, or a
 * value that is in memory. Blocks make inputs and targets of it. */
typedef struct ursa_found {
    char **texts;
    double *numbers;
    int text_count, number_count;
    const ursa_value *value;
} ursa_found;
URSA_API bool ursa_found_add_text(ursa_found *found, const char *text); /* copied */
URSA_API bool ursa_found_add_number(ursa_found *found, double number);

typedef struct ursa_getter {
    bool (*get)(const struct ursa_getter *getter, const ursa_data_item *item, ursa_found *found);
    const char *name;    /* in summaries */
    const char *pattern; /* of ursa_regex_label() */
    bool whole_path;
    const char *const *columns; /* of ursa_column() */
    /* Of all that find texts. */
    const char *delim;           /* splits one text into several, at every occurrence; empty parts are left out */
    const char *prefix, *suffix; /* put around each */
    const char *(*of_name)(void *context, const char *name);
    bool (*function)(void *context, const ursa_data_item *item, ursa_found *found);
    void *context;
} ursa_getter;

/* The name of the folder a file is in. */
URSA_API bool ursa_get_parent_label(const ursa_getter *getter, const ursa_data_item *item, ursa_found *found);
#define ursa_parent_label ((ursa_getter){.get = ursa_get_parent_label, .name = "parent_label"})
/* The first group of a Perl-compatible regular expression (Python's are, nearly
 * all), searched in the file's name, or in its path with .whole_path = true. */
URSA_API bool ursa_get_regex_label(const ursa_getter *getter, const ursa_data_item *item, ursa_found *found);
#define ursa_regex_label(regex, ...)                                                                                   \
    ((ursa_getter){.get = ursa_get_regex_label, .name = "regex_label", .pattern = (regex), __VA_ARGS__})
/* A column of the frame: ursa_column("image_name", .prefix = "train-jpg/", .suffix
 * = ".jpg"), ursa_column("tags", .delim = " "). A file that is not named absolutely is relative to the source's path. A
 * missing cell is an error, and with .delim means no label at all. */
URSA_API bool ursa_get_column(const ursa_getter *getter, const ursa_data_item *item, ursa_found *found);
#define ursa_column(name, ...) ursa_columns(ursa_names(name), __VA_ARGS__)
/* Several columns, one text of each: ursa_columns(ursa_names("x", "y")). */
#define ursa_columns(list, ...)                                                                                        \
    ((ursa_getter){.get = ursa_get_column, .name = "column", .columns = (list), __VA_ARGS__})
/* What a function of one's own makes of a file's name, or of its path with
 * .whole_path = true: const char *f(void *context, const char *name). The text is
 * copied at once, so that it may be static; NULL is no label, an error. */
URSA_API bool ursa_get_name_label(const ursa_getter *getter, const ursa_data_item *item, ursa_found *found);
#define ursa_name_label(f, pointer, ...)                                                                               \
    ((ursa_getter){.get = ursa_get_name_label, .name = "name_label", .of_name = (f), .context = (pointer), __VA_ARGS__})
/* What a function of one's own adds to `found`: bool f(void *context, const
 * ursa_data_item *item, ursa_found *found). As get_x or get_y. */
URSA_API bool ursa_get_by_label_function(const ursa_getter *getter, const ursa_data_item *item, ursa_found *found);
#define ursa_label_function(f, pointer)                                                                                \
    ((ursa_getter){.get = ursa_get_by_label_function, .name = "function", .function = (f), .context = (pointer)})
/* The item itself: its value, or its path. The default of get_x. */
URSA_API bool ursa_get_item_itself(const ursa_getter *getter, const ursa_data_item *item, ursa_found *found);
/* What the source says: for lists of labels and IDX files. */
URSA_API bool ursa_get_item_label(const ursa_getter *getter, const ursa_data_item *item, ursa_found *found);
#define ursa_item_label ((ursa_getter){.get = ursa_get_item_label, .name = "item_label"})

/* ---- splitters --------------------------------------------------------------------- */

typedef enum ursa_part {
    URSA_PART_TRAIN,
    URSA_PART_VALID,
    URSA_PART_NEITHER,
} ursa_part;

typedef struct ursa_splitter {
    /* Writes the part of every item to parts[], all URSA_PART_TRAIN at first. */
    bool (*split)(const struct ursa_splitter *splitter, const ursa_data_item *items, int64_t count, ursa_part *parts);
    const char *name;  /* in summaries */
    double valid_pct;  /* random; default 0.2 */
    uint64_t seed;     /* random; 0: ursa_seed() */
    const char *train; /* grandparent; default "train" */
    const char *valid; /* grandparent; default "valid" */
    const int64_t *indices;
    int64_t count;
    const char *column, *file;
    ursa_part (*function)(void *context, const ursa_data_item *item);
    void *context;
} ursa_splitter;

/* A share of .valid_pct of the items, drawn at random. The default splitter. */
URSA_API bool ursa_split_randomly(const ursa_splitter *splitter, const ursa_data_item *items, int64_t count,
                                  ursa_part *parts);
#define ursa_random_splitter(...)                                                                                      \
    ((ursa_splitter){.split = ursa_split_randomly, .name = "random_splitter", __VA_ARGS__})
/* By the folder around the folder a file is in: train/cat/1.jpg. Items in
 * neither folder are left out. */
URSA_API bool ursa_split_by_grandparent(const ursa_splitter *splitter, const ursa_data_item *items, int64_t count,
                                        ursa_part *parts);
#define ursa_grandparent_splitter(...)                                                                                 \
    ((ursa_splitter){.split = ursa_split_by_grandparent, .name = "grandparent_splitter", __VA_ARGS__})
/* The items at `n` positions are for validation. */
URSA_API bool ursa_split_by_index(const ursa_splitter *splitter, const ursa_data_item *items, int64_t count,
                                  ursa_part *parts);
#define ursa_index_splitter(list, n)                                                                                   \
    ((ursa_splitter){.split = ursa_split_by_index, .name = "index_splitter", .indices = (list), .count = (n)})
/* Rows that have a true value in a column: True, true, 1, "valid". */
URSA_API bool ursa_split_by_column(const ursa_splitter *splitter, const ursa_data_item *items, int64_t count,
                                   ursa_part *parts);
#define ursa_column_splitter(name_of_column)                                                                           \
    ((ursa_splitter){.split = ursa_split_by_column, .name = "column_splitter", .column = (name_of_column)})
/* Files whose names, a line each, are in a text file. */
URSA_API bool ursa_split_by_file(const ursa_splitter *splitter, const ursa_data_item *items, int64_t count,
                                 ursa_part *parts);
#define ursa_file_splitter(path) ((ursa_splitter){.split = ursa_split_by_file, .name = "file_splitter", .file = (path)})
/* By a function of one's own: ursa_part f(void *context, const ursa_data_item *item). */
URSA_API bool ursa_split_by_function(const ursa_splitter *splitter, const ursa_data_item *items, int64_t count,
                                     ursa_part *parts);
#define ursa_function_splitter(f, pointer)                                                                             \
    ((ursa_splitter){                                                                                                  \
        .split = ursa_split_by_function, .name = "function_splitter", .function = (f), .context = (pointer)})
/* All items are for training; or all for validation. */
URSA_API bool ursa_split_nothing(const ursa_splitter *splitter, const ursa_data_item *items, int64_t count,
                                 ursa_part *parts);
#define ursa_no_splitter ((ursa_splitter){.split = ursa_split_nothing, .name = "no_splitter"})
URSA_API bool ursa_split_off_all(const ursa_splitter *splitter, const ursa_data_item *items, int64_t count,
                                 ursa_part *parts);
#define ursa_all_valid_splitter ((ursa_splitter){.split = ursa_split_off_all, .name = "all_valid_splitter"})

/* ---- blocks ------------------------------------------------------------------------- */

/* What an input or a target is. Values; options follow the class. */
typedef struct ursa_block {
    const struct ursa_block_class *class;
    const char *const *vocab; /* the names of classes (of pixels, for masks), in their order; NULL: found in the data */
    int channels;             /* of images: 1 or 3; 0: 3 when any picture has colours, else 1 */
    int count;                /* of points, or of numbers; 0: as many as the first item has */
    bool encoded;             /* multi-category: an item's texts are 0 and 1 for each class */
} ursa_block;

typedef struct ursa_block_class {
    const char *name; /* "image": in model files and summaries */
    ursa_kind kind;
    /* Settles what is open from what getters found for all items: fills in
     * channels and count; a new vocabulary goes to `vocab`, by
     * ursa_found_add_text(), in its order. `getter` is where it was found. NULL: nothing to settle. */
    bool (*settle)(ursa_block *block, const ursa_getter *getter, const ursa_found *all, int64_t count,
                   ursa_found *vocab);
    /* Whether an item can be read at all, looked at before training; false with
     * an error. Also tells the channels of its image, 0 for none. NULL: it can. */
    bool (*inspect)(const ursa_block *block, const ursa_found *found, int *channels);
    /* Makes the value of one item. */
    bool (*load)(const ursa_block *block, const ursa_found *found, ursa_value *value);
    /* What a value is, for people: "grizzly", "clear;primary", "0.31, 0.52"; `data` is of the type and shape that
     * `load` gives. To free(). */
    char *(*text)(const ursa_block *block, const void *data, ursa_dims shape);
    /* Outputs a network needs to predict it; 0 where that is not known. */
    int64_t (*outputs)(const ursa_block *block);
} ursa_block_class;

/* How many names a vocabulary has; 0 for NULL. */
URSA_API int ursa_vocab_count(const char *const *vocab);

/* One of some classes: i64 []. The vocabulary is found in the labels of training
 * and validation items, sorted: by number where all are whole numbers, else by
 * code point. */
URSA_API extern const ursa_block_class ursa_category_block_class;
#define ursa_category_block(...) ((ursa_block){.class = &ursa_category_block_class, __VA_ARGS__})
/* Any number of classes: f32 [classes], 0 or 1. Labels come from a getter with
 * .delim or several columns; or .encoded = true: columns of 0 and 1, whose names
 * are the classes unless .vocab says otherwise. */
URSA_API extern const ursa_block_class ursa_multi_category_block_class;
#define ursa_multi_category_block(...) ((ursa_block){.class = &ursa_multi_category_block_class, __VA_ARGS__})
/* Numbers: f32 [count], or [] when count is 1. */
URSA_API extern const ursa_block_class ursa_regression_block_class;
#define ursa_regression_block(...) ((ursa_block){.class = &ursa_regression_block_class, __VA_ARGS__})
/* Points in the input image, f32 [count, 2]: x then y, in pixels from the upper
 * left corner. What is found are their numbers, or texts of numbers. */
URSA_API extern const ursa_block_class ursa_point_block_class;
#define ursa_point_block(...) ((ursa_block){.class = &ursa_point_block_class, __VA_ARGS__})

/* What a value is, for people. To free(). NULL for NULL. */
URSA_API char *ursa_block_text(const ursa_block *block, const void *data, ursa_dims shape);

/* ---- the data block -------------------------------------------------------------------- */

typedef struct ursa_datablock_options {
    ursa_block blocks[2];   /* input and target; without a target, items are unlabelled */
    ursa_lister get_items;  /* default: rows for a frame; image files for a folder, when the input is an image */
    ursa_splitter splitter; /* default: ursa_random_splitter() */
    ursa_getter get_x;      /* default: the item itself */
    ursa_getter get_y;      /* needed where there is a target */
    ursa_transform item_tfms[URSA_TRANSFORMS];
    ursa_transform batch_tfms[URSA_TRANSFORMS];
} ursa_datablock_options;

/* Blocks that are not freed are freed by ursa_finish(). */
URSA_API ursa_datablock *ursa_datablock_new_opt(const ursa_datablock_options *options);
#define ursa_datablock_new(...)                                                                                        \
    __extension__({                                                                                                    \
        URSA_BRACES_MAY_BE_MISSING                                                                                     \
        ursa_datablock *new_ = ursa_datablock_new_opt(&(ursa_datablock_options){__VA_ARGS__});                         \
        URSA_BRACES_END                                                                                                \
        new_;                                                                                                          \
    })
/* A new block, with some options changed (fastai's `new`): those that are given
 * take the place of the old; a list of transforms is replaced as a whole. The old
 * block stays what it was. */
URSA_API ursa_datablock *ursa_datablock_with_opt(const ursa_datablock *block, const ursa_datablock_options *changes);
#define ursa_datablock_with(block, ...)                                                                                \
    __extension__({                                                                                                    \
        URSA_BRACES_MAY_BE_MISSING                                                                                     \
        ursa_datablock *with_ = ursa_datablock_with_opt(block, &(ursa_datablock_options){__VA_ARGS__});                \
        URSA_BRACES_END                                                                                                \
        with_;                                                                                                         \
    })
URSA_API void ursa_datablock_free(ursa_datablock *block); /* takes NULL */
/* What it is made of; for the block of dataloaders with all that the data settled. NULL for NULL. */
URSA_API const ursa_datablock_options *ursa_datablock_options_of(const ursa_datablock *block);

/* Datasets for training and validation; one without items is NULL. Getters are
 * run here, for all items at once, so that what is wrong with them (a row
 * without a label, a name that does not match) is known now. Files are read
 * later, item by item; but each is looked at, and those that are no images are
 * reported through the log and left out; `skipped`, which may be NULL, counts
 * them. With `strict` they are errors. */
URSA_API bool ursa_datablock_datasets_opt(const ursa_datablock *block, const ursa_source *source, bool strict,
                                          ursa_dataset **train, ursa_dataset **valid, int64_t *skipped);
#define ursa_datablock_datasets(block, folder, train, valid)                                                           \
    ursa_datablock_datasets_opt(block, &(ursa_source){.path = (folder)}, false, train, valid, NULL)
#define ursa_datablock_datasets_of_frame(block, df, folder, train, valid)                                              \
    ursa_datablock_datasets_opt(block, &(ursa_source){.path = (folder), .frame = (df)}, false, train, valid, NULL)

/* Loaders of the items of a source, which is a folder or a frame. */
URSA_API ursa_dataloaders *ursa_dataloaders_new_opt(const ursa_datablock *block, const ursa_source *source,
                                                    const ursa_dataloaders_options *options);
#define ursa_dataloaders_new(block, folder, ...)                                                                       \
    ursa_dataloaders_new_opt(block, &(ursa_source){.path = (folder)}, &(ursa_dataloaders_options){__VA_ARGS__})
#define ursa_dataloaders_of_frame(block, df, folder, ...)                                                              \
    ursa_dataloaders_new_opt(block, &(ursa_source){.path = (folder), .frame = (df)},                                   \
                             &(ursa_dataloaders_options){__VA_ARGS__})
/* Loaders without items, for a model that was trained elsewhere: train and valid
 * are NULL, test loaders can be made. What the data would settle has to be given:
 * the vocabulary, channels and count of the blocks. */
URSA_API ursa_dataloaders *ursa_dataloaders_without_data_opt(const ursa_datablock *block,
                                                             const ursa_dataloaders_options *options);
#define ursa_dataloaders_without_data(block, ...)                                                                      \
    ursa_dataloaders_without_data_opt(block, &(ursa_dataloaders_options){__VA_ARGS__})

/* A loader of further items, in their order and through the transforms of
 * validation, without targets: files by their paths; rows of a frame; any source
 * (folder: as get_items finds them). The caller's to free. */
URSA_API ursa_dataloader *ursa_test_loader(ursa_dataloaders *loaders, const char *const *paths, int64_t count);
URSA_API ursa_dataloader *ursa_test_loader_of_frame(ursa_dataloaders *loaders, const ursa_frame *frame,
                                                    const char *path);
URSA_API ursa_dataloader *ursa_test_loader_of(ursa_dataloaders *loaders, const ursa_source *source);

/* Takes one item of a source through every step, and says what happens: what was
 * found, how it is split, what getters and blocks make of it, what each transform
 * changes, what a batch looks like. As a text, to free(); or printed. After an
 * error that a step meets the text ends with it. */
URSA_API char *ursa_datablock_summary_text(const ursa_datablock *block, const ursa_source *source);
URSA_API bool ursa_datablock_summary_opt(const ursa_datablock *block, const ursa_source *source);
#define ursa_datablock_summary_of_frame(block, df, folder)                                                             \
    ursa_datablock_summary_opt(block, &(ursa_source){.path = (folder), .frame = (df)})
#define ursa_datablock_summary(block, folder) ursa_datablock_summary_opt(block, &(ursa_source){.path = (folder)})

#ifdef __cplusplus
}
#endif
#endif
